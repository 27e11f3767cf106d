/** `aspectlens train --compare-separate`: the joint run beside one run for each head alone. */

import { join } from "node:path";
import { isOfFormat } from "../../core/own-json.js";
import { formatTable } from "../../core/text-table.js";
import { selectEngine } from "../../engine/select-engine.js";
import type { RawConfig } from "../../train/config.js";
import { compareSeparate, type SeparateComparison } from "../../workflows/compare-separate.js";
import { SEPARATE_FILE, SEPARATE_FORMAT } from "../../workflows/folder-kind.js";
import type { RunOptions } from "../../workflows/train-run.js";
import { type EngineOptions, showNotice } from "../engine-options.js";
import { cell, drawnText, rangeText } from "../interval-text.js";
import { checkOutFile } from "../out-file.js";
import { printJson, printLine, printNote } from "../output.js";
import { trainingProgress } from "./train-progress.js";

export async function trainSeparate(
  raw: RawConfig,
  {
    resume,
    reasons,
    json,
    ...options
  }: EngineOptions & { resume?: boolean; reasons?: RunOptions["reasons"]; json?: boolean },
  signal: AbortSignal,
): Promise<void> {
  const file = join(raw.out, SEPARATE_FILE);
  await checkOutFile(file, { isOurs: isOfFormat(SEPARATE_FORMAT), what: "the result of such a comparison" });
  const engine = await selectEngine({ ...options, onNotice: showNotice });
  const { callbacks, bar } = trainingProgress();
  try {
    const result = await compareSeparate(raw, {
      ...callbacks,
      ...{ engine, signal, isResumed: resume, reasons },
      onRun: (head) => {
        bar().clear();
        printNote(head === undefined ? "all heads together" : `${head} alone`);
      },
      onMeasured: (done, count) => {
        bar().say("measuring");
        bar().update(done / count, `measuring, image ${done} of ${count}`);
      },
    });
    bar().clear();
    if (json) printJson(result);
    else for (const line of [...comparisonLines(result), `written to ${file}`]) printLine(line);
  } finally {
    await engine.dispose();
  }
}

/** The table of a comparison and what its columns mean. */
export function comparisonLines({ dataset, split, heads, intervals }: SeparateComparison): string[] {
  const rows = Object.entries(heads).map(([head, { metric, count, joint, separate, difference, interval }]) => [
    ...[head, metric, String(count), count === 0 ? "not evaluated" : cell(joint), cell(separate), cell(difference)],
    rangeText(interval),
  ]);
  const title = ["head", "metric", "images", "joint", "separate", "difference", "95 % interval"];
  const isAbsent = Object.values(heads).some(({ difference }) => difference === null);
  return [
    `${dataset.name}, ${split}: ${dataset.count} images`,
    "",
    ...formatTable([title, ...rows]),
    "",
    ...(isAbsent ? ["-: no labelled image of this split allows the metric"] : []),
    `intervals: of the difference, by drawing ${drawnText(intervals.drawn)} again and again (paired bootstrap)`,
  ];
}
