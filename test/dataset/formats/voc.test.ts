/** VOC: files of the tools themselves, and sets written here; numbers worked out by hand. */

import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readAnnotations } from "../../../src/dataset/formats/tools.js";
import { sharedData } from "../../helpers/label-tools.js";
import { expectAccepted, expectRefusal } from "../../helpers/malformed.js";
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
    ["a polygon", { "1.xml": xml(object("<polygon/>")) }, /1\.xml:3: an object with <polygon>\. If it is of LabelMe/],
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
    [
      "Latin-1",
      { "1.xml": Buffer.from(xml(object("", "caf\u00e9")), "latin1") },
      /1\.xml: is not text in utf-8\. Save it/,
    ],
    [
      "an endless number",
      { "1.xml": xml(object(box(1, 1, "1e999", 3))) },
      /1\.xml:3: <xmax> is "1e999"\. Write a number/,
    ],
    ["a huge number", { "1.xml": xml(object(box(1, 1, "1e300", 3))) }, /1\.xml:3: <xmax> is "1e300"/],
    ["NaN", { "1.xml": xml(object(box("NaN", 1, 3, 3))) }, /1\.xml:3: <xmin> is "NaN"/],
    ["a decimal comma", { "1.xml": xml(object(box("1,5", 1, 3, 3))) }, /1\.xml:3: <xmin> is "1,5"/],
    [
      "a file from outside",
      { "1.xml": `<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>${xml(good)}` },
      /not XML \(Ext/,
    ],
    [
      "another shape than the image",
      { "1.xml": xml(good, "<width>40</width><height>40</height>") },
      /made at 40 x 40\. Take/,
    ],
    [
      "a huge image",
      { "1.xml": xml(good, "<width>200000</width><height>100000</height>") },
      /made at 200000 x 100000, more/,
    ],
    ["an absent image", { "2.xml": xml(good) }, /the image "2\.jpg" is absent .*--images/],
    ["a path out of it", { "1.xml": xml(good), "ImageSets/Main/train.txt": "../../x/2" }, /files-\w+\/x\/2\.jpg\)/],
    [
      "a flag of 2",
      { "1.xml": xml(good), "ImageSets/Main/cat_train.txt": "1 2" },
      /cat_train\.txt:1: "1 2" is no line/,
    ],
    [
      "two images",
      { "1.xml": xml(good), "x/1.png": greyPng(20, 10) },
      /"1" may be .*1\.png or .*x\/1\.png\. Write the folder/,
    ],
    [
      "an image cut off",
      { "1.xml": xml(good), "1.png": greyPng(20, 10).slice(0, 40) },
      /1\.png: not an image that can/,
    ],
    ["a mask of another shape", { "SegmentationClass/1.png": greyPng(20, 20, [1]) }, /Class\/1\.png: 20 x 20 pixels; /],
    ["a mask that is a text", { "SegmentationClass/1.png": "hello" }, /Class\/1\.png: not an image/],
    [
      "nothing marked",
      { "1.xml": xml(object(box(3, 3, 3, 3))) },
      /nothing is marked \(left out: box without .*1\.xml:3/,
    ],
    ["nothing", { "a.txt": "" }, /has no VOC annotations\. Name the folder above Annotations/],
  ];
  test.each(cases)("%s", (_, files, message) =>
    expectRefusal({ "1.png": greyPng(20, 10), ...files }, { from: "voc", message }),
  );

  test.each<[string, string | Uint8Array, unknown, RegExp[]]>([
    ["a byte-order mark", `\uFEFF<?xml version="1.0"?>\n${xml(good)}`, [[0, 0, 0.3, 0.15]], []],
    ["carriage returns", xml(good).replaceAll("\n", "\r\n"), [[0, 0, 0.3, 0.15]], []],
    // Pixels from 1: -5 to 3 is -6 to 3, cut to 0 to 3 of 20 and of 10.
    ["a box across the edge", xml(object(box(-5, -5, 3, 3))), [[0, 0, 0.3, 0.15]], [/1 boxes reached out/]],
    ["a box outside", xml(object(box(90, 90, 99, 99))), [], [/1 marks without extent or outside/]],
    ["an object twice", xml(good + good), Array(2).fill([0, 0, 0.3, 0.15]), []],
    [
      "an image made smaller",
      xml(good, "<width>40</width><height>20</height>"),
      [[0, 0, 0.15, 0.075]],
      [/were scaled/],
    ],
    ["text that is data", xml(object(box(1, 1, 3, 3), "<![CDATA[cat]]>")), [[0, 0, 0.3, 0.15]], []],
  ])("%s is no fault", async (_, text, boxes, notes) => {
    const { samples, report } = await expectAccepted({ "1.png": greyPng(20, 10), "1.xml": text }, { from: "voc" });
    expect(Object.values(samples)).toMatchObject([{ aspects: { cat: { boxes } } }]);
    expect(report.notes).toEqual(notes.map((note) => expect.stringMatching(note)));
  });

  test("the encoding that the XML declares", async () => {
    const text = `<?xml version="1.0" encoding="ISO-8859-1"?>\n${xml(object(box(1, 1, 3, 3), "caf\u00e9"))}`;
    const files = { "1.png": greyPng(20, 10), "1.xml": Buffer.from(text, "latin1") };
    expect((await expectAccepted(files, { from: "voc" })).report.categories).toMatchObject([{ name: "caf\u00e9" }]);
  });
});
