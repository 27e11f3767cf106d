/**
 * COCO: for each split `instances_<split>.json` with boxes and masks (uncompressed RLE), and `labels_<split>.json` with
 * the categories of whole images. As in LVIS, `neg_category_ids` lists what is known to be absent.
 */

import { type FileHandle, mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import type { Split } from "../record.js";
import type { ExportFormat, ExportWriter, MarkNames } from "./export-writer.js";
import type { ExportedMark, ExportedSample } from "./exported-sample.js";
import { runsAlong } from "./mask-runs.js";

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

/** Annotations are written as they come; the images, which are small, stand behind them. */
async function openFile(
  path: string,
  { kind, names }: { kind: "instances" | "labels"; names: MarkNames },
): Promise<CocoFile> {
  const categories = [...names.masks, ...names.boxes, ...names.tags];
  const ids = new Map(categories.map((name, at) => [name, at + 1]));
  const own = kind === "labels" ? names.tags : [...names.masks, ...names.boxes];
  const classes = new Set(names.classes.values());
  const declared = own.map((name) => ({
    ...{ id: ids.get(name), name },
    supercategory: classes.has(name) ? "class" : "aspect",
  }));
  const file: FileHandle = await open(path, "w");
  await file.write(`{"categories":${JSON.stringify(declared)},\n"annotations":[`);
  const images: string[] = [];
  let count = 0;
  const write = async (annotation: object) => {
    await file.write(`${count === 0 ? "" : ","}\n${JSON.stringify({ id: ++count, ...annotation })}`);
  };
  return {
    add: async ({ name, width, height, groups, tags, marks, absent }) => {
      const id = images.length + 1;
      const negative = absent.filter((category) => own.includes(category)).map((category) => ids.get(category));
      const hasGroups = Object.keys(groups).length > 0;
      images.push(
        JSON.stringify({
          ...{ id, file_name: name, width, height, neg_category_ids: negative },
          ...(hasGroups && { groups }),
        }),
      );
      const about = (category: string) => ({ image_id: id, category_id: ids.get(category) });
      if (kind === "labels") for (const tag of tags) await write(about(tag));
      else for (const mark of marks) await write({ ...about(mark.category), ...placeOf(mark, { width, height }) });
    },
    finish: async () => {
      await file.write(`],\n"images":[\n${images.join(",\n")}]}\n`);
      await file.close();
    },
  };
}

/** Regions to ignore are crowds, which have an outline even where they are boxes. */
function placeOf(mark: ExportedMark, size: { width: number; height: number }): object {
  const iscrowd = mark.isIgnored ? 1 : 0;
  if (mark.kind === "mask") {
    const { box, area } = extentOf(mark.pixels, size);
    return { segmentation: columnRuns(mark.pixels, size), bbox: box, area, iscrowd };
  }
  const { x, y, width, height } = mark;
  const outline = [x, y, x + width, y, x + width, y + height, x, y + height];
  const bbox = [x, y, width, height];
  return { segmentation: mark.isIgnored ? [outline] : [], bbox, area: width * height, iscrowd };
}

/** Runs go down the columns, zeros first. */
function columnRuns(pixels: Uint8Array, { width, height }: { width: number; height: number }) {
  const isSet = (at: number) => pixels[(at % height) * width + Math.floor(at / height)] === 1;
  return { size: [height, width], counts: [...runsAlong(width * height, isSet)] };
}

function extentOf(pixels: Uint8Array, { width, height }: { width: number; height: number }) {
  let [left, top, right, bottom, area] = [width, height, 0, 0, 0];
  for (let at = 0; at < pixels.length; at++) {
    if (pixels[at] === 0) continue;
    const [x, y] = [at % width, Math.floor(at / width)];
    [left, top, right, bottom] = [Math.min(left, x), Math.min(top, y), Math.max(right, x + 1), Math.max(bottom, y + 1)];
    area++;
  }
  return { box: [left, top, right - left, bottom - top], area };
}
