/** LabelMe: a file of the old web tool, and JSON and XML written here; numbers worked out by hand. */

import { join } from "node:path";
import { encode } from "fast-png";
import { describe, expect, test } from "vitest";
import { readAnnotations } from "../../../src/dataset/formats/tools.js";
import { sharedData } from "../../helpers/label-tools.js";
import { expectRefusal, plain } from "../../helpers/malformed.js";
import { greyPng, writeFiles } from "../../helpers/write-files.js";

const tools = sharedData("label-tools");

const file = (shapes: unknown, more: object = {}) => ({
  ...{ version: "5.4.1", flags: {}, shapes, imagePath: "1.png", imageData: null, imageHeight: 10, imageWidth: 20 },
  ...more,
});
const shape = (shape_type: string, points: unknown, more: object = {}) => ({
  ...{ label: "cat", points, group_id: null, description: "", shape_type, flags: {} },
  ...more,
});
const png = { "1.png": greyPng(20, 10) };
const read = (value: unknown, files: Readonly<Record<string, Uint8Array>> = png) =>
  readAnnotations(writeFiles({ "1.json": JSON.stringify(value), ...files }));
const marksOf = async (shapes: unknown[], more: object = {}) => {
  const { images } = await read(file(shapes, more));
  return images[0].annotations();
};
const triangle = (x: number) => [
  [x, 1],
  [x + 2, 1],
  [x, 3],
];
const base64 = (width: number, height: number, values: readonly number[]) =>
  Buffer.from(greyPng(width, height, values)).toString("base64");

describe.skipIf(tools === undefined)("the file of label-tools", () => {
  test("polygons, boxes and mask files of the old web tool", async () => {
    const { tool, images } = await readAnnotations(join(tools ?? "", "labelme_dataset"));
    expect(tool).toBe("labelme");
    // Masks and scribbles are no images.
    expect(images.map(({ name, isAnnotated }) => ({ name, isAnnotated }))).toEqual([
      { name: "Images/subset1/img1.png", isAnnotated: true },
    ]);
    const { width, height, objects, left } = await images[0].annotations();
    expect({ width, height, left }).toEqual({ width: 102, height: 77, left: [] });
    expect(objects.map(({ category, shape: { kind } }) => [category, kind])).toEqual([
      ["window", "polygons"],
      ["license plate", "runs"],
      ["o1", "polygons"],
      ["q1", "polygons"],
      ["b1", "box"],
      ["m1", "runs"],
      ["hg", "polygons"],
    ]);
    expect(objects[0].shape).toMatchObject({
      parts: [
        [
          [43, 34],
          [45, 34],
          [45, 37],
          [43, 37],
        ],
      ],
    });
    expect(objects[4]).toEqual({
      category: "b1",
      shape: { kind: "box", x: 13, y: 19, width: 10, height: 11 },
      attributes: { hg: "true", occluded: "true" },
    });
    // Ten pixels that are not transparent: columns 58 to 62 of the rows 67 and 68; row 67 begins at 67 * 102.
    expect(plain(objects[1].shape)).toMatchObject({ runs: [67 * 102 + 58, 5, 97, 5, 8 * 102 + 39] });
    // 7854 pixels, of which 7724 are transparent.
    const [, ...more] = objects[5].shape.kind === "runs" ? objects[5].shape.runs : [];
    expect(more.reduce((sum, length, at) => (at % 2 === 0 ? sum + length : sum), 0)).toBe(130);
  });

  test("the XML alone leads to the same image and masks", async () => {
    const xml = join(tools ?? "", "labelme_dataset/Annotations/subset1/img1.xml");
    const { images } = await readAnnotations(xml);
    expect(images.map(({ name }) => name)).toEqual(["Images/subset1/img1.png"]);
    expect((await images[0].annotations()).objects).toHaveLength(7);
  });
});

