/** `aspectlens explain --compare`: one image by every method, side by side. */

import { join } from "node:path";
import { openExplainer } from "../bundle/explainer.js";
import type { Bundle } from "../bundle/read-bundle.js";
import { InputError, InterruptedError } from "../core/errors.js";
import { writeFileAtomic } from "../core/files.js";
import { comparisonFile } from "../core/output-names.js";
import { decodeImage } from "../dataset/image.js";
import type { ClassTarget, Explained } from "../explain/explanation.js";
import { SALIENCY_NAMES } from "../explain/reading/pairs.js";
import { allowsCam } from "../explain/taps.js";
import { createModel } from "../model.js";
import { comparisonSheet } from "../report/comparison-sheet.js";
import { showNotice } from "./engine-options.js";
import { uniqueStems } from "./explain.js";
import { printJson, printLine } from "./output.js";
import { progressBar } from "./progress.js";

/** All their maps are held until the last method has run. */
const MOST_IMAGES = 50;
const PICTURE_SIZE = 256;

/**
 * Writes `<stem>.compare.png` for each image.
 *
 * @throws InputError where an image cannot be read, or there are more than 50; nothing is written then.
 */
export async function compareImages(
  bundle: Bundle,
  images: readonly string[],
  { out, json = false, target, ...options }: { out: string; json?: boolean; target?: ClassTarget },
  signal: AbortSignal,
): Promise<void> {
  if (images.length > MOST_IMAGES)
    throw new InputError(`--compare: ${images.length} images are too many for one go. Give at most ${MOST_IMAGES}.`);
  const stems = uniqueStems(images);
  const { model, saliency: own } = bundle.description;
  const isPossible = allowsCam(createModel(model));
  const methods = [own, ...SALIENCY_NAMES.filter((name) => name !== own && (name !== "cam" || isPossible))];
  const bar = progressBar("comparing");
  const rows: { method: string; explained: Explained[] }[] = [];
  try {
    for (const [index, saliency] of methods.entries()) {
      const explainer = await openExplainer(bundle, { ...options, method: { saliency }, onNotice: showNotice });
      try {
        const explained: Explained[] = [];
        for (const image of images) {
          if (signal.aborted) throw new InterruptedError("interrupted; no sheet was written.");
          explained.push(await explainer.explain(image, { target }));
          bar.update((index + explained.length / images.length) / methods.length, saliency);
        }
        rows.push({ method: saliency, explained });
      } finally {
        await explainer.dispose();
      }
    }
  } finally {
    bar.clear();
  }
  for (const [index, image] of images.entries()) {
    const decoded = await decodeImage(image, { size: PICTURE_SIZE });
    const picture = { width: PICTURE_SIZE, height: PICTURE_SIZE, pixels: decoded.image };
    const path = join(out, comparisonFile(stems(image)));
    const byMethod = rows.map(({ explained }) => explained[index]);
    await writeFileAtomic(path, await comparisonSheet(byMethod, picture, { shape: decoded }));
    if (json) for (const { explanation } of byMethod) printJson(explanation);
    else printLine(`${image}: ${path}`);
  }
}
