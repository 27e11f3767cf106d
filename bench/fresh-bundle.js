/** Writes a bundle of an untrained model, which takes as long as a trained one. */

import { explainedTaps, exportBundle } from "aspectlens";
import { freshParameters, networkOf, normal } from "./models.js";

const CLASSES = 10;

/**
 * @param {string} path
 * @param {{ alpha: number, inputSize: number, masks: number, threshold?: number }} options `threshold` of pixels:
 *   from 0.5, the default, on, an untrained model sees nothing; at 0.12 it sees both aspects in many places
 */
export async function writeFreshBundle(path, { alpha, inputSize, masks, threshold }) {
  const model = networkOf({ alpha, inputSize, classes: CLASSES, masks, threshold });
  const references = explainedTaps(model).map((tap) => {
    const channels = model.trunk.taps.find(({ name }) => name === tap)?.channels ?? 0;
    const { shape, data } = normal([CLASSES + 1, channels], tap);
    return [tap, { shape, data: data.map(Math.abs) }];
  });
  const provenance = {
    dataset: { name: "none", hash: "none", counts: {} },
    seed: 7,
    epochs: 0,
    weights: "random",
    metrics: {},
    warnings: [],
  };
  const trained = {
    spec: model.spec,
    parameters: freshParameters(model, { isFolded: true }),
    references: Object.fromEntries(references),
    scales: {},
    absences: {},
    provenance,
  };
  await exportBundle(trained, path, { name: "bench" });
}
