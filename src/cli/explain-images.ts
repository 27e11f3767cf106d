/**
 * Explains many images: writes their files and prints a table for each, or, for many images, a line each and a summary.
 */

import { join } from "node:path";
import type { Explainer } from "../bundle/explainer.js";
import { type InputError, InterruptedError } from "../core/errors.js";
import type { Explanation } from "../explain/explanation.js";
import type { Target } from "../explain/target.js";
import { explanationTable, showsColours } from "../pictures/explanation-table.js";
import { headlineText } from "../pictures/headline.js";
import { writeExplanation } from "../pictures/write-explanation.js";
import { showNotice } from "./engine-options.js";
import { summaryOf } from "./explanation-summary.js";
import { printColoured, printJson, printLine } from "./output.js";
import { progressBar } from "./progress.js";
import { concernsOneImage, type Results } from "./results.js";
import type { Skipped } from "./skipped-images.js";

/**
 * Side of the square to which the original is resized for the overlay, pixels; the overlay restores its aspect ratio.
 */
const PICTURE_SIZE = 512;
/** If there are more explanations, each gets a line instead of a table. */
const MOST_TABLES = 5;

export interface ExplainImagesOptions {
  readonly results: Results;
  /** Collects the errors of images that cannot be explained. */
  readonly skipped: Skipped;
  readonly targets?: readonly Target[];
  readonly maskSize?: "image" | "model";
  readonly interval?: boolean;
  readonly json?: boolean;
}

/**
 * Explains all images that can be read and writes their files.
 *
 * @throws InputError where the results cannot be written.
 */
export async function explainImages(
  explainer: Explainer,
  images: readonly string[],
  { results: { folder, stem }, skipped, targets, maskSize, interval = false, json = false }: ExplainImagesOptions,
  signal: AbortSignal,
): Promise<void> {
  const bar = progressBar("explaining");
  const count = images.length * (targets?.length ?? 1);
  const summary = summaryOf();
  const failed = new Set<string>();
  const noted = new Set<string>();
  let done = 0;
  const asked = {
    targets,
    stem: (image: unknown, target?: Target) => stem(image as string, target),
    hasInterval: interval,
    pictureSize: PICTURE_SIZE,
    signal,
  };
  for await (const outcome of explainer.explainAll(images, asked)) {
    if (signal.aborted)
      throw new InterruptedError(
        `interrupted after ${done} of ${count} explanations; all files in ${folder.path} are complete.`,
      );
    const path = outcome.image as string;
    const fail = (error: InputError) => {
      bar.clear();
      // An image that cannot be read fails in the same way for every class.
      if (!failed.has(path)) skipped.add(error);
      failed.add(path);
    };
    bar.update(++done / count, path);
    if ("error" in outcome) {
      fail(outcome.error);
      continue;
    }
    const { explained } = outcome;
    const { picture: pixels = new Uint8Array(), explanation } = explained;
    const image = { width: PICTURE_SIZE, height: PICTURE_SIZE, pixels };
    const own = stem(path, explanation.target);
    try {
      await writeExplanation(explained, { image, shape: explained, folder, stem: own, maskSize });
    } catch (error) {
      if (!concernsOneImage(error)) throw error;
      fail(error);
      continue;
    }
    summary.add(explanation);
    bar.clear();
    if (explained.note && !noted.has(path)) showNotice(explained.note);
    noted.add(path);
    show(explanation, { json, isShort: count > MOST_TABLES });
  }
  bar.clear();
  if (json || summary.count === 0) return;
  if (count > MOST_TABLES) for (const line of summary.lines({ skipped: skipped.count })) printLine(line);
  printLine(`overlays, masks and JSON: ${join(folder.path, "*")}`);
}

function show(explanation: Explanation, { json, isShort }: { json: boolean; isShort: boolean }): void {
  if (json) printJson(explanation);
  else if (isShort) printLine(`${explanation.image}: ${headlineText(explanation)}`);
  else {
    printColoured(explanationTable(explanation, { colours: showsColours(process.stdout) }));
    printLine();
  }
}
