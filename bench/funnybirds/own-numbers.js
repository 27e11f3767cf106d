/** What our own explanation gives to each part: the one place that reads its fields. */

import { explainConstants, explainFunction, imageBatch, readExplanation } from "aspectlens";
import { sideOf } from "../internals.js";
import { PARTS } from "./birds.js";

/** @import { AspectExplanation, Engine, Model, NdArrays, TrainedModel } from "aspectlens" */
/** @import { Explanation } from "./protocols.js" */

/** @typedef {(aspect: AspectExplanation) => number | null} NumberOf */

/** By name of the method, the number that it is. @type {Readonly<Record<string, NumberOf>>} */
const OWN_NUMBERS = {
  score: ({ score }) => score,
  survival: ({ survival }) => survival,
};

/** Rows of one call: an image explained for its class, which mostly is the answer, and for its pair. */
const ROWS = 3;

/**
 * @param {{ engine: Engine, model: Model, trained: TrainedModel, scale: "log-odds" | "logit" }} of `scale`: what is
 *   explained of a class. The odds are what `explain` does; the protocols measure the logit.
 * @returns whoever opened it disposes it. `explain` gives, of each class that is asked for, what each number says.
 */
export async function openOwn({ engine, model, trained, scale }) {
  const { spec, parameters, references } = trained;
  const size = sideOf(spec.trunk.inputSize);
  const { classes } = model.classifier.spec;
  const target = { shape: [ROWS, classes.length], data: new Float32Array(ROWS * classes.length) };
  const graph = await engine.compile(explainFunction(model, { target: { kind: scale, class: classes[0] } }), {
    inputs: { image: [ROWS, size, size, 3], target: target.shape },
    constants: explainConstants({ parameters, references }),
    name: `explanation of ${scale}`,
  });
  return {
    /** @param {Uint8Array} pixels @param {readonly number[]} asked classes. @param {number} objectCount */
    async explain(pixels, asked, objectCount) {
      const image = { path: "image", image: pixels, target: {}, aspects: {} };
      const images = imageBatch(Array(ROWS).fill(image), { size, batchSize: ROWS });
      const explained = [];
      for (let start = 0; start < asked.length; start += ROWS) {
        const some = asked.slice(start, start + ROWS);
        target.data.fill(0);
        for (const [row, index] of some.entries()) target.data[row * classes.length + index] = 1;
        const outputs = await graph.run({ image: images, target });
        for (const [row, index] of some.entries()) {
          const target = { kind: scale, class: classes[index] };
          const read = { spec, scale: /** @type {const} */ ({ kind: "uncalibrated" }), image: "image", target };
          const { aspects } = readExplanation(rowOf(outputs, row), read).explanation;
          for (const [name, numberOf] of Object.entries(OWN_NUMBERS)) {
            const given = givenTo(aspects, { numberOf, objectCount });
            explained.push({ method: `${name} of the ${scale}`, label: index, ...given });
          }
        }
      }
      return explained;
    },
    dispose: () => graph.dispose(),
  };
}

/** @param {NdArrays} outputs @param {number} row @returns {NdArrays} of one image. */
function rowOf(outputs, row) {
  return Object.fromEntries(
    Object.entries(outputs).map(([name, { shape, data }]) => {
      const length = data.length / ROWS;
      return [name, { shape: [1, ...shape.slice(1)], data: data.subarray(row * length, (row + 1) * length) }];
    }),
  );
}

/**
 * Background objects have no heads, and so are given nothing.
 *
 * @param {readonly AspectExplanation[]} aspects
 * @param {{ numberOf: NumberOf, objectCount: number }} options
 * @returns {Explanation}
 */
function givenTo(aspects, { numberOf, objectCount }) {
  const parts = PARTS.map((part) => {
    const aspect = aspects.find(({ name }) => name === part);
    return (aspect && numberOf(aspect)) ?? 0;
  });
  return { parts, objects: Array(objectCount).fill(0), sum: parts.reduce((sum, given) => sum + given, 0) };
}
