/** Many classes of one imported aspect network: what they share, and that the numbers stay those of each alone. */

import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type NdArrays, ndArray } from "../../src/core/nd-array.js";
import { initialize } from "../../src/core/parameters.js";
import { random } from "../../src/core/random.js";
import type { Engine } from "../../src/engine/engine.js";
import { createOnnxEngine } from "../../src/engine/onnx-engine.js";
import { trace } from "../../src/engine/trace/trace.js";
import { explainFunction } from "../../src/explain/graph/explain-function.js";
import { explainConstants } from "../../src/explain/graph/graph-constants.js";
import { createModel, type Model } from "../../src/model/model.js";
import { networkParameters } from "../../src/model/network.js";
import { importedTable } from "../../src/trunk/networks/import-table.js";
import { SCALINGS } from "../../src/trunk/networks/network-table.js";
import { drawn, modelOf, readModel } from "../trunk/networks/run-network.js";
import { tinyReferences, toArrays, toTensors } from "./tiny-model.js";

const SIZE = 16;
const CLASSES = 6;
type Is = "alone" | "against";

/** Strides, groups, a residual, hard swish, and a linear end. */
const read = readModel(
  modelOf(
    [
      { operator: "Conv", inputs: ["image", "k"], output: "early", attributes: { strides: [2, 2] } },
      { operator: "HardSwish", inputs: ["early"], output: "swish" },
      { operator: "Conv", inputs: ["swish", "k2"], output: "mid", attributes: { strides: [2, 2] } },
      { operator: "Conv", inputs: ["mid", "k3"], output: "apart", attributes: { group: 8, pads: [1, 1, 1, 1] } },
      { operator: "Sigmoid", inputs: ["apart"], output: "gate" },
      { operator: "Add", inputs: ["mid", "gate"], output: "late" },
      { operator: "GlobalAveragePool", inputs: ["late"], output: "mean" },
      { operator: "Flatten", inputs: ["mean"], output: "flat" },
      { operator: "Gemm", inputs: ["flat", "w"], output: "out" },
    ],
    { k: drawn([8, 3, 3, 3]), k2: drawn([8, 8, 3, 3], 2), k3: drawn([8, 1, 3, 3], 3), w: drawn([8, CLASSES], 4) },
    { size: [SIZE, SIZE] },
  ),
);

/** The network explained by classes of itself, through a mapping. */
async function mapped(count: number, is: Is): Promise<Model> {
  const { table } = importedTable(await read, { path: "x.onnx", scaling: SCALINGS.unit });
  const trunk = { name: "net", alpha: 1, inputSize: SIZE, network: table };
  const taps = [table.output];
  const classes = Array.from({ length: CLASSES }, (_, index) => `c${index}`);
  return createModel({
    trunk,
    source: "swish",
    heads: [
      { kind: "classifier", name: "class", taps, task: "single", isImported: true, classes },
      ...Array.from({ length: count }, (_, index) => ({
        ...({ kind: "presence", name: `a${index}`, taps, threshold: 0.5, network: "other" } as const),
        output: { index, of: CLASSES, is },
      })),
    ],
    networks: [{ name: "other", trunk, mapping: { kind: "linear", from: "swish", to: "early" } }],
  });
}

async function constantsOf(model: Model): Promise<NdArrays> {
  const { parameters } = await read;
  const mapping = initialize(model.headParameters, { seed: 8 });
  return explainConstants({
    parameters: { ...mapping, ...parameters, ...networkParameters("other", parameters) },
    references: tinyReferences(model),
  });
}

function inputsOf(batch: number): NdArrays {
  const stream = random(4, "image");
  const image = () => Float32Array.from({ length: batch * SIZE * SIZE * 3 }, () => stream.uniform(0, 255));
  const shape = [batch, SIZE, SIZE, 3];
  return { image: ndArray(shape, image()), "image/other": ndArray(shape, image()), target: ndArray([batch, CLASSES]) };
}

function eagerly(model: Model, constants: NdArrays, inputs: NdArrays): NdArrays {
  let found: NdArrays = {};
  tf.tidy(() => {
    const given = { inputs: toTensors(inputs), constants: toTensors(constants), state: {} };
    found = toArrays(explainFunction(model)(given).outputs);
  });
  return found;
}

