/** Small text files of other tools: lists and labels. */

import { stat } from "node:fs/promises";
import { DatasetError } from "../../core/errors.js";
import { isUtf16 } from "../../core/json.js";
import { readWhole } from "../../core/read-whole.js";

const LARGEST_TEXT = 100_000_000;

/**
 * The text of a file, line feeds alone between its lines, without a byte-order mark.
 *
 * @throws DatasetError in one line that names the file and the cure.
 */
export async function readText(
  file: string,
  { mayBeEmpty = false, limit = LARGEST_TEXT }: { mayBeEmpty?: boolean; limit?: number } = {},
): Promise<string> {
  if (mayBeEmpty && (await stat(file).catch(() => undefined))?.size === 0) return "";
  const bytes = await readWhole(file, { limit, ErrorClass: DatasetError });
  if (isUtf16(bytes)) throw new DatasetError(`${file}: is UTF-16.`, { cure: "Save it as UTF-8.", file });
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes).replace(/\r\n?/g, "\n");
  } catch (cause) {
    throw new DatasetError(`${file}: is not UTF-8 text.`, { cure: "Save it as UTF-8.", cause, file });
  }
}
