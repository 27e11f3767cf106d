/** JSON files of annotation tools, which hold many images and so may be large. */

import { DatasetError } from "../../core/errors.js";
import { parseJson } from "../../core/json.js";
import { readWhole } from "../../core/read-whole.js";

/** The longest text that Node holds. */
const LARGEST_JSON = 500_000_000;

/** @throws DatasetError in one line that names the file, and the line where it is known. */
export async function readJsonFile(file: string): Promise<unknown> {
  const bytes = await readWhole(file, { limit: LARGEST_JSON, ErrorClass: DatasetError });
  return parseJson(bytes, { where: file, file, error: DatasetError, cure: "Export it again." });
}
