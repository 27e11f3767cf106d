/** Where the results of many images are written: names of the files, fonts of their texts, errors of one image alone. */

import { InputError } from "../core/errors.js";
import { comparisonFile, explanationFile, explanationFiles } from "../core/result-file-names.js";
import { openResultFolder, type ResultFolder } from "../core/result-folder.js";
import type { Target } from "../explain/target.js";
import type { ModelSpec } from "../model/model-spec.js";
import { uniqueStems } from "./file-stems.js";
import { chooseFonts } from "./text-fonts.js";

/** Where results are written, and the names of their files. */
export interface Results {
  readonly folder: ResultFolder;
  readonly stem: (image: string, target?: Target) => string;
}

/**
 * Checks before the work starts that all files can be written, and chooses the fonts of their texts.
 *
 * @param options.inputs other files that are read, such as the bundle.
 * @throws InputError if a file that this tool did not make, or an input, would be overwritten.
 */
export async function prepareResults(
  images: readonly string[],
  {
    out,
    spec,
    targets,
    inputs = [],
    isCompared = false,
    hasPictures = true,
  }: {
    out: string;
    spec: ModelSpec;
    targets?: readonly Target[];
    inputs?: readonly string[];
    isCompared?: boolean;
    hasPictures?: boolean;
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
      else
        for (const target of several ?? [undefined]) {
          const own = stem(image, target);
          if (hasPictures) yield* explanationFiles(own, pixelAspects);
          else yield explanationFile(own);
        }
    }
  };
  await folder.check(names());
  return { folder, stem };
}

/**
 * True where the error concerns one image alone (its name is too long, or its file now exists and is not ours): the
 * others can still be written.
 */
export function concernsOneImage(error: unknown): error is InputError {
  if (!(error instanceof InputError)) return false;
  return error.cause === undefined || (error.cause as NodeJS.ErrnoException).code === "ENAMETOOLONG";
}