describe("JSON", () => {
  test("polygons, rectangles with corners in any order, circles", async () => {
    const { width, height, objects } = await marksOf([
      shape("polygon", triangle(1), { label: 7 }),
      shape("rectangle", [
        [8, 2],
        [3, 6],
      ]),
      shape("circle", [
        [10, 5],
        [13, 9],
      ]),
    ]);
    expect({ width, height }).toEqual({ width: 20, height: 10 });
    expect(objects).toEqual([
      { category: "7", shape: { kind: "polygons", parts: [triangle(1)] } },
      { category: "cat", shape: { kind: "box", x: 3, y: 2, width: 5, height: 4 } },
      // 3 to the right and 4 down: a radius of 5.
      { category: "cat", shape: { kind: "ellipse", centre: [10, 5], radii: [5, 5], rotation: 0 } },
    ]);
  });

  test("a mask fills its box, whose corners are both inside", async () => {
    const mask = base64(3, 2, [0, 1, 1, 1, 0, 0]);
    const { objects } = await marksOf([
      shape(
        "mask",
        [
          [4, 5],
          [6, 6],
        ],
        { mask },
      ),
      shape(
        "mask",
        [
          [4, 5],
          [6, 6],
        ],
        { mask: base64(3, 2, [0, 255, 255, 255, 0, 0]) },
      ),
    ]);
    const runs = { kind: "runs", left: 4, top: 5, width: 3, height: 2, along: "rows", runs: [1, 3, 2] };
    expect(plain(objects)).toEqual(Array(2).fill({ category: "cat", shape: runs }));
  });

  test("polygons and rectangles of one label and group are parts of one object", async () => {
    const { objects } = await marksOf([
      shape("polygon", triangle(1), { group_id: 1 }),
      shape("polygon", triangle(5), { group_id: 2 }),
      shape(
        "rectangle",
        [
          [8, 2],
          [9, 3],
        ],
        { group_id: 1 },
      ),
      shape("polygon", triangle(9), { group_id: 1, label: "dog" }),
      shape("polygon", triangle(12)),
      shape("polygon", triangle(15)),
    ]);
    const square = [
      [8, 2],
      [9, 2],
      [9, 3],
      [8, 3],
    ];
    const part = (category: string, ...parts: number[][][]) => ({ category, shape: { kind: "polygons", parts } });
    expect(objects).toHaveLength(5);
    expect(objects).toEqual(
      expect.arrayContaining([
        part("cat", triangle(1), square),
        part("cat", triangle(5)),
        part("dog", triangle(9)),
        part("cat", triangle(12)),
        part("cat", triangle(15)),
      ]),
    );
  });

  test("flags of the file are tags, those of a shape its attributes", async () => {
    const flags = { blurred: true, night: false };
    const { objects } = await marksOf([shape("polygon", triangle(1), { flags: { wet: true, old: false } })], { flags });
    expect(objects).toMatchObject([
      { category: "cat", attributes: { wet: "true", old: "false" } },
      { category: "blurred", shape: { kind: "image" } },
    ]);
    expect(objects).toHaveLength(2);
  });

  test("lines, points and what has no area are named and left out", async () => {
    const { objects, left } = await marksOf([
      shape("line", [
        [1, 1],
        [2, 2],
      ]),
      shape("linestrip", [
        [1, 1],
        [2, 2],
        [3, 1],
      ]),
      shape("point", [[1, 1]]),
      shape("rectangle", [
        [1, 1],
        [1, 5],
      ]),
      shape("circle", [
        [1, 1],
        [1, 1],
      ]),
      shape("spiral", [[1, 1]]),
    ]);
    expect(objects).toEqual([]);
    expect(left).toEqual([
      "line: it has no area",
      "linestrip: it has no area",
      "point: it has no area",
      "rectangle: it has no area",
      "circle: it has no area",
      '"spiral": shapes of this type are not read',
    ]);
  });

  test("old files have neither types nor sizes nor flags", async () => {
    const { images } = await read({ shapes: [{ label: "cat", points: triangle(1) }], imagePath: "1.png" });
    expect(await images[0].annotations()).toEqual({
      objects: [{ category: "cat", shape: { kind: "polygons", parts: [triangle(1)] } }],
      left: [],
    });
  });

  test("images of one name with the JSON, by imagePath otherwise; images without JSON are not annotated", async () => {
    const folder = writeFiles({
      "train/a.json": JSON.stringify(file([shape("polygon", triangle(1))])),
      "train/a.jpg": greyPng(20, 10),
      "val/b.json": JSON.stringify(file([], { imagePath: "..\\photos\\other.png" })),
      "photos/other.png": greyPng(20, 10),
      "train/c.png": greyPng(20, 10),
    });
    const { images } = await readAnnotations(folder);
    expect(images.map(({ name, split, isAnnotated }) => ({ name, split, isAnnotated }))).toEqual([
      { name: "train/a.jpg", split: "train", isAnnotated: true },
      { name: "photos/other.png", split: undefined, isAnnotated: true },
      { name: "train/c.png", split: "train", isAnnotated: false },
    ]);
  });
});

