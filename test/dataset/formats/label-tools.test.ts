/** Every file of label-tools: imported, or refused by name with the reason. Shapes are checked beside each format. */

import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { importAnnotations } from "../../../src/dataset/formats/import.js";
import { readRaster } from "../../../src/dataset/raster.js";
import { sharedData } from "../../helpers/label-tools.js";
import { greyPng, writeFiles } from "../../helpers/write-files.js";

const tools = sharedData("label-tools");

interface Imported {
  readonly from: string;
  /** Training, validation and test images. */
  readonly samples: readonly [number, number, number];
  /** By category: images, tags, boxes, areas, and marks to ignore; those without any are left out. */
  readonly categories: Readonly<Record<string, readonly [number, number, number, number, number]>>;
  /** Words of what is left out. */
  readonly left?: readonly string[];
  /** By image and aspect, the pixels of its mask. */
  readonly areas?: Readonly<Record<string, number>>;
}

const TWO = { a: [1, 0, 0, 1, 0], b: [1, 0, 1, 0, 1] } as const;
// A rectangle of 1 x 2 pixels.
const RECTANGLE = { "images/val/b.jpg a": 2 };
const YOLO = { label_2: [1, 0, 1, 0, 0], label_4: [1, 0, 1, 0, 0] } as const;

/** An image of one category, and a crowd of the other. */
const PART = "only a part of their labels";

const IMPORTED: Readonly<Record<string, Imported>> = {
  "coco_dataset/coco": {
    ...{ from: "coco", samples: [1, 1, 0], left: ["caption", "panoptic", "keypoints"] },
    categories: { a: [1, 1, 0, 1, 1], b: [2, 2, 1, 0, 1] },
  },
  "coco_dataset/coco_instances": { from: "coco", samples: [1, 1, 0], categories: TWO, areas: RECTANGLE, left: [PART] },
  "coco_dataset/mmdet_coco": { from: "coco", samples: [1, 1, 0], categories: TWO, areas: RECTANGLE, left: [PART] },
  "coco_dataset/coco_person_keypoints": {
    ...{ from: "coco", samples: [1, 1, 0], categories: TWO, left: ["keypoints", PART], areas: RECTANGLE },
  },
  "coco_dataset/coco_labels": {
    ...{ from: "coco", samples: [1, 1, 0], categories: { a: [1, 1, 0, 0, 0], b: [2, 2, 0, 0, 0] } },
  },
  "cvat_dataset/for_images/export_project": {
    ...{ from: "cvat", samples: [2, 2, 2], categories: { label1: [6, 0, 3, 3, 0] }, left: ["polyline", "points"] },
    // The triangle (1, 2), (3, 4), (6, 5) holds the centres (1.5, 2.5), (2.5, 3.5) and (4.5, 4.5).
    areas: Object.fromEntries(["Train", "Validation", "Test"].map((split) => [`images/${split}/img1.jpg label1`, 3])),
  },
  "cvat_dataset/for_images/export_task": {
    ...{ from: "cvat", samples: [2, 0, 0], categories: { label1: [1, 0, 1, 0, 0] } },
    left: ["polyline", "polygon: it has no label", "points"],
  },
  imagenet_dataset: {
    ...{ from: "folders", samples: [3, 1, 0], categories: { label_0: [1, 1, 0, 0, 0], label_1: [2, 2, 0, 0, 0] } },
    left: ["folders in the folders"],
  },
  labelme_dataset: {
    ...{ from: "labelme", samples: [1, 0, 0] },
    categories: {
      ...{ window: [1, 0, 0, 1, 0], "license plate": [1, 0, 0, 1, 0], o1: [1, 0, 0, 1, 0], q1: [1, 0, 0, 1, 0] },
      ...{ b1: [1, 0, 1, 0, 0], m1: [1, 0, 0, 1, 0], hg: [1, 0, 0, 1, 0] },
    },
  },
  "voc_dataset/voc_dataset1": {
    ...{ from: "voc", samples: [1, 0, 1], left: ["part of an object"] },
    categories: {
      ...{ cat: [1, 0, 1, 0, 0], person: [1, 1, 1, 0, 0], bicycle: [1, 0, 0, 1, 0] },
      ...Object.fromEntries(
        ["aeroplane", "bird", "bottle", "car", "chair", "diningtable", "horse", "ignored", "sheep", "train"].map(
          (name) => [name, [1, 1, 0, 0, 0] as const],
        ),
      ),
    },
    // All of 20 x 10.
    areas: { "images/JPEGImages/2007_000001.jpg bicycle": 200 },
  },
  "voc_dataset/voc_dataset3": { from: "voc", samples: [1, 0, 0], categories: { cat: [1, 0, 1, 0, 0] } },
  "yolo_dataset/annotations": { from: "yolo", samples: [1, 0, 0], categories: YOLO },
  "yolo_dataset/labels": {
    ...{ from: "yolo", samples: [1, 1, 0], categories: { label_2: [2, 0, 2, 0, 0], label_4: [2, 0, 2, 0, 0] } },
  },
  "yolo_dataset/strict": { from: "yolo", samples: [1, 0, 0], categories: YOLO },
};

