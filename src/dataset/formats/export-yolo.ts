/** YOLO: `data.yaml`, and beside each image a text file of boxes, or of polygons where any aspect has masks. */

import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { stringify } from "yaml";
import type { Split } from "../record.js";
import type { ExportFormat } from "./export-writer.js";
import type { ExportedMark } from "./exported-sample.js";
import { outlinesOf } from "./outlines.js";

const FOLDERS: Readonly<Record<Split, string>> = { train: "train", validation: "val", test: "test" };

export const YOLO_EXPORT: ExportFormat = {
  tool: "yolo",
  saysAbsent: false,
  cannotSay: {
    void: "regions that are neither",
    groups: "groups",
    unlabelled: "that something is unlabelled: it counts as absent there",
    tags: "classes and presence of whole images",
  },
  imagePath: ({ name, split }) => `images/${FOLDERS[split]}/${name}`,
  open: async (folder, { boxes, masks }) => {
    const names = [...masks, ...boxes];
    const used = new Set<Split>();
    return {
      add: async ({ split, marks, width, height }, path) => {
        used.add(split);
        const lines = marks
          .filter(({ isIgnored }) => !isIgnored)
          .flatMap((mark) =>
            rowsOf(mark, { width, height, isPolygons: masks.length > 0 }).map(
              (row) => `${names.indexOf(mark.category)} ${row}`,
            ),
          );
        const file = join(folder, path.replace(/^images\//, "labels/").replace(/\.[^./]*$/, ".txt"));
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, lines.map((line) => `${line}\n`).join(""));
      },
      finish: async () => {
        const places = [...used].map((split) => [FOLDERS[split], `images/${FOLDERS[split]}`]);
        // Trainers ask for both, whether there are such images or not.
        const train = used.has("train") ? {} : { train: "images/train" };
        const val = used.has("validation") ? {} : { val: "images/val" };
        const all: Record<string, string> = { ...train, ...val, ...Object.fromEntries(places) };
        for (const path of Object.values(all)) await mkdir(join(folder, path), { recursive: true });
        await writeFile(join(folder, "data.yaml"), stringify({ path: ".", ...all, names: { ...names } }));
      },
    };
  },
};

/** Boxes as centre and size, or as four corners: one row of more numbers makes the whole file polygons. */
function rowsOf(
  mark: ExportedMark,
  { width, height, isPolygons }: { width: number; height: number; isPolygons: boolean },
): string[] {
  const share = (value: number, whole: number) => String(Number((value / whole).toFixed(8)));
  const points = (outline: readonly (readonly [number, number])[]) =>
    outline.map(([x, y]) => `${share(x, width)} ${share(y, height)}`).join(" ");
  if (mark.kind === "mask") return outlinesOf(mark.pixels, { width, height }).map(points);
  const [left, top, right, bottom] = [mark.x, mark.y, mark.x + mark.width, mark.y + mark.height];
  if (isPolygons)
    return [
      points([
        [left, top],
        [right, top],
        [right, bottom],
        [left, bottom],
      ]),
    ];
  const centre = points([[(left + right) / 2, (top + bottom) / 2]]);
  return [`${centre} ${share(mark.width, width)} ${share(mark.height, height)}`];
}
