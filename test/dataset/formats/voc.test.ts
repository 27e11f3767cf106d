/** VOC: files of the tools themselves, and sets written here; numbers worked out by hand. */

import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readAnnotations } from "../../../src/dataset/formats/tools.js";
import { sharedData } from "../../helpers/label-tools.js";
import { greyPng, writeFiles } from "../../helpers/write-files.js";

const tools = sharedData("label-tools");

const xml = (inner: string, size = "<width>20</width><height>10</height>") =>
  `<annotation>\n<size>${size}</size>\n${inner}\n</annotation>`;
const object = (inner: string, name = "cat") => `<object><name>${name}</name>${inner}</object>`;
const box = (...[xmin, ymin, xmax, ymax]: unknown[]) =>
  `<bndbox><xmin>${xmin}</xmin><ymin>${ymin}</ymin><xmax>${xmax}</xmax><ymax>${ymax}</ymax></bndbox>`;
const objectsOf = async (files: Readonly<Record<string, string | Uint8Array>>) => {
  const { images } = await readAnnotations(writeFiles({ "1.png": greyPng(20, 10), ...files }), { from: "voc" });
  return images[0].annotations();
};

describe.skipIf(tools === undefined)("the files of label-tools", () => {
  const folder = join(tools ?? "", "voc_dataset");

  test("boxes, actions, tags, masks and splits of the first set", async () => {
    const { tool, images } = await readAnnotations(join(folder, "voc_dataset1"));
    expect(tool).toBe("voc");
    expect(images.map(({ name, split, isAnnotated }) => ({ name, split, isAnnotated }))).toEqual([
      { name: "JPEGImages/2007_000001.jpg", split: "train", isAnnotated: true },
      { name: "JPEGImages/2007_000002.jpg", split: "test", isAnnotated: false },
    ]);
    const { width, height, objects, left } = await images[0].annotations();
    expect({ width, height }).toEqual({ width: 20, height: 10 });
    // 1..3 x 2..4, counted from 1 and inclusive, are 3 x 3 pixels from (0, 1) on.
    expect(objects[0]).toMatchObject({ category: "cat", shape: { kind: "box", x: 0, y: 1, width: 3, height: 3 } });
    expect(objects[1]).toMatchObject({
      category: "person",
      shape: { kind: "box", x: 3, y: 4, width: 3, height: 3 },
      attributes: { "action.jumping": "0", "action.reading": "1" },
    });
    expect(left).toEqual([expect.stringContaining("part of an object")]);
    const tags = objects.filter(({ shape }) => shape.kind === "image").map(({ category }) => category);
    expect(tags.sort()).toEqual(
      "aeroplane bird bottle car chair diningtable horse ignored person sheep train".split(" "),
    );
    const masks = objects.filter(({ shape }) => shape.kind === "mask-file").map(({ category }) => category);
    // All 200 pixels are (0, 128, 0), the colour of index 2.
    expect(masks).toEqual(["bicycle"]);
  });

  test("a list with a comment", async () => {
    const { images } = await readAnnotations(join(folder, "voc_dataset3"));
    expect(images.map(({ split }) => split)).toEqual(["train"]);
    expect((await images[0].annotations()).objects).toHaveLength(1);
  });
});

describe("a set of our own", () => {
  test("difficult objects are ignored, missing pose and truncated are none, floats are read", async () => {
    const { objects } = await objectsOf({
      "1.xml": xml(
        object(`<difficult>1</difficult>${box(1, 1, 20, 10)}`) +
          object(box("2.5", "3.25", "4.5", "5.25"), "dog &amp; bone"),
      ),
    });
    expect(objects[0]).toMatchObject({ isIgnored: true, shape: { x: 0, y: 0, width: 20, height: 10 } });
    expect(objects[1]).toEqual({
      category: "dog & bone",
      // 4.5 - 2.5 + 1 = 3.
      shape: { kind: "box", x: 1.5, y: 2.25, width: 3, height: 3 },
      attributes: {},
    });
  });

  test("a box without extent is named and left out", async () => {
    const { objects, left } = await objectsOf({ "1.xml": xml(object(box(5, 6, 5, 6))) });
    expect(objects).toEqual([]);
    expect(left?.[0]).toMatch(/box without extent \(.*1\.xml:3\)/);
  });

  test("masks of classes and objects give one mark an object, with the border void", async () => {
    // Class 8 is a cat, 12 a dog; two cats touch each other.
    const classes = [8, 8, 8, 8, 255, 12];
    const objects = [1, 1, 2, 2, 255, 3];
    const folder = writeFiles({
      "JPEGImages/a.png": greyPng(6, 1),
      "SegmentationClass/a.png": greyPng(6, 1, classes),
      "SegmentationObject/a.png": greyPng(6, 1, objects),
    });
    const { tool, images } = await readAnnotations(folder);
    expect(tool).toBe("voc");
    const marks = (await images[0].annotations()).objects;
    const path = join(folder, "SegmentationObject", "a.png");
    const shape = (value: number) => ({ kind: "mask-file", path, values: [value], ignore: [255, 14737600] });
    expect(marks).toEqual([
      { category: "cat", shape: shape(1) },
      { category: "cat", shape: shape(2) },
      { category: "dog", shape: shape(3) },
    ]);
  });

  test("labelmap.txt names the classes of a mask", async () => {
    const files = { "JPEGImages/a.png": greyPng(2, 1), "SegmentationClass/a.png": greyPng(2, 1, [0, 1]) };
    const named = writeFiles({
      ...files,
      "labelmap.txt": "# label:color_rgb:parts:actions\nbackground:0,0,0::\ncrack:255,0,0::\n",
    });
    const { images } = await readAnnotations(named);
    expect((await images[0].annotations()).objects.map(({ category }) => category)).toEqual(["crack"]);
  });
});

