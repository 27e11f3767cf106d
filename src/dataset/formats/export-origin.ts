/** What an export was made of, written into its folder, so that no other export is put in its place. */

import { createHash } from "node:crypto";
import { readdir, readFile, realpath } from "node:fs/promises";
import { join } from "node:path";
import { DatasetError } from "../../core/errors.js";
import { writeJson } from "../../core/files.js";

/** Without an ending: readers look for `.json`. */
const ORIGIN_FILE = ".aspectlens-export";

export interface ExportOrigin {
  /** The tool. */
  readonly to: string;
  /** The dataset's name. */
  readonly name: string;
  /** SHA-256 of its folder's path, which is nobody else's business. */
  readonly place: string;
}

/** @param directory of the dataset. */
export async function exportOrigin(
  directory: string,
  { to, name }: { to: string; name: string },
): Promise<ExportOrigin> {
  return {
    to,
    name,
    place: createHash("sha256")
      .update(await realpath(directory))
      .digest("hex"),
  };
}

export async function writeOrigin(folder: string, origin: ExportOrigin): Promise<void> {
  await writeJson(join(folder, ORIGIN_FILE), origin);
}

/**
 * @param target an unchanged folder of ours, an empty one, or none.
 * @throws DatasetError where it is the export of another dataset or to another tool.
 */
export async function checkSameOrigin(target: string, out: string, { to, place }: ExportOrigin): Promise<void> {
  if ((await readdir(target).catch(() => [])).length === 0) return;
  const there = await readFile(join(target, ORIGIN_FILE), "utf8").then(parse, () => undefined);
  if (there?.to === to && there.place === place) return;
  const what = there?.place === place ? "this dataset" : `another dataset${there ? `, "${there.name}"` : ""}`;
  throw new DatasetError(`${out}: holds an export of ${what}${there ? `, to ${there.to}` : ""}.`, {
    cure: "Name another folder, or remove this one first.",
    file: target,
  });
}

/** @returns nothing where it is damaged. */
function parse(text: string): Partial<ExportOrigin> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
