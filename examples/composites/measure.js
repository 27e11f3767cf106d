/** Measures faithfulness of one trained composite on the test split, with every control that DESIGN section 4 names. */

import { join } from "node:path";
import { built } from "../support/built.js";

/** @typedef {import("../../src/explain/faithfulness.js").Faithfulness} Faithfulness */

/** @type {typeof import("../../src/explain/faithfulness-of-model.js")} */
const { faithfulnessOf } = await built("explain/faithfulness-of-model.js");
/** @type {typeof import("../../src/dataset/dataset.js")} */
const { openDataset } = await built("dataset/dataset.js");
/** @type {typeof import("../../src/engine/select-engine.js")} */
const { selectEngine } = await built("engine/select-engine.js");
/** @type {typeof import("../../src/trained-model.js")} */
const { readTrainedModel } = await built("trained-model.js");

/**
 * @param {{ run: string, data: string, unranked?: readonly string[] }} options the run folder, the dataset's folder, and
 *   aspects that are explained but left out of the ranking.
 * @returns {Promise<{ faithfulness: Faithfulness, threshold: number }>}
 */
export async function measureRun({ run, data, unranked = [] }) {
  const trained = await readTrainedModel(join(run, "best"));
  const engine = await selectEngine();
  try {
    const { faithfulness } = await faithfulnessOf(trained, { engine, dataset: await openDataset(data), unranked });
    return { faithfulness, threshold: trained.threshold.value };
  } finally {
    await engine.dispose();
  }
}
