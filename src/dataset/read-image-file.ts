/**
 * The bytes of an image file: `core/read-whole.ts` with the limit of images, and the refusal of formats that are not
 * read.
 */

import { ImageError } from "../core/errors.js";
import { LIMITS } from "../core/limits.js";
import { readWhole } from "../core/read-whole.js";
import { imageFormat } from "./image-format.js";

/** @throws ImageError if it is absent, not a file, empty, too large, or of an unknown format. */
export async function readImageFile(
  path: string,
  { name = path, allowPipe, signal }: { name?: string; allowPipe?: boolean; signal?: AbortSignal } = {},
): Promise<Uint8Array> {
  const limit = LIMITS.imageFileBytes;
  const bytes = await readWhole(path, { name, allowPipe, signal, limit, ErrorClass: ImageError });
  imageFormat(bytes, name);
  return bytes;
}
