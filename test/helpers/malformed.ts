/** What a reader says of a malformed export. */

import { expect } from "vitest";
import { readAnnotations } from "../../src/dataset/formats/tools.js";
import { writeFiles } from "./write-files.js";

/** Reads all of an export whose files are given, and expects one line that fits. */
export async function expectRefusal(
  files: Readonly<Record<string, string | Uint8Array>>,
  { from, message }: { from: string; message: RegExp },
): Promise<void> {
  const read = async () => {
    const { images } = await readAnnotations(writeFiles(files), { from });
    for (const image of images) await image.annotations();
  };
  const error = await read().then(
    () => undefined,
    (reason: Error) => reason,
  );
  expect(error?.name).toMatch(/^(DatasetError|ImageError)$/);
  expect(error?.message).toMatch(message);
  expect(error?.message).not.toContain("\n");
  // The cure is a sentence of its own.
  expect(error?.message).toMatch(/\. [A-Z][^.]*.*\.$|: ffmpeg .*$/);
}

/** The same with every run of a mask as a list, so that it can be compared. */
export function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_, item) => (item instanceof Uint32Array ? [...item] : item)));
}
