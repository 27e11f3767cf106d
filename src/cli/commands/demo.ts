/**
 * `aspectlens demo`: dataset, training, export and explanations on synthetic tissue, with the same code as the other
 * commands.
 */

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import { openExplainer } from "../../bundle/explainer.js";
import { openResultFolder } from "../../core/result-folder.js";
import { openDataset, records } from "../../dataset/dataset.js";
import { synthesize } from "../../dataset/synth/synthesize.js";
import { checkConfig } from "../../train/config.js";
import { checkRunFolder, removeRun } from "../../train/run-folder.js";
import { exportRun } from "../../workflows/export-run.js";
import { type EngineOptions, engineOptions, showNotice } from "../engine-options.js";
import { explainImages } from "../explain-images.js";
import { checkFolder } from "../out-folder.js";
import { printLine } from "../output.js";
import { duration, progressBar } from "../progress.js";
import { prepareResults } from "../results.js";
import { type CommonOptions, runCommand } from "../run-command.js";
import { skipper } from "../skipped-images.js";
import { checkOutBundle } from "./export.js";
import { printTrained, trainWithProgress } from "./train.js";

interface DemoOptions extends CommonOptions, EngineOptions {
  readonly out: string;
}

/** Sizes for three minutes on two cores, starting from the trunk that comes with the package. */
const IMAGES = 1600;
const INPUT_SIZE = 128;
/**
 * Synthetic tissue looks unlike photographs, so all layers are trained, at a high learning rate. Half the epochs give
 * the same accuracy, but then classifier and heads do not yet read the same channels, and fewer causes are relevant.
 */
const STAGE = { train: "all", epochs: 16, batchNorm: "batch", learningRate: 0.003 };
/** Small batches: a short training needs many steps. */
const BATCH_SIZE = 8;
/** Stride 8 instead of 16: the smallest objects are 10 of 128 pixels wide. */
const SOURCE = "conv_pw_5";

export function addDemo(program: Command): void {
  engineOptions(program.command("demo"))
    .description("generate a dataset, train on it, export the bundle, and explain three images")
    .option("--out <folder>", "where all files go; those of an earlier demo are replaced", "aspectlens-demo")
    .option("--debug", "print the stack of an error")
    .addHelpText("after", "\nExample:\n  aspectlens demo --out /tmp/demo")
    .action((options: DemoOptions) => runCommand(options, (signal) => runDemo(options, signal)));
}

async function runDemo(options: DemoOptions, signal: AbortSignal): Promise<void> {
  const begun = performance.now();
  const { out } = options;
  const [data, run, bundle, explanations] = ["data", "run", "tissue.aspect", "explanations"].map((name) =>
    join(out, name),
  );
  for (const folder of [out, explanations]) await checkFolder(folder);
  await checkDrawn(explanations);
  await checkRunFolder(run);
  await checkOutBundle(bundle);

  printLine(
    `1. generating ${IMAGES} images of synthetic tissue; mitosis or necrosis makes one malignant, ` +
      "the other aspects are distractors",
  );
  await drawTissue(data, signal);

  printLine("2. training a classifier and seven aspect heads jointly, from the trunk that comes with the package");
  await removeRun(run);
  const raw = checkConfig(
    {
      dataset: data,
      out: run,
      source: SOURCE,
      batchSize: BATCH_SIZE,
      trunk: { inputSize: INPUT_SIZE },
      stages: [STAGE],
    },
    "demo",
  );
  const { trained } = await trainWithProgress(raw, options, signal);
  printTrained(trained);

  printLine();
  printLine(`3. exporting ${bundle}`);
  const bytes = await exportRun(run, bundle, { onNotice: showNotice, signal });
  printLine(`   ${(bytes / 1e6).toFixed(1)} MB, everything in one file`);

  printLine();
  printLine("4. explaining three images that the model has not seen");
  const picked = await pickImages(data);
  const { threads, device } = options;
  const explainer = await openExplainer(bundle, { threads, device, onNotice: showNotice });
  try {
    const images = picked.map(({ path }) => path);
    const results = await prepareResults(images, { out: explanations, spec: explainer.spec });
    const skipped = skipper(images.length);
    await explainImages(explainer, images, { results, skipped }, signal);
    skipped.end();
  } finally {
    await explainer.dispose();
  }
  for (const { path, causes } of picked)
    printLine(`ground truth: ${path} is malignant because of ${causes.join(" and ")}`);
  printLine();
  printLine(`done in ${duration(performance.now() - begun)}`);
  for (const [what, path] of Object.entries({ dataset: data, run, bundle, explanations }))
    printLine(`  ${what.padEnd(13)} ${path}`);
}

async function drawTissue(data: string, signal: AbortSignal): Promise<void> {
  const bar = progressBar("drawing");
  await synthesize(data, {
    count: IMAGES,
    signal,
    onProgress: (done, all) => bar.update(done / all, `image ${done} of ${all}`),
  });
  bar.clear();
}

/** The explained images have numbers as names; a foreign file of such a name is reported before the work starts. */
async function checkDrawn(explanations: string): Promise<void> {
  const there = await readdir(explanations).catch(() => []);
  await (await openResultFolder(explanations)).check(there.filter((name) => /^\d+\./.test(name)));
}

/** Test images with one cause, of either kind, and distractors; the last with both causes. */
async function pickImages(data: string): Promise<{ path: string; causes: readonly string[] }[]> {
  const wanted = [["mitosis"], ["necrosis"], ["mitosis", "necrosis"]];
  const picked: ({ path: string; causes: readonly string[] } | undefined)[] = wanted.map(() => undefined);
  const dataset = await openDataset(data);
  for await (const record of records(dataset, { split: "test" })) {
    const { causes = [], image, aspects } = record;
    const place = wanted.findIndex(
      (names) => names.length === causes.length && names.every((name) => causes.includes(name)),
    );
    const distractors = ["nucleus", "lymphocyte"].filter((name) => (aspects[name]?.boxes?.length ?? 0) > 0);
    if (place < 0 || picked[place] || distractors.length < 2) continue;
    picked[place] = { path: join(data, image), causes };
  }
  return picked.filter((one) => one !== undefined);
}
