/** Measures faithfulness of one trained composite on the test split, with every control that DESIGN section 4 names. */

import { join } from "node:path";
import { built } from "../support/built.js";

/** @typedef {import("../../src/explain/faithfulness.js").Faithfulness} Faithfulness */
/** @typedef {import("../../src/explain/truth.js").Judged} Judged */
/** @typedef {import("../../src/core/nd-array.js").NdArrays} NdArrays */

/** @type {typeof import("../../src/explain/faithfulness.js")} */
const { measureFaithfulness } = await built("explain/faithfulness.js");
/** @type {typeof import("../../src/explain/truth.js")} */
const { judge, rankedAspects } = await built("explain/truth.js");
/** @type {typeof import("../../src/explain/explain-constants.js")} */
const { explainConstants } = await built("explain/explain-constants.js");
/** @type {typeof import("../../src/explain/explain.js")} */
const { explainFunction } = await built("explain/explain.js");
/** @type {typeof import("../../src/explain/over-samples.js")} */
const { overSamples } = await built("explain/over-samples.js");
/** @type {typeof import("../../src/explain/reading/read-explanation.js")} */
const { readExplanation } = await built("explain/reading/read-explanation.js");
/** @type {typeof import("../../src/dataset/dataset.js")} */
const { openDataset } = await built("dataset/dataset.js");
/** @type {typeof import("../../src/dataset/batches.js")} */
const { batches } = await built("dataset/batches.js");
/** @type {typeof import("../../src/core/parameters.js")} */
const { initialize } = await built("core/parameters.js");
/** @type {typeof import("../../src/engine/select-engine.js")} */
const { selectEngine } = await built("engine/select-engine.js");
/** @type {typeof import("../../src/model.js")} */
const { createModel } = await built("model.js");
/** @type {typeof import("../../src/trained-model.js")} */
const { readTrainedModel } = await built("trained-model.js");

const BATCH_SIZE = 8;
/** Classifiers redrawn for the control: one alone says more about its draw than about the method. */
const REDRAWS = 5;

/**
 * @param {{ run: string, data: string, unranked?: readonly string[] }} options the run folder, the dataset's folder, and
 *   aspects that are explained but left out of the ranking.
 * @returns {Promise<{ faithfulness: Faithfulness, threshold: number }>}
 */
export async function measureRun({ run, data, unranked = [] }) {
  const trained = await readTrainedModel(join(run, "best"));
  const dataset = await openDataset(data);
  const model = createModel(trained.spec);
  const engine = await selectEngine();
  const { inputSize } = trained.spec.trunk;
  const { causes } = dataset.manifest;
  /** @param {NdArrays} parameters @returns {AsyncGenerator<Judged>} */
  const judgeAll = async function* (parameters) {
    const constants = explainConstants({ parameters, references: trained.references });
    const samples = batches(dataset, { split: "test", batchSize: BATCH_SIZE, inputSize });
    const options = {
      engine,
      fn: explainFunction(model),
      constants,
      samples,
      batchSize: BATCH_SIZE,
      name: "faithfulness",
    };
    for await (const { sample, outputs } of overSamples(model, options)) {
      const read = { spec: trained.spec, threshold: trained.threshold.value, image: sample.path };
      const judged = judge(readExplanation(outputs, read).explanation, { sample, causes });
      yield { ...judged, distractors: judged.distractors.filter((name) => !unranked.includes(name)) };
    }
  };
  try {
    const measured = await measureFaithfulness(judgeAll(trained.parameters));
    const randomClassifier = await measureRedrawn({ parameters: trained.parameters, model, judgeAll });
    const faithfulness = { ...measured, controls: { ...measured.controls, randomClassifier } };
    return { faithfulness, threshold: trained.threshold.value };
  } finally {
    await engine.dispose();
  }
}

/**
 * The same trunk and heads under classifiers that have learned nothing. A large bias makes each of them answer the class
 * that has causes, so that every image that could count does; it changes no gradient of a margin between two classes.
 *
 * @param {object} options
 * @param {NdArrays} options.parameters
 * @param {import("../../src/model.js").Model} options.model
 * @param {(parameters: NdArrays) => AsyncGenerator<Judged>} options.judgeAll
 */
async function measureRedrawn({ parameters, model, judgeAll }) {
  const { classes } = model.classifier.spec;
  let named = 0;
  let relevantCount = 0;
  let aspectCount = 0;
  for (let seed = 1; seed <= REDRAWS; seed++) {
    const drawn = initialize(model.classifier.parameters, { seed });
    const bias = drawn[`head/${model.classifier.spec.name}/bias`];
    bias.data[classes.indexOf("with")] = 1000;
    /** @type {Judged[]} */
    const judged = [];
    for await (const one of judgeAll({ ...parameters, ...drawn })) {
      judged.push(one);
      for (const { aspect } of one.isRight ? rankedAspects(one) : []) {
        aspectCount++;
        if (aspect.isRelevant) relevantCount++;
      }
    }
    named += (await measureFaithfulness(judged)).methods[0].namedCause ?? 0;
  }
  return { namedCause: named / REDRAWS, relevant: aspectCount > 0 ? relevantCount / aspectCount : null };
}
