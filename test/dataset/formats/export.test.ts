/** Exports: the files that others read, worked out by hand. */

import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { decodeBrush } from "../../../src/dataset/formats/brush-rle.js";
import { exportDataset } from "../../../src/dataset/formats/export.js";
import { exportNames, mappingBack } from "../../../src/dataset/formats/export-names.js";
import { readAnnotations } from "../../../src/dataset/formats/tools.js";
import { plain } from "../../helpers/malformed.js";
import { smallDataset } from "../../helpers/small-dataset.js";

const newFolder = () => join(mkdtempSync(join(tmpdir(), "export-")), "out");
const exported = async (to: string, dataset = smallDataset()) => {
  const out = newFolder();
  return { out, report: await exportDataset(dataset, out, { to }), dataset };
};
const json = (...path: string[]) => JSON.parse(readFileSync(join(...path), "utf8"));
const filesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();

describe("COCO", () => {
  test("has a file of marks and a file of tags for each split, and the images", async () => {
    const { out, report, dataset } = await exported("coco");
    expect(filesIn(out)).toEqual([
      ".aspectlens-export",
      ".aspectlens-exported",
      ...["test", "train", "validation"].map((split) => `annotations/instances_${split}.json`),
      ...["test", "train", "validation"].map((split) => `annotations/labels_${split}.json`),
      ...["a.png", "c.png", "d e.png", "e.png", "sub/b.png"].map((name) => `images/${name}`),
      "mapping.yaml",
    ]);
    expect(readFileSync(join(out, "images/sub/b.png"))).toEqual(readFileSync(join(dataset, "images/sub/b.png")));
    expect(report).toMatchObject({
      samples: { train: 2, validation: 1, test: 2 },
      categories: {
        good: { labelled: 2, empty: 0, unlabelled: 0 },
        bad: { labelled: 2, empty: 0, unlabelled: 0 },
        crack: { labelled: 2, empty: 1, unlabelled: 2 },
        bolt: { labelled: 2, empty: 2, unlabelled: 1 },
        wet: { labelled: 2, empty: 1, unlabelled: 2 },
      },
      notes: ['amounts are not carried: "share"'],
    });
  });

  test("masks are runs down the columns, boxes are pixels, what is void is a crowd, absence is listed", async () => {
    const { out } = await exported("coco");
    const { categories, images, annotations } = json(out, "annotations/instances_train.json");
    expect(categories).toEqual([
      { id: 1, name: "crack", supercategory: "aspect" },
      { id: 2, name: "bolt", supercategory: "aspect" },
    ]);
    const size = { width: 8, height: 4 };
    expect(images).toEqual([
      { id: 1, file_name: "a.png", ...size, neg_category_ids: [], groups: { patient: "p1" } },
      { id: 2, file_name: "sub/b.png", ...size, neg_category_ids: [1, 2], groups: { patient: "p2" } },
    ]);
    // Column 1 holds rows 0 and 1, column 2 rows 0 and 2, columns 6 and 7 row 3.
    const counts = [4, 2, 2, 1, 1, 1, 16, 1, 3, 1];
    expect(annotations).toEqual([
      {
        ...{ id: 1, image_id: 1, category_id: 1, iscrowd: 0, area: 6, bbox: [1, 0, 7, 4] },
        segmentation: { size: [4, 8], counts },
      },
      {
        ...{ id: 2, image_id: 1, category_id: 1, iscrowd: 1, area: 2, bbox: [7, 0, 1, 2] },
        segmentation: { size: [4, 8], counts: [28, 2, 2] },
      },
      // From 1/8 of 8 to 1/2 of 8, and from 1/4 of 4 to 3/4 of 4.
      { id: 3, image_id: 1, category_id: 2, iscrowd: 0, area: 6, bbox: [1, 1, 3, 2], segmentation: [] },
      {
        ...{ id: 4, image_id: 1, category_id: 2, iscrowd: 1, area: 8, bbox: [4, 0, 4, 2] },
        segmentation: [[4, 0, 8, 0, 8, 2, 4, 2]],
      },
    ]);
  });

  test("classes and presence are categories without a place", async () => {
    const { out } = await exported("coco");
    const { categories, images, annotations } = json(out, "annotations/labels_train.json");
    expect(categories).toEqual([
      { id: 3, name: "good", supercategory: "class" },
      { id: 4, name: "bad", supercategory: "class" },
      { id: 5, name: "wet", supercategory: "aspect" },
    ]);
    expect(annotations).toEqual([
      { id: 1, image_id: 1, category_id: 4 },
      { id: 2, image_id: 1, category_id: 5 },
      { id: 3, image_id: 2, category_id: 3 },
    ]);
    expect(images.map((image: { neg_category_ids: number[] }) => image.neg_category_ids)).toEqual([[], [5]]);
  });

  test("a class that is called like an aspect has a category of its own, which the mapping knows", () => {
    const manifest = {
      ...{ name: "set", task: "single" as const, classes: ["crack", "good"], samples: "samples.jsonl" },
      aspects: [{ name: "crack", kind: "boxes" as const }],
    };
    const names = exportNames(manifest);
    expect([...names.classes]).toEqual([
      ["crack", "class crack"],
      ["good", "good"],
    ]);
    expect(mappingBack(manifest, names, { saysAbsent: true, saysTags: true })).toContain(
      "classes:\n    crack:\n      - class crack\n    good:\n      - good\n",
    );
  });
});