/** The archive holds no image of these. */
const WITHOUT_IMAGES = [
  "label-studio/test_export_coco",
  "label-studio/test_export_yolo/data.json",
  "label-studio/test_export_yolo/data_keypoints.json",
  "label-studio/test_export_yolo/data_polygons.json",
  "label-studio/test_import_coco",
];

const REFUSED: Readonly<Record<string, RegExp>> = {
  "coco_dataset/coco_captions": /nothing that can be carried \(caption: a text about the whole image\)\. Export inst/,
  "coco_dataset/coco_panoptic": /nothing that can be carried \(panoptic segments: /,
  "coco_dataset/coco_image_info": /nothing in it tells a class: no image is annotated\. Say/,
  "coco_dataset/coco_stuff": /nothing in it tells a class: every mark is to be ignored, as crowds are\. Say/,
  "label-studio/test_export_yolo": /holds several exports, as data\.json and data_keypoints\.json\. Name one/,
  ...Object.fromEntries(WITHOUT_IMAGES.map((name) => [name, /the image ".*" is absent .*--images/])),
};

const newFolder = () => join(mkdtempSync(join(tmpdir(), "label-tools-")), "set");

describe.skipIf(tools === undefined)("label-tools", () => {
  const at = (name: string) => join(tools ?? "", name);

  test("no file of it is left out here", () => {
    const files = readdirSync(at("."), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(at("").length).replace(/^\//, ""));
    const known = [...Object.keys(IMPORTED), ...Object.keys(REFUSED)];
    expect(files.length).toBeGreaterThan(100);
    expect(
      files.filter((file) => !file.startsWith("LICENSE.") && !known.some((name) => `${file}/`.startsWith(`${name}/`))),
    ).toEqual([]);
  });

  test.each(Object.entries(IMPORTED))("%s is imported", async (name, { from, samples, categories, left, areas }) => {
    const folder = newFolder();
    const report = await importAnnotations([at(name)], folder);
    const [train, validation, of] = samples;
    expect(report).toMatchObject({ sources: [{ tool: from }], samples: { train, validation, test: of } });
    const found = report.categories.map(({ name: category, ...counts }) => [category, Object.values(counts)] as const);
    expect(Object.fromEntries(found.filter(([, counts]) => counts.some((count) => count > 0)))).toEqual(categories);
    // Sets of two images lack classes in some split.
    const notes = report.notes.filter((note) => !note.startsWith("classes that no "));
    expect(notes).toHaveLength(left?.length ?? 0);
    for (const word of left ?? []) expect(notes.join()).toContain(word);
    const lines = readFileSync(join(folder, "samples.jsonl"), "utf8").trim().split("\n");
    const records = lines.map((line) => JSON.parse(line));
    for (const [place, pixels] of Object.entries(areas ?? {})) {
      const [image, aspect] = place.split(" ");
      const { mask, values } = records.find((record) => record.image === image).aspects[aspect];
      const raster = await readRaster(join(folder, mask));
      expect([...raster.values].filter((value) => values.includes(value))).toHaveLength(pixels);
    }
  });

  test.each(Object.entries(REFUSED))("%s is refused by name", async (name, reason) => {
    await expect(importAnnotations([at(name)], newFolder())).rejects.toThrow(reason);
  });

  test.each([
    // Two boxes a task, of the annotation that was changed last; images a tenth of the 2800 x 2800 that they were made at.
    ["label-studio/test_export_yolo/data.json", [280, 280], ["image1.png", "image2.png"], 4],
    ["label-studio/test_export_yolo/data_keypoints.json", [216, 174], ["image1.jpg"], 1],
  ])("%s is imported once its images are there", async (name, [width, height], images, boxes) => {
    const given = writeFiles(Object.fromEntries(images.map((image) => [image, greyPng(width, height)])));
    const found = await importAnnotations([at(name)], newFolder(), { images: given });
    expect(found.categories.reduce((sum, category) => sum + category.boxes, 0)).toBe(boxes);
  });
});