describe("XML", () => {
  const xml = (objects: string) =>
    `<annotation><filename>1.png</filename><folder>a</folder>${objects}<imagesize><nrows>2</nrows><ncols>3</ncols></imagesize></annotation>`;
  const pts = (...points: number[][]) =>
    `<polygon>${points.map(([x, y]) => `<pt><x>${x}</x><y>${y}</y></pt>`).join("")}</polygon>`;
  const object = (inner: string) => `<object><name>cat</name><deleted>0</deleted>${inner}</object>`;

  test("deleted objects and lines are left out; a transparent pixel is none, whatever its colour", async () => {
    const rgba = Uint8Array.from([0, 0, 0, 0, 9, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 5, 5, 5, 255]);
    const folder = writeFiles({
      "Annotations/a/1.xml": xml(
        object(pts([1, 1], [2, 2])) +
          object(pts([0, 0], [2, 0], [2, 2])).replace("<deleted>0", "<deleted>1") +
          object("<attributes>size=big, wet</attributes><segm><mask>m.png</mask></segm>"),
      ),
      "Images/a/1.png": greyPng(3, 2),
      "Masks/a/m.png": encode({ width: 3, height: 2, channels: 4, depth: 8, data: rgba }),
    });
    const { images } = await readAnnotations(folder);
    const { objects, left } = await images[0].annotations();
    expect(plain(objects)).toEqual([
      {
        category: "cat",
        shape: { kind: "runs", left: 0, top: 0, width: 3, height: 2, along: "rows", runs: [1, 1, 2, 2] },
        attributes: { size: "big", wet: "true" },
      },
    ]);
    expect(left).toEqual(["object: lines and points have no area", "object: it was deleted"]);
  });

  const cases: [string, string | Uint8Array, RegExp][] = [
    ["another root", "<html/>", /1\.xml:1: its root is <html>/],
    ["an empty file", "", /1\.xml: is empty \(0 bytes\)/],
    ["UTF-16", Buffer.from(xml(""), "utf16le"), /1\.xml: is UTF-16\. Save it as UTF-8/],
    ["Latin-1", Buffer.from(xml("\u00e9"), "latin1"), /1\.xml: is not text in utf-8\. Save it as UTF-8/],
    ["a file from outside", `<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>${xml("")}`, /not XML \(External/],
    ["two roots", xml("") + xml(""), /1\.xml:1: is not XML/],
    ["an endless number", xml(object(pts([1, 1], [2, 2], [3, Infinity]))), /object: its y is "Infinity", no number/],
    ["a huge number", xml(object(pts([1, 1], [2, 2], [3, 1e300]))), /object: its y is "1e\+300", no number/],
    ["a size of 0", xml("").replace("<nrows>2", "<nrows>0"), /1\.xml:1: imagesize: its size is 3 x 0\. Write/],
    ["a negative size", xml("").replace("<nrows>2", "<nrows>-2"), /imagesize: its size is 3 x -2/],
    [
      "a mask out of its folder",
      xml(object("<segm><mask>../../../x.png</mask></segm>")),
      /Masks\/a\/x\.png: no such file/,
    ],
    ["a mask that is a folder", xml(object("<segm><mask>.</mask></segm>")), /Masks\/a: is a folder/],
    ["two points alone", xml(object(pts([1, 1], [2, 2]))), /nothing is marked \(left out: object: lines and points/],
    [
      "no name alone",
      xml(object(pts([0, 0], [2, 0], [2, 2])).replace("<name>cat", "<name>")),
      /left out: object: it has no name/,
    ],
    [
      "an absent image",
      xml(object(pts([0, 0], [2, 0], [2, 2]))).replace("1.png", "../../etc/x.png"),
      /files-\w+\/Images\/a\/etc\/x/,
    ],
    [
      "another shape than the image",
      xml(object(pts([0, 0], [2, 0], [2, 2]))).replace("<nrows>2", "<nrows>90"),
      /made at 3 x 90/,
    ],
    ["cut off", xml(object(pts([1, 1]))).slice(0, -12), /1\.xml:1: is not XML/],
    ["a word for a number", xml(object(pts([1, 1], [2, 2], [3, Number.NaN]))), /object: its y is "NaN", no number/],
    ["no number", xml(object("<polygon><pt><x>1</x></pt></polygon>")), /1\.xml:1: object: its y is ""/],
    ["an absent mask", xml(object("<segm><mask>no.png</mask></segm>")), /Masks\/a\/no\.png: no such file/],
    ["a mask of another size", xml(object("<segm><mask>m.png</mask></segm>")), /has 2 x 2 pixels, the image 3 x 2/],
    ["no mask", xml(object("<segm><mask>bad.png</mask></segm>")), /bad\.png: not an image/],
    ["a bad size", xml("").replace("<nrows>2", "<nrows>two"), /imagesize: its nrows is "two"/],
  ];
  test.each(cases)("%s is refused", (_, text, message) =>
    expectRefusal(
      {
        "Annotations/a/1.xml": text,
        "Masks/a/m.png": greyPng(2, 2, [1, 1, 1, 1]),
        "Masks/a/bad.png": Buffer.from("hello"),
        "Images/a/1.png": greyPng(3, 2),
      },
      { from: "labelme", message },
    ),
  );
});

describe("what is malformed is one line with file, shape and cure", () => {
  const one = (...shapes: unknown[]) => ({ ...png, "1.json": JSON.stringify(file(shapes)) });
  const points = [
    [1, 1],
    [3, 2],
  ];
  const cases: [string, Readonly<Record<string, string | Uint8Array>>, RegExp][] = [
    ["nothing", png, /holds neither \.json nor \.xml of LabelMe/],
    ["an empty file", { ...png, "1.json": "" }, /1\.json: is empty/],
    ["cut off", { ...png, "1.json": JSON.stringify(file([])).slice(0, -5) }, /1\.json: is not JSON/],
    ["UTF-16", { ...png, "1.json": Buffer.from("{}", "utf16le") }, /1\.json: is UTF-16/],
    ["another tool's", { ...png, "1.json": '{"images": []}' }, /1\.json: has no list "shapes"/],
    ["a list", { ...png, "1.json": "[]" }, /1\.json: has no list "shapes"/],
    ["no image", { "1.json": JSON.stringify(file([], { imagePath: "" })) }, /1\.json: names no image \("imagePath"\)/],
    [
      "its image inside alone",
      { "1.json": JSON.stringify(file([], { imageData: "AAAA" })) },
      /a copy is in "imageData"/,
    ],
    [
      "two files of one image",
      { ...one(), "2.json": JSON.stringify(file([])) },
      /2\.json: is of the same image as .*1\.json/,
    ],
    ["a shape that is a text", one("a"), /1\.json: shape 1 is "a", no object/],
    ["no label", one(shape("polygon", triangle(1), { label: null })), /shape 1 has the label null/],
    ["no points", one(shape("polygon", undefined)), /shape 1 has no list of points/],
    ["two points", one(shape("polygon", points)), /shape 1 is a polygon of 2 points/],
    ["a point of three numbers", one(shape("polygon", [...points, [1, 2, 3]])), /has the point \[1,2,3\]/],
    ["a point of texts", one(shape("polygon", [...points, ["1", "2"]])), /has the point \["1","2"\]/],
    ["three corners", one(shape("rectangle", triangle(1))), /is a rectangle of 3 points, not 2/],
    ["a circle of one point", one(shape("circle", [[1, 1]])), /is a circle of 1 points, not 2/],
    ["a mask without pixels", one(shape("mask", points)), /shape 1 is a mask without its pixels/],
    ["a mask that is no image", one(shape("mask", points, { mask: "AAAA" })), /shape 1: cannot be read as a mask/],
    ["a mask of another size", one(shape("mask", points, { mask: base64(2, 2, [1]) })), /2 x 2 in a box of 3 x 2/],
    [
      "Latin-1",
      { ...png, "1.json": Buffer.from(JSON.stringify(file([], { a: "\u00e9" })), "latin1") },
      /is not UTF-8 text/,
    ],
    ["NaN", { ...png, "1.json": JSON.stringify(file([])).replace('"shapes":', '"shapes":NaN,"a":') }, /is not JSON/],
    [
      "an endless number",
      {
        ...png,
        "1.json": JSON.stringify(
          file([
            shape("polygon", [
              [7, 7],
              [1, 2],
              [2, 3],
            ]),
          ]),
        ).replace("7,7", "1e999,7"),
      },
      /shape 1 has the point \[null,7\]/,
    ],
    [
      "a huge number",
      one(
        shape("circle", [
          [1, 1],
          [1e200, 1],
        ]),
      ),
      /shape 1 has the point \[1e\+200,1\]/,
    ],
    ["an empty label", one(shape("polygon", triangle(1), { label: " " })), /shape 1 has the label " "/],
    [
      "a size of text",
      { ...png, "1.json": JSON.stringify(file([], { imageWidth: "6" })) },
      /1\.json: has the size "6" x \d+/,
    ],
    [
      "a negative size",
      { ...png, "1.json": JSON.stringify(file([], { imageWidth: -6 })) },
      /1\.json: has the size -6 x/,
    ],
    [
      "another shape than the image",
      { ...png, "1.json": JSON.stringify(file([shape("polygon", triangle(1))], { imageWidth: 600 })) },
      /made at 600 x/,
    ],
    [
      "an image cut off",
      { ...one(shape("polygon", triangle(1))), "1.png": greyPng(6, 4).slice(0, 30) },
      /1\.png: not an image/,
    ],
    [
      "a path out of the export",
      { "2.json": JSON.stringify(file([shape("polygon", triangle(1))], { imagePath: "../../x.png" })) },
      /files-\w+\/x\.png\)/,
    ],
    ["an unknown type alone", one(shape("blob", triangle(1))), /left out: "blob": shapes of this type are not read/],
    ["a later shape", one(shape("polygon", triangle(1)), shape("polygon", [])), /shape 2 is a polygon of 0 points/],
  ];
  test.each(cases)("%s", (_, files, message) => expectRefusal(files, { from: "labelme", message }));
});