describe("Label Studio", () => {
  test("has tasks whose regions are in percent, and choices for what is and what is not there", async () => {
    const { out, report } = await exported("label-studio");
    expect(report.notes).toEqual([
      'amounts are not carried: "share"',
      "label-studio cannot say regions that are neither (2 left out)",
    ]);
    const tasks = json(out, "tasks.json");
    expect(tasks).toHaveLength(5);
    const [first, second, third, fourth] = tasks;
    expect(first).toMatchObject({
      ...{ id: 1, meta: { split: "train", groups: { patient: "p1" } }, predictions: [] },
      data: { image: "/data/local-files/?d=images/a.png" },
    });
    const [mask, box, label, present] = first.annotations[0].result;
    expect(mask).toMatchObject({ from_name: "mask", type: "brushlabels", original_width: 8, original_height: 4 });
    const runs = decodeBrush(Uint8Array.from(mask.value.rle), { width: 8, height: 4 });
    expect(runs).toEqual(Uint32Array.from([1, 2, 6, 1, 8, 1, 11, 2]));
    expect(box).toMatchObject({
      type: "rectanglelabels",
      value: { x: 12.5, y: 25, width: 37.5, height: 50, rotation: 0, rectanglelabels: ["bolt"] },
    });
    expect(label).toMatchObject({ from_name: "class", type: "choices", value: { choices: ["bad"] } });
    expect(present).toMatchObject({ from_name: "present", value: { choices: ["wet"] } });
    expect(second.annotations[0].result[1]).toMatchObject({
      from_name: "absent",
      value: { choices: ["crack", "bolt", "wet"] },
    });
    expect(third.annotations[0].result).toHaveLength(1); // the class alone
    expect(fourth.data.image).toBe("/data/local-files/?d=images/d%20e.png");
  });

  test("has the configuration that its controls come from", async () => {
    const config = readFileSync(join((await exported("label-studio")).out, "label_config.xml"), "utf8");
    for (const line of [
      '<RectangleLabels name="box" toName="image">\n    <Label value="bolt"/>',
      '<BrushLabels name="mask" toName="image">\n    <Label value="crack"/>',
      '<Choices name="class" choice="single" toName="image">\n    <Choice value="good"/>\n    <Choice value="bad"/>',
      '<Choices name="present" choice="multiple" toName="image">\n    <Choice value="wet"/>',
    ])
      expect(config).toContain(line);
  });

  test("comes back by the reader with the same pixels, boxes, tags, absences, splits and groups", async () => {
    const { out } = await exported("label-studio");
    const { images, tool } = await readAnnotations(out);
    expect(tool).toBe("label-studio");
    expect(images.map(({ name, split, groups }) => [name, split, groups?.patient])).toEqual([
      ["images/a.png", "train", "p1"],
      ["images/sub/b.png", "train", "p2"],
      ["images/c.png", "validation", "p3"],
      ["images/d e.png", "test", "p4"],
      ["images/e.png", "test", "p4"],
    ]);
    const [first, second] = await Promise.all(images.map((image) => image.annotations()));
    expect(plain(first.objects)).toEqual([
      {
        category: "crack",
        shape: { kind: "runs", left: 0, top: 0, width: 8, height: 4, along: "rows", runs: [1, 2, 6, 1, 8, 1, 11, 2] },
      },
      { category: "bolt", shape: { kind: "box", x: 1, y: 1, width: 3, height: 2 } },
      { category: "bad", shape: { kind: "image" } },
      { category: "wet", shape: { kind: "image" } },
    ]);
    expect(second).toMatchObject({ objects: [{ category: "good" }], absent: ["crack", "bolt", "wet"] });
  });
});

