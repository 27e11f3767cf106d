/** Small files of a test, in a new folder. */

import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { encode } from "fast-png";

export function writeFiles(files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = mkdtempSync(join(tmpdir(), "files-"));
  for (const [name, data] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), data);
  }
  return folder;
}

/** A PNG of one channel; values that are not given are 0. */
export function greyPng(width: number, height: number, values: readonly number[] = []): Uint8Array {
  const data = Uint8Array.from({ length: width * height }, (_, at) => values[at] ?? 0);
  return encode({ width, height, channels: 1, depth: 8, data });
}
