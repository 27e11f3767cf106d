/** Which annotation tools' exports are read, and which tool a file or folder comes from. */

import { DatasetError } from "../../core/errors.js";
import { exists } from "../../core/files.js";
import type { AnnotatedSet, AnnotationReader, ReadOptions } from "./annotated-set.js";
import { COCO } from "./coco.js";
import { CSV } from "./csv.js";
import { CVAT } from "./cvat.js";
import { FOLDERS } from "./folders.js";
import { LABEL_STUDIO } from "./label-studio.js";
import { LABELME } from "./labelme.js";
import { MASKS } from "./masks.js";
import { VOC } from "./voc.js";
import { YOLO } from "./yolo.js";

/** One line a tool; where several recognize a source, the user has to say. */
const READERS: readonly AnnotationReader[] = [COCO, VOC, YOLO, CVAT, LABEL_STUDIO, LABELME, FOLDERS, MASKS, CSV];

export const TOOLS: readonly string[] = READERS.map(({ tool }) => tool);

/**
 * Reads an export.
 *
 * @param options.from one of `TOOLS`; else it is guessed.
 * @throws DatasetError in one line that names the file, the place and the cure.
 */
export async function readAnnotations(
  source: string,
  { from, ...options }: ReadOptions & { from?: string } = {},
): Promise<AnnotatedSet> {
  if (!(await exists(source)))
    throw new DatasetError(`${source}: no such file or folder.`, { cure: "Check the path." });
  const reader = from === undefined ? await guess(source) : READERS.find(({ tool }) => tool === from);
  if (!reader) throw new DatasetError(`--from ${from}: unknown.`, { cure: `Known: ${TOOLS.join(", ")}.` });
  return reader.read(source, options);
}

async function guess(source: string): Promise<AnnotationReader> {
  const fitting: AnnotationReader[] = [];
  for (const reader of READERS) if (await reader.recognizes(source)) fitting.push(reader);
  if (fitting.length === 1) return fitting[0];
  const names = fitting.map(({ tool }) => tool);
  throw new DatasetError(
    `${source}: ${names.length === 0 ? "is of no tool that is known" : `may be of ${names.join(" or ")}`}.`,
    { cure: `Say which with --from (${(names.length === 0 ? TOOLS : names).join(", ")}).` },
  );
}
