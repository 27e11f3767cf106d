/** `aspectlens explain --compare`: one image explained by every method, side by side. */

import { join } from "node:path";
import { openExplainer } from "../../bundle/explainer.js";
import { type LoadedImage, loadImage } from "../../bundle/image-source.js";
import type { Bundle } from "../../bundle/read-bundle.js";
import { InputError, InterruptedError } from "../../core/errors.js";
import { comparisonFile } from "../../core/result-file-names.js";
import { sidesOf } from "../../core/size.js";
import type { Explained } from "../../explain/explanation.js";
import { allowsCam } from "../../explain/graph/explained-taps.js";
import { SALIENCY_NAMES } from "../../explain/methods.js";
import type { Target } from "../../explain/target.js";
import { createModel } from "../../model/model.js";
import { imageSizes, type ModelSpec } from "../../model/model-spec.js";
import { comparisonSheet } from "../../pictures/comparison-sheet.js";
import { type DeviceOptions, showNotice } from "../engine-options.js";
import { printJson, printLine } from "../output.js";
import { progressBar } from "../progress.js";
import { concernsOneImage, type Results } from "../results.js";
import type { Skipped } from "../skipped-images.js";

/** The maps of all images are kept in memory until the last method has run. */
const MOST_IMAGES = 50;
const PICTURE_SIZE = 256;

interface CompareOptions extends DeviceOptions {
  readonly results: Results;
  readonly skipped: Skipped;
  readonly json?: boolean;
  readonly target?: Target;
}

/**
 * Writes `<stem>.compare.png` for each image that can be read.
 *
 * @param options.skipped collects the errors of the others.
 * @throws InputError if there are more than 50 images, or the sheets cannot be written.
 */
export async function compareImages(
  bundle: Bundle,
  paths: readonly string[],
  { results, skipped, json = false, target, threads, device }: CompareOptions,
  signal: AbortSignal,
): Promise<void> {
  if (paths.length > MOST_IMAGES)
    throw new InputError(`--compare: ${paths.length} images are too many.`, {
      cure: `Give at most ${MOST_IMAGES}.`,
    });
  const { model, saliency: own } = bundle.description;
  const images = await loadAll(paths, { model, skipped });
  if (images.length === 0) return;
  const isPossible = allowsCam(createModel(model));
  const methods = [own, ...SALIENCY_NAMES.filter((name) => name !== own && (name !== "cam" || isPossible))];
  const bar = progressBar("comparing");
  const rows: Explained[][] = [];
  try {
    for (const [index, saliency] of methods.entries()) {
      const explainer = await openExplainer(bundle, { threads, device, method: { saliency }, onNotice: showNotice });
      try {
        const explained: Explained[] = [];
        for (const image of images) {
          if (signal.aborted) throw new InterruptedError("interrupted; no sheet was written.");
          explained.push(await explainer.explain(image, { target, signal }));
          bar.update((index + explained.length / images.length) / methods.length, saliency);
        }
        rows.push(explained);
      } finally {
        await explainer.dispose();
      }
    }
  } finally {
    bar.clear();
  }
  for (const [index, image] of images.entries()) {
    const picture = image.picture ?? { ...sidesOf(model.trunk.inputSize), pixels: image.pixels };
    const byMethod = rows.map((explained) => explained[index]);
    const file = comparisonFile(results.stem(image.name));
    try {
      await results.folder.write(file, { [file]: await comparisonSheet(byMethod, picture, { shape: image }) });
    } catch (error) {
      if (!concernsOneImage(error)) throw error;
      skipped.add(error);
      continue;
    }
    if (json) for (const { explanation } of byMethod) printJson(explanation);
    else printLine(`${image.name}: ${join(results.folder.path, file)}`);
  }
}

async function loadAll(
  paths: readonly string[],
  { model, skipped }: { model: ModelSpec; skipped: Skipped },
): Promise<LoadedImage[]> {
  const { inputSize: size, otherSizes, centerCrop } = imageSizes(model);
  const images: LoadedImage[] = [];
  for (const path of paths) {
    try {
      images.push(await loadImage(path, { size, otherSizes, centerCrop, pictureSize: PICTURE_SIZE }));
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      skipped.add(error);
    }
  }
  return images;
}
