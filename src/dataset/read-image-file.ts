/** Reads the bytes of an image file, whole, and tells its format. */

import { ImageError } from "../core/errors.js";
import { LIMITS } from "../core/limits.js";
import { readWhole } from "../core/read-whole.js";
import { imageFormat } from "./image-format.js";

/** @throws ImageError where it is absent, no file, empty, too large, or a format that is not read. */
export async function readImageFile(
  path: string,
  { label = path, allowPipe, signal }: { label?: string; allowPipe?: boolean; signal?: AbortSignal } = {},
): Promise<Uint8Array> {
  const bytes = await readWhole(path, {
    label,
    allowPipe,
    signal,
    limit: LIMITS.imageFileBytes,
    ErrorClass: ImageError,
  });
  imageFormat(bytes, label);
  return bytes;
}
