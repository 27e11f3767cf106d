/**
 * Writes one COCO file: boxes, and masks as uncompressed runs. As in LVIS, `neg_category_ids` lists what is known to be
 * absent.
 */

import { type FileHandle, open } from "node:fs/promises";
import type { ExportedMark } from "./exported-sample.js";
import { runsAlong } from "./mask-runs.js";

export interface CocoCategory {
  readonly id: number;
  readonly name: string;
  readonly supercategory: "class" | "aspect";
}

export interface WrittenImage {
  /** Its path, as the file shall have it. */
  readonly name: string;
  readonly width: number;
  readonly height: number;
  /** Categories; others than those of the file are left out. */
  readonly absent: readonly string[];
  /** Further keys. */
  readonly more: object;
}

export interface CocoWriter {
  /** @returns its id. */
  addImage(image: WrittenImage): number;
  /** A category of the whole image. */
  addTag(imageId: number, category: string): Promise<void>;
  /** @param more further keys. */
  addMark(imageId: number, mark: ExportedMark, more?: object): Promise<void>;
  finish(): Promise<void>;
  /** Ends it as it is; nothing after `finish`. */
  close(): Promise<void>;
}

/** Annotations are written as they come; the images, which are small, stand behind them. */
export async function openCocoWriter(path: string, categories: readonly CocoCategory[]): Promise<CocoWriter> {
  const ids = new Map(categories.map(({ name, id }) => [name, id]));
  const file: FileHandle = await open(path, "w");
  await file.write(`{"categories":${JSON.stringify(categories)},\n"annotations":[`);
  const images: string[] = [];
  const sizes: { width: number; height: number }[] = [];
  let count = 0;
  let isOpen = true;
  const close = async () => {
    if (isOpen) await file.close();
    isOpen = false;
  };
  const write = async (imageId: number, category: string, more: object) => {
    const annotation = { id: ++count, image_id: imageId, category_id: ids.get(category), ...more };
    await file.write(`${count === 1 ? "" : ","}\n${JSON.stringify(annotation)}`);
  };
  return {
    addImage: ({ name, width, height, absent, more }) => {
      const id = images.length + 1;
      const negative = absent.flatMap((category) => ids.get(category) ?? []);
      images.push(JSON.stringify({ id, file_name: name, width, height, neg_category_ids: negative, ...more }));
      sizes.push({ width, height });
      return id;
    },
    addTag: (imageId, category) => write(imageId, category, {}),
    addMark: (imageId, mark, more = {}) =>
      write(imageId, mark.category, { ...placeOf(mark, sizes[imageId - 1]), ...more }),
    finish: async () => {
      await file.write(`],\n"images":[\n${images.join(",\n")}]}\n`);
      await close();
    },
    close,
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
