/**
 * COCO: for each split `instances_<split>.json` with boxes and masks (uncompressed RLE), and `labels_<split>.json` with
 * the categories of whole images. As in LVIS, `neg_category_ids` lists what is known to be absent.
 */

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Split } from "../record.js";
import { openCocoWriter } from "./coco-writer.js";
import type { ExportFormat, ExportWriter, MarkNames } from "./export-writer.js";
import type { ExportedSample } from "./exported-sample.js";

export const COCO_EXPORT: ExportFormat = {
  tool: "coco",
  saysAbsent: true,
  cannotSay: {},
  imagePath: ({ name }) => `images/${name}`,
  open: async (folder, names) => {
    await mkdir(join(folder, "annotations"));
    const files = new Map<string, CocoFile>();
    const fileOf = async (kind: "instances" | "labels", split: Split) => {
      const path = join(folder, "annotations", `${kind}_${split}.json`);
      const known = files.get(path) ?? (await openFile(path, { kind, names }));
      files.set(path, known);
      return known;
    };
    const hasMarks = names.boxes.length + names.masks.length > 0;
    return {
      add: async (sample) => {
        if (hasMarks || names.tags.length === 0) await (await fileOf("instances", sample.split)).add(sample);
        if (names.tags.length > 0) await (await fileOf("labels", sample.split)).add(sample);
      },
      finish: async () => {
        for (const file of files.values()) await file.finish();
      },
    };
  },
};

type CocoFile = Pick<ExportWriter, "finish"> & { add(sample: ExportedSample): Promise<void> };

/** Of all categories those that this kind of file holds, each with the same number in both. */
async function openFile(
  path: string,
  { kind, names }: { kind: "instances" | "labels"; names: MarkNames },
): Promise<CocoFile> {
  const own = kind === "labels" ? names.tags : [...names.masks, ...names.boxes];
  const classes = new Set(names.classes.values());
  const categories = [...names.masks, ...names.boxes, ...names.tags].map((name, at) => ({
    ...{ id: at + 1, name },
    supercategory: classes.has(name) ? ("class" as const) : ("aspect" as const),
  }));
  const writer = await openCocoWriter(
    path,
    categories.filter(({ name }) => own.includes(name)),
  );
  return {
    add: async ({ name, width, height, groups, tags, marks, absent }) => {
      const hasGroups = Object.keys(groups).length > 0;
      const id = writer.addImage({ name, width, height, absent, more: hasGroups ? { groups } : {} });
      if (kind === "labels") for (const tag of tags) await writer.addTag(id, tag);
      else for (const mark of marks) await writer.addMark(id, mark);
    },
    finish: () => writer.finish(),
  };
}
