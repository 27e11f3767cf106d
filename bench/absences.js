/**
 * Which answers need that an aspect is absent? `npm run build && node bench/absences.js RUN DATASET --name NAME` puts
 * every aspect into images without it: of validation images, on which the rule is applied, and of test images. Adds the
 * model to `bench/results/absences.json`, and writes the table of all, `absences.md`.
 */

import { batches } from "aspectlens";
import { measureAbsences, neededAbsences, randomizeClassifier } from "./internals.js";
import { addRow, openNamedModel } from "./named-model.js";

/** @import { Split } from "aspectlens" */
/** @typedef {{ class: string, aspect: string, causes: readonly string[], validation: number, test: number, isNamed: boolean }} Pair `causes`: classes that the aspect causes */
/** @typedef {{ name: string, pairs: readonly Pair[], randomized: { named: number, of: number } }} Row `randomized`: pairs named, over randomized classifiers */

const RANDOMIZED = 5;

const { name, results, trained, dataset, model, engine } = await openNamedModel();
try {
  const { spec, parameters, references } = trained;
  const causes = dataset.manifest.causes ?? {};
  const measured = (/** @type {Split} */ split, seed = 0) =>
    measureAbsences(model, {
      engine,
      parameters: { ...parameters, ...(seed > 0 && randomizeClassifier(model, { seed })) },
      references,
      samples: () => batches(dataset, { split, batchSize: 8, inputSize: spec.trunk.inputSize }),
      batchSize: 8,
    });
  const [validation, test] = [await measured("validation"), await measured("test")];
  const pairs = model.classifier.spec.classes.flatMap((answer) =>
    model.aspects.map(({ spec: { name: aspect } }) => ({
      class: answer,
      aspect,
      causes: Object.keys(causes).filter((one) => causes[one].includes(aspect)),
      validation: validation[answer]?.[aspect] ?? 0,
      test: test[answer]?.[aspect] ?? 0,
      isNamed: neededAbsences(validation, answer).includes(aspect),
    })),
  );
  const randomized = { named: 0, of: 0 };
  for (let seed = 1; seed <= RANDOMIZED; seed++) {
    const found = await measured("validation", seed);
    for (const answer of model.classifier.spec.classes) randomized.named += neededAbsences(found, answer).length;
    randomized.of += pairs.length;
  }
  await addRow({ name, pairs, randomized }, { results, work: "absences", pageOf });
} finally {
  await engine.dispose();
}

/** @param {readonly Row[]} rows */
function pageOf(rows) {
  const percent = (/** @type {number} */ share) => (100 * share).toFixed(0);
  const lines = rows.flatMap(({ name, pairs }) =>
    pairs.map(
      (pair) =>
        `| ${name} | ${pair.class} | ${pair.aspect} | ${pair.causes.join(", ")} | ${percent(pair.validation)} | ` +
        `${percent(pair.test)} | ${pair.isNamed ? "yes" : ""} |`,
    ),
  );
  return [
    "# Answers that need that an aspect is absent",
    "",
    "The aspect is put into the representation of images that are answered so without it: in how many does the answer",
    "change, in percent. *Named*: from 95 % on validation images on. What no image answered so lacks, or few, counts as 0.",
    "`npm run build && node bench/absences.js RUN DATASET --name NAME` for each model.",
    "",
    "| model | answer | aspect | causes | validation | test | named |",
    "|---|---|---|---|---|---|---|",
    ...lines,
    "",
    ...rows.map(
      ({ name, randomized: { named, of } }) =>
        `Under ${RANDOMIZED} randomized classifiers of ${name}, ${named} of ${of} pairs are named.`,
    ),
    "",
  ].join("\n");
}
