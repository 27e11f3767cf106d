/** Explains many images and writes what is said of each into it, and all of it into files for annotation tools. */

import { rm } from "node:fs/promises";
import { join } from "node:path";
import { annotateImage } from "../annotate/annotate-image.js";
import { categoriesOf, predictedImage } from "../annotate/predicted-image.js";
import type { ExplainedImage, Explainer } from "../bundle/explainer.js";
import { type InputError, InterruptedError } from "../core/errors.js";
import { makeFolder, refused, temporaryName } from "../core/files.js";
import { openPredictions, type PredictionFiles, type PredictionWriter } from "../dataset/formats/predictions.js";
import { openImage } from "../dataset/open-image.js";
import type { AnnotatedPlaces } from "./annotated-places.js";
import { showNotice } from "./engine-options.js";
import { type ExplanationSummary, summaryOf } from "./explanation-summary.js";
import { progressBar } from "./progress.js";
import { concernsOneImage } from "./results.js";

/** Beside the images. */
const FILES = { coco: "coco.json", tasks: "label-studio.json", config: "label-studio.xml" } as const;

export interface AnnotatedImages {
  readonly annotated: number;
  /** Of these, those that said the same already. */
  readonly unchanged: number;
  /** Paths of the files that describe all images. */
  readonly files: Partial<PredictionFiles>;
  readonly summary: ExplanationSummary;
}

/**
 * Annotates all images that can be, one after another.
 *
 * @param options.onFailure gets the path and the error of each other.
 * @throws InputError where results cannot be written; InterruptedError where the signal aborts: all images are whole.
 */
export async function annotateImages(
  explainer: Explainer,
  images: readonly string[],
  { places, onFailure }: { places: AnnotatedPlaces; onFailure: (image: string, error: InputError) => void },
  signal: AbortSignal,
): Promise<AnnotatedImages> {
  const bar = progressBar("annotating");
  const summary = summaryOf();
  const model = explainer.description.name;
  const names = categoriesOf(explainer.spec.heads);
  const { folder } = places;
  await folder?.check(Object.values(FILES));
  if (folder) await makeFolder(folder.path);
  const inFolder = (name: string) => temporaryName(join(folder?.path ?? "", name));
  const temporary = { coco: inFolder(FILES.coco), tasks: inFolder(FILES.tasks), config: inFolder(FILES.config) };
  const described = async <Result>(work: Promise<Result> | undefined): Promise<Result | undefined> => {
    try {
      return await work;
    } catch (cause) {
      throw refused(join(folder?.path ?? "", FILES.coco), cause);
    }
  };
  let predictions: PredictionWriter | undefined;
  const annotate = async (image: string, explained: ExplainedImage): Promise<boolean> => {
    let size = { width: explained.width, height: explained.height };
    const isNew = await places.put(image, async (bytes) => {
      // Of an explanation of the middle square, the size is that of the square.
      if (explained.explanation.crop) size = await openImage(bytes, { name: image });
      return annotateImage(bytes, explained.explanation, { name: image, model });
    });
    const said = predictions && predictedImage(explained, { path: places.nameOf(image), ...size, names });
    await described(said && predictions?.add(said));
    return isNew;
  };
  let [done, annotated, unchanged] = [0, 0, 0];
  try {
    if (folder) predictions = await described(openPredictions(temporary, { names, model }));
    for await (const outcome of explainer.explainAll(images, { signal })) {
      if (signal.aborted)
        throw new InterruptedError(`interrupted after ${done} of ${images.length} images; all files are whole.`);
      const image = outcome.image as string;
      bar.update(++done / images.length, image);
      const fail = (error: InputError) => {
        bar.clear();
        onFailure(image, error);
      };
      if ("error" in outcome) {
        fail(outcome.error);
        continue;
      }
      const { explained } = outcome;
      try {
        if (!(await annotate(image, explained))) unchanged++;
      } catch (error) {
        if (!concernsOneImage(error)) throw error;
        fail(error);
        continue;
      }
      annotated++;
      summary.add(explained.explanation);
      if (explained.note) {
        bar.clear();
        showNotice(explained.note);
      }
    }
    await described(predictions?.finish());
    if (folder)
      for (const [key, name] of Object.entries(FILES))
        await folder.write(name, { [name]: { from: temporary[key as keyof typeof FILES] } });
  } finally {
    bar.clear();
    await predictions?.close();
    if (folder) for (const file of Object.values(temporary)) await rm(file, { force: true });
  }
  const files = folder
    ? Object.fromEntries(Object.entries(FILES).map(([key, name]) => [key, join(folder.path, name)]))
    : {};
  return { annotated, unchanged, files, summary };
}
