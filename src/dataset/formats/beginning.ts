/** The first bytes of a file, by which a tool's export is recognized without reading all of it. */

import { open } from "node:fs/promises";

/** @returns its text; none where it cannot be read, which whoever reads it whole will say. */
export async function beginning(file: string, { bytes = 4096 }: { bytes?: number } = {}): Promise<string> {
  const handle = await open(file).catch(() => undefined);
  try {
    const found = await handle?.read(Buffer.alloc(bytes), 0, bytes, 0).catch(() => undefined);
    return found?.buffer.toString("utf8", 0, found.bytesRead) ?? "";
  } finally {
    await handle?.close();
  }
}
