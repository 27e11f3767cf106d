/** The size of an image of an export, read from the file's header. */

import { stat } from "node:fs/promises";
import { ImageError } from "../../core/errors.js";
import { visible } from "../../core/terminal.js";
import { openImage } from "../open-image.js";
import type { AnnotatedImage } from "./annotated-set.js";

type Named = Pick<AnnotatedImage, "path" | "name">;

/**
 * @param source the export, named in messages.
 * @returns width and height of the upright image, pixels.
 * @throws ImageError where the file is absent or cannot be read.
 */
export async function imageSize(image: Named, source: string): Promise<{ width: number; height: number }> {
  const { path, name } = image;
  const found = await stat(path).catch(() => undefined);
  if (!found)
    throw new ImageError(`${source}: the image ${JSON.stringify(name)} is absent (${visible(path)}).`, {
      cure: "Name the folder of the images with --images, or leave such images out with --skip-bad.",
      file: path,
    });
  try {
    return await openImage(path);
  } catch (cause) {
    if (!(cause instanceof ImageError)) throw cause;
    const cure = [...(cause.cure ? [cause.cure] : []), "Or leave such images out with --skip-bad."].join(" ");
    throw new ImageError(cause.what, { cure, file: path, cause });
  }
}

/** @returns what `imageSize` would throw of a bad image; nothing of a good one. */
export async function imageFault(image: Named, source: string): Promise<ImageError | undefined> {
  return imageSize(image, source).then(
    () => undefined,
    (error: unknown) => {
      if (error instanceof ImageError) return error;
      throw error;
    },
  );
}
