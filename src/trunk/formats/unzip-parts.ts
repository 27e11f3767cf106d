/** Unpacks some files of a zip, of a bounded size. */

import { unzipSync } from "fflate";
import { WeightsError } from "../../core/errors.js";

/** What is unpacked, and what is thrown else. */
export interface UnzipOptions {
  /** Most bytes that a file may unpack to, from those that it takes in the zip; `undefined` where it is not wanted. */
  readonly mostOf: (name: string, storedBytes: number) => number | undefined;
  /** Of a file that says it would unpack to more. */
  readonly tooLarge: (name: string, bytes: number, most: number) => WeightsError;
  readonly damaged: (cause: unknown) => WeightsError;
}

/** @returns the bytes of the wanted files that are there, by name. */
export function unzipParts(
  bytes: Uint8Array,
  { mostOf, tooLarge, damaged }: UnzipOptions,
): Readonly<Record<string, Uint8Array>> {
  try {
    return unzipSync(bytes, {
      filter: ({ name, size, originalSize }) => {
        const most = mostOf(name, size);
        if (most === undefined) return false;
        if (originalSize <= most) return true;
        throw tooLarge(name, originalSize, most);
      },
    });
  } catch (cause) {
    throw cause instanceof WeightsError ? cause : damaged(cause);
  }
}