function relativeError(found: ArrayLike<number>, wanted: ArrayLike<number>): number {
  const scale = Math.max(1e-30, ...Array.from(wanted, Math.abs));
  return Math.max(...Array.from(wanted, (value, index) => Math.abs(found[index] - value))) / scale;
}

let engine: Engine;
beforeAll(async () => {
  await tf.setBackend("cpu");
  engine = await createOnnxEngine({ threads: 1 });
});
afterAll(() => engine.dispose());

describe.each<Is>(["alone", "against"])("classes that say their probability %s", (is) => {
  test("share the network's end, backward too: a further one adds no more than what joins its constants", async () => {
    const nodesOf = async (count: number) => {
      const model = await mapped(count, is);
      const constants = await constantsOf(model);
      const shapes = Object.fromEntries(Object.entries(inputsOf(1)).map(([name, { shape }]) => [name, shape]));
      const fn = (inputs: Record<string, tf.Tensor>) =>
        explainFunction(model)({ inputs, constants: toTensors(constants), state: {} }).outputs;
      return trace(fn, { inputs: shapes, block: 0 });
    };
    const [two, six] = [await nodesOf(2), await nodesOf(6)];
    expect(six.nodeCount - two.nodeCount).toBeLessThanOrEqual(4 * 7);
    // A class weighs the logits by constants, and so do its slopes: the runtime folds those when it loads the graph.
    for (const operator of ["Conv", "MatMul"])
      expect(six.operators[operator] - two.operators[operator], operator).toBeLessThanOrEqual(4);
    for (const operator of ["ConvTranspose", "HardSigmoid", "Sigmoid", "ReduceSum"])
      expect(six.operators[operator], operator).toBe(two.operators[operator]);
  });

  test.each([1, 2])("both engines give the same, of %i images", async (batch) => {
    const model = await mapped(CLASSES, is);
    const constants = await constantsOf(model);
    const inputs = inputsOf(batch);
    const shapes = Object.fromEntries(Object.entries(inputs).map(([name, { shape }]) => [name, shape]));
    const compiled = await engine.compile(explainFunction(model), { inputs: shapes, constants });
    const traced = await compiled.run(inputs);
    await compiled.dispose();
    // 1e-4: float32 sums in another order.
    for (const [name, { data }] of Object.entries(eagerly(model, constants, inputs)))
      expect(relativeError(traced[name].data, data), name).toBeLessThan(1e-4);
  });

  test("an aspect's evidence is the slope of what its class says, times the difference from the reference", async () => {
    const model = await mapped(3, is);
    const constants = await constantsOf(model);
    const inputs = inputsOf(1);
    const found = eagerly(model, constants, inputs);
    const head = model.aspects[2];
    const [network] = model.networks;
    const errors = tf.tidy(() => {
      const tensors = toTensors(constants);
      const f = model.trunk.run(tensors, { input: tf.tensor(inputs.image.data, [1, SIZE, SIZE, 3]) }, ["swish"]).swish;
      const answer = Array.from(found.logits.data);
      const row = answer.indexOf(Math.max(...answer));
      const r = tf.reshape(tf.slice(tensors["reference/swish"], [row, 0], [1, 8]), [1, 1, 1, 8]);
      const [half, difference] = [tf.mul(tf.add(f, r), 0.5), tf.sub(f, r).dataSync()];
      const value = (at: tf.Tensor) =>
        head.forward(tensors, network.mappedFeatures(tensors, at as tf.Tensor4D, head.spec.taps)).dataSync()[0];
      const squares = found["a2/overlap/swish"].data.filter((_, index) => index % 2 === 1);
      return [0, 11, 24, 37].map((place) => {
        let sum = 0;
        for (let channel = 0; channel < 8; channel++) {
          const element = place * 8 + channel;
          const shift = new Float32Array(f.size);
          shift[element] = 0.02;
          const shifted = tf.tensor(shift, f.shape);
          const slope = (value(tf.add(half, shifted)) - value(tf.sub(half, shifted))) / 0.04;
          sum += (slope * difference[element]) ** 2;
        }
        return Math.abs(sum - squares[place]) / Math.max(...squares);
      });
    });
    // 2 %: float32 differences.
    for (const error of errors) expect(error).toBeLessThan(0.02);
  });
});
