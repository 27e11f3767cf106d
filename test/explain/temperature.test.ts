/** A temperature changes the scores that are shown: no decision, no relevance, no survival. */

import * as tf from "@tensorflow/tfjs";
import { beforeAll, expect, test } from "vitest";
import { sigmoid, softmax } from "../../src/core/logistic.js";
import { explainFunction } from "../../src/explain/graph/explain-function.js";
import { explainConstants } from "../../src/explain/graph/graph-constants.js";
import { scoresOf } from "../../src/explain/graph/logit-target.js";
import { readExplanation } from "../../src/explain/reading/read-explanation.js";
import { ASPECTS, tinyImages, tinyModel, tinyParameters, tinyReferences, toArrays, toTensors } from "./tiny-model.js";

beforeAll(() => tf.setBackend("cpu"));

const TEMPERATURE = 3;

/** The explanation of one image, with temperatures or without. */
function explain(isTempered: boolean) {
  const tempered = isTempered ? { temperature: TEMPERATURE } : {};
  const aspects = ASPECTS.map((spec) => (spec.kind === "presence" ? { ...spec, ...tempered } : spec));
  const model = tinyModel({ aspects, classifier: tempered });
  const constants = explainConstants({ parameters: tinyParameters(model), references: tinyReferences(model) });
  tf.engine().startScope();
  const inputs = { image: tf.tensor(tinyImages(1), [1, 32, 32, 3]), target: tf.zeros([1, 3]) };
  const outputs = toArrays(explainFunction(model)({ inputs, constants: toTensors(constants), state: {} }).outputs);
  tf.engine().endScope();
  const { explanation } = readExplanation(outputs, {
    spec: model.spec,
    scale: { kind: "uncalibrated" },
    image: "x.png",
  });
  return { outputs, explanation };
}

test("the graph's scores are tempered; every other output is as it was", () => {
  const [plain, tempered] = [explain(false).outputs, explain(true).outputs];
  for (const [name, { data }] of Object.entries(plain))
    if (name !== "scores") expect([...tempered[name].data], name).toEqual([...data]);
  const expected = softmax(Array.from(plain.logits.data, (logit) => logit / TEMPERATURE));
  for (const [index, score] of tempered.scores.data.entries()) expect(score).toBeCloseTo(expected[index], 6);
  expect(Math.max(...tempered.scores.data)).toBeLessThan(Math.max(...plain.scores.data));
});

test("the reading tells another presence, and the same of everything else", () => {
  const { explanation: plain, outputs } = explain(false);
  const { explanation: tempered } = explain(true);
  const { class: named } = plain.prediction as { class: string };
  expect(tempered.prediction).toMatchObject({ class: named });
  const without = ({ presence: _, ...rest }: object & { presence: number }) => rest;
  expect(tempered.aspects.map(without)).toEqual(plain.aspects.map(without));
  const tag = (aspects: typeof plain.aspects) => aspects.find(({ name }) => name === "tag")?.presence;
  const [answer] = outputs["tag/unmasked"].data;
  expect(tag(plain.aspects)).toBeCloseTo(sigmoid(answer), 6);
  expect(tag(tempered.aspects)).toBeCloseTo(sigmoid(answer / TEMPERATURE), 6);
  expect(tag(tempered.aspects)).not.toBeCloseTo(sigmoid(answer), 3);
});

test("labels are tempered each, a regression's value is not", () => {
  const z = tf.tensor2d([[0, Math.log(9)]]);
  expect(scoresOf(z, { task: "multi", temperature: 2 }).dataSync()[1]).toBeCloseTo(0.75, 6);
  expect(scoresOf(z, { task: "regression", temperature: 2 }).dataSync()[1]).toBeCloseTo(Math.log(9), 6);
});