describe("YOLO", () => {
  test("has polygons where an aspect has masks, and says what it cannot say", async () => {
    const { out, report } = await exported("yolo");
    expect(filesIn(out)).toEqual([
      ".aspectlens-export",
      ".aspectlens-exported",
      "data.yaml",
      ...["test/d e.png", "test/e.png", "train/a.png", "train/sub/b.png", "val/c.png"].map((name) => `images/${name}`),
      ...["test/d e.txt", "test/e.txt", "train/a.txt", "train/sub/b.txt", "val/c.txt"].map((name) => `labels/${name}`),
      "mapping.yaml",
    ]);
    expect(report.notes).toEqual([
      'amounts are not carried: "share"',
      "yolo cannot say classes and presence of whole images",
      "yolo cannot say regions that are neither (2 left out)",
      "yolo cannot say groups",
      "yolo cannot say that something is unlabelled: it counts as absent there (3 times)",
    ]);
    expect(readFileSync(join(out, "data.yaml"), "utf8")).toBe(
      'path: .\ntrain: images/train\nval: images/val\ntest: images/test\nnames:\n  "0": crack\n  "1": bolt\n',
    );
    expect(readFileSync(join(out, "labels/train/a.txt"), "utf8").split("\n")).toEqual([
      // Columns 1 and 2 of row 0 with column 1 of row 1; column 2 of row 2; columns 6 and 7 of row 3; then the box.
      "0 0.125 0 0.375 0 0.375 0.25 0.25 0.25 0.25 0.5 0.125 0.5",
      "0 0.25 0.5 0.375 0.5 0.375 0.75 0.25 0.75",
      "0 0.75 0.75 1 0.75 1 1 0.75 1",
      "1 0.125 0.25 0.5 0.25 0.5 0.75 0.125 0.75",
      "",
    ]);
    expect(readFileSync(join(out, "labels/train/sub/b.txt"), "utf8")).toBe("");
    const mapping = readFileSync(join(out, "mapping.yaml"), "utf8");
    expect(mapping).toMatch(/^# This form has no classes of whole images/);
    expect(mapping).not.toContain("wet");
  });

  test("has centres and sizes where there are boxes alone", async () => {
    const aspects = ["crack", "wet", "share"].map((name) => ({ name, kind: "presence" }));
    const { out } = await exported("yolo", smallDataset({ aspects: [{ name: "bolt", kind: "boxes" }, ...aspects] }));
    expect(readFileSync(join(out, "labels/test/d e.txt"), "utf8")).toBe("0 0.5 0.5 1 1\n0 0.75 0.625 0.5 0.25\n");
  });
});

describe("the folder", () => {
  test("of an earlier export of the same dataset is replaced, and what somebody added is left alone", async () => {
    const { out, dataset } = await exported("coco");
    await exportDataset(dataset, out, { to: "coco" });
    writeFileSync(join(out, "notes.txt"), "mine");
    await expect(exportDataset(dataset, out, { to: "coco" })).rejects.toThrow(
      /would be overwritten\. Name a new folder/,
    );
    expect(readFileSync(join(out, "notes.txt"), "utf8")).toBe("mine");
  });

  test("of another dataset's export, or of one to another tool, is left alone", async () => {
    const { out, dataset } = await exported("coco");
    const before = filesIn(out);
    await expect(exportDataset(dataset, out, { to: "yolo" })).rejects.toThrow(
      /out: holds an export of this dataset, to coco\. Name another folder, or remove this one first\.$/,
    );
    await expect(exportDataset(smallDataset(), out, { to: "coco" })).rejects.toThrow(
      /out: holds an export of another dataset, "[^"]+", to coco\. Name another folder/,
    );
    expect(filesIn(out)).toEqual(before);
  });

  test("that is empty is used", async () => {
    const out = mkdtempSync(join(tmpdir(), "export-"));
    await exportDataset(smallDataset(), out, { to: "coco" });
    expect(existsSync(join(out, "mapping.yaml"))).toBe(true);
  });

  test("is not made where the dataset is bad, or the export is interrupted", async () => {
    const out = newFolder();
    const dataset = smallDataset();
    writeFileSync(join(dataset, "masks/a.png"), "broken");
    await expect(exportDataset(dataset, out, { to: "coco" })).rejects.toThrow(/a\.png: not an image/);
    const controller = new AbortController();
    controller.abort();
    await expect(exportDataset(smallDataset(), out, { to: "coco", signal: controller.signal })).rejects.toThrow(
      /interrupted; nothing was written/,
    );
    expect(readdirSync(join(out, ".."))).toEqual([]);
  });

  test("an unknown form is refused", async () => {
    await expect(exportDataset(smallDataset(), newFolder(), { to: "voc" })).rejects.toThrow(
      /--to voc: unknown\. Known: coco, yolo, label-studio/,
    );
  });
});