describe("what is malformed is one line with file, line and cure", () => {
  const good = object(box(1, 1, 3, 3));
  const cases: [string, Readonly<Record<string, string | Uint8Array>>, RegExp][] = [
    ["empty", { "1.xml": "" }, /1\.xml: is empty \(0 bytes\)\. Fetch it/],
    ["no XML", { "1.xml": "hello" }, /1\.xml:1: is not XML .* Export it again/],
    ["cut off", { "1.xml": xml(good).slice(0, -20) }, /1\.xml:\d+: is not XML/],
    ["a wrong end", { "1.xml": "<annotation>\n<size>\n</annotation>" }, /1\.xml:3: is not XML .*size/],
    ["two roots", { "1.xml": `${xml(good)}\n<annotation/>` }, /1\.xml:5: is not XML \(it has 2 roots\)/],
    ["UTF-16", { "1.xml": Buffer.from(xml(good), "utf16le") }, /1\.xml: is UTF-16\. Save it as UTF-8/],
    ["another root", { "1.xml": "<html><a/></html>" }, /1\.xml:1: its root is <html>, expected <annotation>/],
    ["no size", { "1.xml": "<annotation><object/></annotation>" }, /1\.xml:1: has no <size>\. Boxes/],
    ["no width", { "1.xml": xml(good, "<height>3</height>") }, /1\.xml:2: <size> has no <width>\. Write a number/],
    ["a size of 0", { "1.xml": xml(good, "<width>0</width><height>0</height>") }, /1\.xml:2: size is 0 x 0/],
    ["no name", { "1.xml": xml(`<object>${box(1, 1, 2, 2)}</object>`) }, /1\.xml:3: an <object> without <name>/],
    ["no box", { "1.xml": xml(object("")) }, /1\.xml:3: "cat" has no <bndbox>/],
    [
      "no xmax",
      { "1.xml": xml(object("<bndbox><xmin>1</xmin><ymin>1</ymin></bndbox>")) },
      /:3: <bndbox> has no <xmax>/,
    ],
    [
      "a word for a number",
      { "1.xml": xml(object(box(1, "two", 3, 3))) },
      /1\.xml:3: <ymin> is "two"\. Write a number/,
    ],
    ["an empty number", { "1.xml": xml(object(box(1, "", 3, 3))) }, /1\.xml:3: <ymin> is ""/],
    ["corners in the wrong order", { "1.xml": xml(object(box(9, 1, 3, 3))) }, /1\.xml:3: "cat" has its corners/],
    ["a polygon", { "1.xml": xml(object("<polygon/>")) }, /1\.xml:3: an object with <polygon>\. Is it of LabelMe/],
    [
      "a mask without labels",
      { "SegmentationClass/1.png": greyPng(20, 10, [99]) },
      /Class\/1\.png: holds the value 99/,
    ],
    [
      "masks of two sizes",
      { "SegmentationClass/1.png": greyPng(20, 10), "SegmentationObject/1.png": greyPng(2, 1) },
      /Object\/1\.png: is not of the size/,
    ],
    ["a broken mask", { "SegmentationClass/1.png": greyPng(20, 10).slice(0, 40) }, /Class\/1\.png: /],
    [
      "a broken label map",
      { "SegmentationClass/1.png": greyPng(20, 10), "labelmap.txt": "cat:red::" },
      /labelmap\.txt:1: "cat:red::" is no class/,
    ],
    [
      "a bad list",
      { "1.xml": xml(good), "ImageSets/Main/cat_train.txt": "1 yes" },
      /cat_train\.txt:1: "1 yes" is no line/,
    ],
    [
      "two splits",
      { "1.xml": xml(good), "ImageSets/Main/train.txt": "1", "ImageSets/Main/test.txt": "1" },
      /train\.txt:1: 1 is in .*test\.txt too/,
    ],
    ["nothing", { "a.txt": "" }, /has no VOC annotations\. Name the folder above Annotations/],
  ];
  test.each(cases)("%s", async (_, files, message) => {
    const error = await objectsOf(files).then(
      () => undefined,
      (reason: Error) => reason,
    );
    expect(error?.name).toMatch(/^(DatasetError|ImageError)$/);
    expect(error?.message).toMatch(message);
    expect(error?.message).not.toContain("\n");
  });
});
