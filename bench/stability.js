/**
 * Are reasons that small changes of an image take away the wrong ones? `npm run build && node bench/stability.js RUN
 * DATASET --name NAME` explains the rightly answered test images with `--interval`, and counts, of causes and of other
 * aspects, the relevant ones and those that stay relevant. Adds the model to `bench/results/stability.json`, and writes the
 * table of all, `stability.md`.
 */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { batches, exportBundle } from "aspectlens";
import { openExplainer } from "aspectlens/explainer";
import { isStable } from "./internals.js";
import { addRow, openNamedModel } from "./named-model.js";

/** @typedef {{ seen: number, relevant: number, stable: number }} Count */
/** @typedef {{ name: string, images: number, causes: Count, others: Count }} Row */

const { name, results, trained, dataset, engine } = await openNamedModel();
await engine.dispose();
const folder = await mkdtemp(join(tmpdir(), "stability-"));
try {
  const bundle = join(folder, "model.aspect");
  await exportBundle(trained, bundle, { name });
  const explainer = await openExplainer(bundle);
  const causes = dataset.manifest.causes ?? {};
  /** @type {Row} */
  const row = {
    name,
    images: 0,
    causes: { seen: 0, relevant: 0, stable: 0 },
    others: { seen: 0, relevant: 0, stable: 0 },
  };
  const { inputSize } = trained.spec.trunk;
  for await (const [{ path, target, causes: own }] of batches(dataset, { split: "test", batchSize: 1, inputSize })) {
    const { explanation } = await explainer.explain(join(dataset.directory, path), { hasInterval: true });
    const { prediction, aspects } = explanation;
    if (!("class" in prediction) || prediction.class !== target.label) continue;
    const known = own ?? causes[prediction.class] ?? [];
    row.images++;
    for (const { name, isPresent, isRelevant, relevanceInterval } of aspects) {
      if (!isPresent) continue;
      const count = known.includes(name) ? row.causes : row.others;
      count.seen++;
      if (!isRelevant) continue;
      count.relevant++;
      if (isStable({ relevanceInterval })) count.stable++;
    }
  }
  await explainer.dispose();
  await addRow(row, { results, work: "stability", pageOf });
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** @param {readonly Row[]} rows */
function pageOf(rows) {
  const cells = (/** @type {Count} */ { seen, relevant, stable }) => `${seen} | ${relevant} | ${stable}`;
  return [
    "# Reasons that small changes of the image take away",
    "",
    "Of the aspects seen in rightly answered test images: how many are relevant, and how many are stable too, that is",
    "relevant from the 5 % quantile of 16 changed copies on (`explain --interval`). Causes of the class, and others.",
    "`npm run build && node bench/stability.js RUN DATASET --name NAME` for each model.",
    "",
    "| model | images | causes seen | relevant | stable | others seen | relevant | stable |",
    "|---|---|---|---|---|---|---|---|",
    ...rows.map(({ name, images, causes, others }) => `| ${name} | ${images} | ${cells(causes)} | ${cells(others)} |`),
    "",
  ].join("\n");
}
