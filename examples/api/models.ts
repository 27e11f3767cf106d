import * as tf from "@tensorflow/tfjs";
import { createModel, foldBatchNorm, initialize, predict, randomWeights } from "aspectlens";

const model = createModel({
  trunk: { name: "mobilenet-v1", alpha: 0.25, inputSize: 64 },
  source: "conv_pw_11",
  heads: [
    { name: "class", kind: "classifier", task: "single", taps: ["conv_pw_13"], classes: ["benign", "malignant"] },
    { name: "nucleus", kind: "segmentation", taps: ["conv_pw_11"], threshold: 0.5 },
  ],
});
const trunk = foldBatchNorm(model.trunk, randomWeights(model.trunk, { seed: 7 }));
const arrays = { ...trunk, ...initialize(model.headParameters, { seed: 7 }) };
const parameters = Object.fromEntries(
  Object.entries(arrays).map(([name, { shape, data }]) => [name, tf.tensor(data, [...shape])]),
);
const logits = predict(model, parameters, { input: tf.zeros<tf.Rank.R4>([1, 64, 64, 3]) });
for (const [head, { shape }] of Object.entries(logits)) console.log(head, shape);
