/** Many images explained one after another: their files, a table for few, a line each and a summary for many. */

import { join } from "node:path";
import type { Explainer } from "../bundle/explainer.js";
import { InputError, InterruptedError } from "../core/errors.js";
import { comparisonFile, explanationFiles } from "../core/result-file-names.js";
import { openResultFolder, type ResultFolder } from "../core/result-folder.js";

import type { Explanation } from "../explain/explanation.js";
import type { Target } from "../explain/target.js";
import type { ModelSpec } from "../model/model.js";
import { explanationTable, showsColours } from "../pictures/explanation-table.js";
import { headlineText } from "../pictures/headline.js";
import { writeExplanation } from "../pictures/write-explanation.js";
import { showNotice } from "./engine-options.js";
import { summaryOf } from "./explanation-summary.js";
import { uniqueStems } from "./file-stems.js";
import { printColoured, printJson, printLine } from "./output.js";
import { progressBar } from "./progress.js";
import type { Skipped } from "./skipped.js";
import { chooseFonts } from "./text-fonts.js";

/** Side to which the original is squeezed for the picture, pixels; the picture gives it its shape back. */
const PICTURE_SIZE = 512;
/** More explanations get a line each instead of a table. */
const MOST_TABLES = 5;

/** Where results go, and how they are called. */
export interface Results {
  readonly folder: ResultFolder;
  readonly stem: (image: string, target?: Target) => string;
}

/**
 * Looks before the work whether all files can be written, and chooses the fonts of their texts.
 *
 * @param options.inputs what is read beside the images.
 * @throws InputError where a file of somebody else, or an input, would be lost.
 */
export async function prepareResults(
  images: readonly string[],
  {
    out,
    spec,
    targets,
    inputs = [],
    isCompared = false,
  }: {
    out: string;
    spec: ModelSpec;
    targets?: readonly Target[];
    inputs?: readonly string[];
    isCompared?: boolean;
  },
): Promise<Results> {
  chooseFonts(spec);
  const folder = await openResultFolder(out, { inputs: [...inputs, ...images] });
  const several = targets && targets.length > 1 ? targets : undefined;
  const pixelAspects = spec.heads
    .filter((head) => head.kind === "segmentation" || (head.kind === "amount" && head.form === "map"))
    .map(({ name }) => name);
  const stems = uniqueStems(images, { targets: several, pixelAspects });
  const stem: Results["stem"] = (image, target) => stems(image, several && target);
  const names = function* () {
    for (const image of images) {
      if (isCompared) yield comparisonFile(stem(image));
      else for (const target of several ?? [undefined]) yield* explanationFiles(stem(image, target), pixelAspects);
    }
  };
  await folder.check(names());
  return { folder, stem };
}

export interface ExplainImagesOptions {
  readonly results: Results;
  /** Gets what is wrong with the images that cannot be explained. */
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
        `interrupted after ${done} of ${count} explanations; what is in ${folder.path} is whole.`,
      );
    const path = outcome.image as string;
    const fail = (error: InputError) => {
      bar.clear();
      // Of one image that cannot be read, the same for every class.
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
  printLine(`pictures, masks and JSON: ${join(folder.path, "*")}`);
}

function show(explanation: Explanation, { json, isShort }: { json: boolean; isShort: boolean }): void {
  if (json) printJson(explanation);
  else if (isShort) printLine(`${explanation.image}: ${headlineText(explanation)}`);
  else {
    printColoured(explanationTable(explanation, { colours: showsColours(process.stdout) }));
    printLine();
  }
}

/**
 * Its name is too long, or a file of somebody else has come into its place: other images can be written all the same.
 */
export function concernsOneImage(error: unknown): error is InputError {
  if (!(error instanceof InputError)) return false;
  return error.cause === undefined || (error.cause as NodeJS.ErrnoException).code === "ENAMETOOLONG";
}
