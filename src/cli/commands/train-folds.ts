/** `aspectlens train --folds K`: a model for each fold, and a table of what all of them reach on images they never saw. */

import { join } from "node:path";
import { isOfFormat } from "../../core/own-json.js";
import { formatTable } from "../../core/text-table.js";
import { selectEngine } from "../../engine/select-engine.js";
import type { RawConfig } from "../../train/config.js";
import { type CrossValidation, crossValidate } from "../../workflows/cross-validate.js";
import { FOLDS_FILE, FOLDS_FORMAT } from "../../workflows/folder-kind.js";
import type { RunOptions } from "../../workflows/train-run.js";
import { type EngineOptions, showNotice } from "../engine-options.js";
import { cell, drawnText, rangeText } from "../interval-text.js";
import { checkOutFile } from "../out-file.js";
import { printJson, printLine, printNote } from "../output.js";
import { trainingProgress } from "./train-progress.js";

export async function trainFolds(
  raw: RawConfig,
  {
    folds,
    resume,
    reasons,
    json,
    ...options
  }: EngineOptions & { folds: number; resume?: boolean; reasons?: RunOptions["reasons"]; json?: boolean },
  signal: AbortSignal,
): Promise<void> {
  const file = join(raw.out, FOLDS_FILE);
  await checkOutFile(file, { isOurs: isOfFormat(FOLDS_FORMAT), what: "the result of a cross-validation" });
  const engine = await selectEngine({ ...options, onNotice: showNotice });
  const { callbacks, bar } = trainingProgress();
  try {
    const result = await crossValidate(raw, {
      ...callbacks,
      ...{ engine, signal, folds, isResumed: resume, reasons },
      onFold: (fold) => {
        bar().clear();
        printNote(`fold ${fold} of ${folds}`);
      },
      onMeasured: (fold, done, count) => {
        bar().say(`measuring fold ${fold}`);
        bar().update(done / count, `measuring fold ${fold}, image ${done} of ${count}`);
      },
    });
    bar().clear();
    if (json) printJson(result);
    else printFolds(result, file);
  } finally {
    await engine.dispose();
  }
}

function printFolds({ dataset, runs, heads, intervals }: CrossValidation, file: string): void {
  const drawn = drawnText(intervals.drawn);
  const rows = Object.entries(heads).flatMap(([head, { count, metrics }]) =>
    Object.entries(metrics).map(([metric, { mean, deviation, pooled, interval }]) => [
      ...[head, metric, String(count), count === 0 ? "not evaluated" : cell(mean), cell(deviation), cell(pooled)],
      rangeText(interval),
    ]),
  );
  const title = ["head", "metric", "images", "mean", "deviation", "pooled", "95 % interval"];
  printLine(`${dataset.name}: ${dataset.count} images in ${runs.length} folds, each measured by a model without it`);
  printLine();
  for (const line of formatTable([title, ...rows])) printLine(line);
  printLine();
  printLine(`mean and deviation: over the folds; pooled: all images together, where scores need not be compared`);
  printLine(`intervals: of pooled, else of the mean; by drawing ${drawn} again and again (bootstrap)`);
  printLine(`written to ${file}`);
}
