/** The first bytes of a file, by which a tool's export is recognized without reading all of it. */

import { open } from "node:fs/promises";
import { isUtf16 } from "../../core/json.js";

/** @returns its text; none where it cannot be read, which whoever reads it whole will say. */
export async function beginning(file: string, { bytes = 4096 }: { bytes?: number } = {}): Promise<string> {
  const handle = await open(file).catch(() => undefined);
  try {
    const found = await handle?.read(Buffer.alloc(bytes), 0, bytes, 0).catch(() => undefined);
    // What is UTF-16 is recognized too, so that whoever reads it can say what to do about it.
    const read = found?.buffer.subarray(0, found.bytesRead) ?? Buffer.alloc(0);
    return isUtf16(read)
      ? read
          .toString("latin1")
          .replaceAll("\0", "")
          .replace(/^[\u00fe\u00ff]+/, "")
      : read.toString("utf8");
  } finally {
    await handle?.close();
  }
}
