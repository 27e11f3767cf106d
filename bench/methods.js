/**
 * Every saliency method, masking and kind of target on one trained model:
 * `npm run build && node bench/methods.js RUN DATASET --name demo`. Adds the model to `bench/results/methods.json`, and
 * writes the table of all that are there, `methods.md`.
 *
 * The scales are set anew on the validation images; all that is shown is of the test images. Classes: at its own line,
 * how many causes and distractors a method calls relevant. Other targets have no known cause: in how many images some
 * aspect is above chance, and which.
 */

import {
  batches,
  explainConstants,
  explainFunction,
  faithfulnessOf,
  overSamples,
  readExplanation,
  SALIENCY_NAMES,
} from "aspectlens";
import { calibrateModel, isLabelledPresent, methodsOf, scaleIn } from "./internals.js";
import { addRow, openNamedModel } from "./named-model.js";

/** @import { Faithfulness, InnerTarget } from "aspectlens" */
/** @typedef {{ target: string, line: number | null, images: number, named: number, byAspect: Record<string, number> }} Other */
/** @typedef {{ name: string, methods: Faithfulness["methods"], count: number, targets: Other[] }} Row */

const TARGET_IMAGES = 100;
const BATCH = 8;

const { name, unranked, results, trained: asTrained, dataset, model, engine } = await openNamedModel();
const { inputSize } = asTrained.spec.trunk;
const { causes } = dataset.manifest;
const { parameters, references } = asTrained;
try {
  const samples = () => batches(dataset, { split: "validation", batchSize: BATCH, inputSize });
  const others = methodsOf(model);
  const given = { engine, parameters, references, samples, causes, unranked, others };
  const { scales } = await calibrateModel(model, given);
  const trained = { ...asTrained, scales };
  const { faithfulness } = await faithfulnessOf(trained, { engine, dataset, unranked, others, draws: 0 });
  const targets = [];
  for (const target of innerTargets()) targets.push(await named(target, scales));
  const row = { name, methods: faithfulness.methods, count: faithfulness.count, targets };
  await addRow(row, { results, work: "methods", pageOf });
} finally {
  await engine.dispose();
}

/** Each aspect as a target, its picture where it has one, and four channels of the last layer. @returns {InnerTarget[]} */
function innerTargets() {
  const aspects = model.aspects.map(({ spec }) => spec);
  const { name: layer, channels } = model.trunk.taps[model.trunk.taps.length - 1];
  return [
    ...aspects.map((spec) => ({ kind: /** @type {const} */ ("aspect"), aspect: spec.name })),
    ...aspects
      .filter(({ kind }) => kind === "segmentation")
      .map((spec) => ({ kind: /** @type {const} */ ("image"), aspect: spec.name, object: 1, background: 1 })),
    ...[0.125, 0.375, 0.625, 0.875].map((share) => ({
      kind: /** @type {const} */ ("unit"),
      layer,
      channel: Math.floor(share * channels),
    })),
  ];
}

/**
 * @param {InnerTarget} target
 * @param {import("aspectlens").RelevanceScales} scales
 * @returns {Promise<Other>}
 */
async function named(target, scales) {
  const scale = scaleIn(scales, "evidence", target.kind);
  const title = `${target.kind}:${target.kind === "unit" ? `${target.layer}/${target.channel}` : target.aspect}`;
  const constants = explainConstants(asTrained);
  const fn = explainFunction(model, { target });
  /** @type {Record<string, number>} */
  const byAspect = {};
  let [images, some] = [0, 0];
  const test = async function* () {
    let left = TARGET_IMAGES;
    for await (const batch of batches(dataset, { split: "test", batchSize: BATCH, inputSize })) {
      yield batch.slice(0, left);
      left -= batch.length;
      if (left <= 0) return;
    }
  };
  const running = { engine, fn, constants, batchSize: BATCH, name: title, samples: test() };
  for await (const { sample, outputs } of overSamples(model, running)) {
    const { explanation } = readExplanation(outputs, { spec: model.spec, scale, image: sample.path, target });
    const isSeen =
      target.kind === "unit" || (sample.aspects[target.aspect] && isLabelledPresent(sample.aspects[target.aspect]));
    if (!isSeen) continue;
    images++;
    const relevant = explanation.aspects.filter(({ isRelevant }) => isRelevant);
    some += Number(relevant.length > 0);
    for (const aspect of relevant) byAspect[aspect.name] = (byAspect[aspect.name] ?? 0) + 1;
  }
  return { target: title, line: scale.kind === "uncalibrated" ? null : scale.line, images, named: some, byAspect };
}

/** @param {readonly Row[]} rows */
function pageOf(rows) {
  const percent = (/** @type {number | null} */ value) => (value === null ? "" : `${(100 * value).toFixed(1)} %`);
  const number = (/** @type {number | null | undefined} */ value) => (value == null ? "" : value.toFixed(3));
  const parts = rows.flatMap(({ name, methods, count, targets }) => [
    `## ${name}`,
    `${count} test images answered right, a cause and another aspect in each. At its own line, each method calls these shares of causes and of distractors relevant; a masking decides survival alone.`,
    [
      "| method | line | set by | cause first | causes | distractors | AUC | AUC by survival, by masking |",
      "|---|---|---|---|---|---|---|---|",
      ...SALIENCY_NAMES.flatMap((saliency) => {
        const own = methods.filter((method) => method.saliency === saliency);
        if (own.length === 0) return [];
        const [{ scale, namedCause, causeRelevant, distractorNamed, auc }] = own;
        const [line, by] = scale?.kind === "probability" ? [number(scale.line), scale.by] : ["", "not calibrated"];
        const survival = own.map(({ masking, bySurvival }) => `${masking} ${bySurvival.auc?.toFixed(2) ?? "-"}`);
        const shares = [namedCause, causeRelevant, distractorNamed].map(percent);
        return `| ${[saliency, line, by, ...shares, number(auc), survival.join(", ")].join(" | ")} |`;
      }),
    ].join("\n"),
    "Targets that are no class, by the default method: test images in which the target is seen, and in which some aspect is above chance.",
    [
      "| target | line | images | some aspect | which |",
      "|---|---|---|---|---|",
      ...targets.map(({ target, line, images, named, byAspect }) => {
        const which = Object.entries(byAspect).sort(([, a], [, b]) => b - a);
        return `| ${target} | ${number(line)} | ${images} | ${named} | ${which.map(([aspect, times]) => `${aspect} ${times}`).join(", ")} |`;
      }),
    ].join("\n"),
  ]);
  const about = "Written by `node bench/methods.js RUN DATASET --name NAME`; all numbers lie in `methods.json`.";
  return `${["# Every method, masking and kind of target", about, ...parts].join("\n\n")}\n`;
}
