/**
 * Explains many images: writes their files and prints a table for each, or, for many images, a line each and a summary.
 */

import { join } from "node:path";
import type { ExplainedImage, Explainer, Outcome } from "../bundle/explainer.js";
import { type InputError, InterruptedError } from "../core/errors.js";
import { inTurn } from "../core/in-turn.js";
import type { Explanation } from "../explain/explanation.js";
import type { Target } from "../explain/target.js";
import { openDrawer } from "../pictures/drawing-threads.js";
import { type ExplanationFiles, jsonFile } from "../pictures/explanation-files.js";
import { explanationTable, showsColours } from "../pictures/explanation-table.js";
import type { Shape } from "../pictures/shown-image.js";
import { showNotice } from "./engine-options.js";
import { summaryOf } from "./explanation-summary.js";
import { printColoured, printJson, printLine } from "./output.js";
import { progressBar } from "./progress.js";
import { concernsOneImage, type Results } from "./results.js";
import type { Skipped } from "./skipped-images.js";

/** Longer side of the picture that overlays show, pixels. */
const PICTURE_SIZE = 400;
/** Explanations that are drawn at a time; each holds a few megabytes. */
const AHEAD = 4;
/** If there are more explanations, each gets a line instead of a table. */
const MOST_TABLES = 5;

export interface ExplainImagesOptions {
  readonly results: Results;
  /** Collects the errors of images that cannot be explained. */
  readonly skipped: Skipped;
  readonly targets?: readonly Target[];
  readonly maskSize?: "image" | "model";
  /** `false`: the JSON alone is written, without overlay and masks. */
  readonly pictures?: boolean;
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
  {
    results: { folder, stem },
    skipped,
    targets,
    maskSize,
    pictures: hasPictures = true,
    interval = false,
    json = false,
  }: ExplainImagesOptions,
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
    ...(hasPictures && { pictureSize: PICTURE_SIZE }),
    signal,
  };
  const drawer = openDrawer();
  const draw = async (outcome: Outcome): Promise<Drawn> => {
    const path = outcome.image as string;
    if ("error" in outcome) return { path, error: outcome.error };
    const explained = hasPictures ? outcome.explained : withoutMasks(outcome.explained);
    const own = stem(path, explained.explanation.target);
    if (!hasPictures) return { path, explained, own, files: jsonFile(explained, own) };
    const how = { image: explained.picture ?? path, shape: shapeOf(explained), stem: own, maskSize };
    return { path, explained, own, files: await drawer.draw(explained, how) };
  };
  try {
    for await (const drawn of inTurn(explainer.explainAll(images, asked), draw, { ahead: AHEAD })) {
      if (signal.aborted)
        throw new InterruptedError(
          `interrupted after ${done} of ${count} explanations; all files in ${folder.path} are complete.`,
        );
      const { path } = drawn;
      const fail = (error: InputError) => {
        bar.clear();
        // An image that cannot be read fails in the same way for every class.
        if (!failed.has(path)) skipped.add(error);
        failed.add(path);
      };
      bar.update(++done / count, path);
      if ("error" in drawn) {
        fail(drawn.error);
        continue;
      }
      const { explained, own, files } = drawn;
      try {
        await folder.write(own, files);
      } catch (error) {
        if (!concernsOneImage(error)) throw error;
        fail(error);
        continue;
      }
      summary.add(explained.explanation);
      bar.clear();
      if (explained.note && !noted.has(path)) showNotice(explained.note);
      noted.add(path);
      show(explained.explanation, { json, isShort: count > MOST_TABLES });
    }
  } finally {
    await drawer.dispose();
  }
  bar.clear();
  if (json || summary.count === 0) return;
  if (count > MOST_TABLES) for (const line of summary.lines({ skipped: skipped.count })) printLine(line);
  printLine(`${hasPictures ? "overlays, masks and JSON" : "JSON"}: ${join(folder.path, hasPictures ? "*" : "*.json")}`);
}

/** What is to be written of an image, or why nothing is. */
type Drawn =
  | { readonly path: string; readonly error: InputError }
  | {
      readonly path: string;
      readonly explained: ExplainedImage;
      readonly own: string;
      readonly files: ExplanationFiles;
    };

/** An explanation whose masks are not written names none. */
function withoutMasks(explained: ExplainedImage): ExplainedImage {
  const { explanation } = explained;
  const aspects = explanation.aspects.map((aspect) =>
    aspect.mask === undefined ? aspect : { ...aspect, mask: null, survivalMap: null },
  );
  return { ...explained, explanation: { ...explanation, aspects } };
}

function shapeOf({ width, height }: ExplainedImage): Shape {
  return { width, height };
}

function show(explanation: Explanation, { json, isShort }: { json: boolean; isShort: boolean }): void {
  if (json) printJson(explanation);
  else if (isShort) printLine(`${explanation.image}: ${explanation.headline.text}`);
  else {
    printColoured(explanationTable(explanation, { colours: showsColours(process.stdout) }));
    printLine();
  }
}
