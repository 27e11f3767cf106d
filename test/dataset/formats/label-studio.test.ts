/** Label Studio: files of the tool itself, and exports written here; numbers worked out by hand. */

import { join } from "node:path";
import { encode } from "@thi.ng/rle-pack";
import { describe, expect, test } from "vitest";
import { decodeBrush, encodeBrush } from "../../../src/dataset/formats/brush-rle.js";
import { readAnnotations } from "../../../src/dataset/formats/tools.js";
import { sharedData } from "../../helpers/label-tools.js";
import { expectAccepted, expectRefusal, plain } from "../../helpers/malformed.js";
import { greyPng, writeFiles } from "../../helpers/write-files.js";

const tools = sharedData("label-tools");

const size = { original_width: 200, original_height: 100, image_rotation: 0 };
const result = (type: string, value: object, more: object = {}) => ({ id: "r1", type, value, ...size, ...more });
const rectangle = { x: 10, y: 20, width: 30, height: 40, rotation: 0, rectanglelabels: ["cat"] };
const task = (results: unknown, more: object = {}) => ({
  id: 7,
  data: { image: "/data/upload/1/0a1b2c3d-1.png" },
  annotations: [{ id: 1, was_cancelled: false, result: results }],
  ...more,
});

const read = (tasks: unknown, files: Readonly<Record<string, Uint8Array>> = { "1.png": greyPng(20, 10) }) =>
  readAnnotations(writeFiles({ "export.json": JSON.stringify(tasks), ...files }));
const marksOf = async (...results: unknown[]) => {
  const { images } = await read([task(results)]);
  return images[0].annotations();
};

describe.skipIf(tools === undefined)("the files of label-tools", () => {
  const folder = join(tools ?? "", "label-studio");

  test("a box and a polygon; points are named and left out", async () => {
    const { tool, images, categories } = await readAnnotations(join(folder, "test_export_coco"));
    expect(tool).toBe("label-studio");
    expect(categories).toEqual(["rectangle_label", "polygon_label", "keypoint_label1", "keypoint_label2"]);
    expect(images.map(({ name, isAnnotated }) => ({ name, isAnnotated }))).toEqual([
      { name: "test_image1.jpg", isAnnotated: true },
    ]);
    const { width, height, objects, left } = await images[0].annotations();
    expect({ width, height }).toEqual({ width: 500, height: 320 });
    // 31.94 % of 500 is 159.7, 4.11 % of 320 is 13.2; 6.352 % of 500 and 9.929 % of 320 are 31.76 and 31.77.
    expect(objects[0]).toEqual({
      category: "rectangle_label",
      shape: {
        kind: "box",
        x: expect.closeTo(159.7096, 4),
        y: expect.closeTo(13.1631, 4),
        width: expect.closeTo(31.7604, 4),
        height: expect.closeTo(31.773, 4),
      },
    });
    expect(objects[1]).toMatchObject({ category: "polygon_label", shape: { kind: "polygons" } });
    // The triangle (208.711, 11.348), (207.804, 39.035), (226.860, 39.943): half of the cross product is 264.2.
    expect(objects[1].shape.kind === "polygons" && areaOf(objects[1].shape.parts[0])).toBeCloseTo(264.2, 0);
    expect(objects).toHaveLength(2);
    expect(left).toEqual(Array(2).fill("keypointlabels: a point has no area"));
  });

  test("of two annotations of a task the one that was changed last", async () => {
    const set = await readAnnotations(join(folder, "test_export_yolo/data.json"));
    expect(set.images.map(({ name }) => name)).toEqual(["image1", "image2"]);
    const boxes = await Promise.all(set.images.map((image) => image.annotations()));
    expect(boxes.map(({ objects }) => objects.map(({ category }) => category))).toEqual([
      ["parasites", "white"],
      ["white", "white"],
    ]);
    // 37.887 % of 2800, of annotation 2, 21:05; annotation 1, of 21:04, has 37.158 %.
    expect(boxes[0].objects[0].shape).toMatchObject({ x: expect.closeTo(1060.8379, 4) });
    expect(set.left).toEqual([expect.stringContaining("of several of a task, the ground truth or else the latest")]);
  });

  test("a box among points and relations", async () => {
    const { images } = await readAnnotations(join(folder, "test_export_yolo/data_keypoints.json"));
    const { objects, left } = await images[0].annotations();
    expect(objects.map(({ category }) => category)).toEqual(["person"]);
    // 47.305 % of 216 x 50.922 % of 174.
    expect(objects[0].shape).toMatchObject({
      width: expect.closeTo(102.1787, 4),
      height: expect.closeTo(88.6043, 4),
    });
    expect(left).toEqual([
      ...Array(3).fill("keypointlabels: a point has no area"),
      ...Array(5).fill("relation: how regions belong together is not read"),
    ]);
  });

  test("a polygon of 37 points", async () => {
    const { images } = await readAnnotations(join(folder, "test_export_yolo/data_polygons.json"));
    const { objects } = await images[0].annotations();
    expect(objects).toMatchObject([{ category: "Airplane", shape: { kind: "polygons" } }]);
    const [points] = objects[0].shape.kind === "polygons" ? objects[0].shape.parts : [];
    expect(points).toHaveLength(37);
    expect(points[0]).toEqual([384, expect.closeTo(83.3223, 4)]); // 60 % of 640, 19.559 % of 426
  });

  test("a folder of several exports is refused; one is to be named", async () => {
    await expect(readAnnotations(join(folder, "test_export_yolo"))).rejects.toThrow(
      /holds several exports, as data\.json and data_keypoints\.json\. Name one file/,
    );
  });
});

/** The shoelace formula. */
function areaOf(points: readonly (readonly [number, number])[]): number {
  const terms = points.map(([x, y], at) => {
    const [nextX, nextY] = points[(at + 1) % points.length];
    return x * nextY - nextX * y;
  });
  return Math.abs(terms.reduce((sum, term) => sum + term, 0)) / 2;
}

describe("results", () => {
  test("a box in percent of its image, which need not be the size of the file", async () => {
    const { width, height, objects } = await marksOf(result("rectanglelabels", rectangle));
    expect({ width, height }).toEqual({ width: 200, height: 100 });
    // 10 % of 200, 20 % of 100, 30 % of 200, 40 % of 100.
    expect(objects).toEqual([{ category: "cat", shape: { kind: "box", x: 20, y: 20, width: 60, height: 40 } }]);
  });

  test("a box is turned clockwise about its left upper corner, in pixels, not in percent", async () => {
    const { objects } = await marksOf(result("rectanglelabels", { ...rectangle, rotation: 90 }));
    const [{ shape }] = objects;
    const corners = shape.kind === "polygons" ? shape.parts[0].map((point) => point.map(Math.round)) : [];
    // (20, 20) stays; 60 to the right become 60 down, 40 down become 40 to the left.
    expect(corners).toEqual([
      [20, 20],
      [20, 80],
      [-20, 80],
      [-20, 20],
    ]);
    expect(shape).toMatchObject({ isRotatedBox: true });
  });

  test("polygons; an open one is a line", async () => {
    const points = [
      [0, 0],
      [50, 0],
      [50, 100],
    ];
    const { objects, left } = await marksOf(
      result("polygonlabels", { points, closed: true, polygonlabels: ["cat"] }),
      result("polygonlabels", { points, closed: false, polygonlabels: ["cat"] }),
    );
    expect(objects).toEqual([
      { category: "cat", shape: { kind: "polygons", parts: [points.map(([x, y]) => [x * 2, y])] } },
    ]);
    expect(left).toEqual(["polygonlabels: it is not closed, and a line has no area"]);
  });

  test("ellipses have radii in percent of the width and of the height, and turn about their centre", async () => {
    const value = { x: 50, y: 50, radiusX: 10, radiusY: 10, rotation: 30, ellipselabels: ["cat"] };
    const { objects, left } = await marksOf(
      result("ellipselabels", value),
      result("ellipselabels", { ...value, radiusX: 0 }),
    );
    expect(objects).toEqual([
      { category: "cat", shape: { kind: "ellipse", centre: [100, 50], radii: [20, 10], rotation: 30 } },
    ]);
    expect(left).toEqual(["ellipselabels: it has no area"]);
  });

  test("a brush stroke is the pixels of alpha 128 and more", async () => {
    const pixels = Uint8Array.from([0, 127, 128, 255, 200, 0].flatMap((alpha) => [9, 9, 9, alpha]));
    const rle = [...encode(pixels, pixels.length)];
    const small = { original_width: 3, original_height: 2 };
    const { objects } = await marksOf(
      result("brushlabels", { format: "rle", rle, brushlabels: ["cat"] }, small),
      result("brushlabels", { format: "rle", rle: [...rle, 0], brushlabels: ["dog"] }, small),
    );
    const shape = { kind: "runs", left: 0, top: 0, width: 3, height: 2, along: "rows", runs: [2, 3, 1] };
    expect(plain(objects)).toEqual([
      { category: "cat", shape },
      { category: "dog", shape }, // a padding byte at the end changes nothing
    ]);
  });

  test("choices are tags of the image, and those of a region its attributes", async () => {
    const choice = (id: string, choices: string[]) => ({ id, type: "choices", from_name: "sure", value: { choices } });
    const { objects } = await marksOf(
      result("rectanglelabels", rectangle),
      choice("r1", ["no", "maybe"]),
      choice("c1", ["indoor", "night"]),
    );
    expect(objects).toEqual([
      {
        category: "cat",
        shape: { kind: "box", x: 20, y: 20, width: 60, height: 40 },
        attributes: { sure: "no, maybe" },
      },
      { category: "indoor", shape: { kind: "image" } },
      { category: "night", shape: { kind: "image" } },
    ]);
  });

  test("a region whose labels stand in a result of their own counts once; without any it is left out", async () => {
    const { rectanglelabels, ...bare } = rectangle;
    const { objects, left } = await marksOf(
      result("rectangle", bare),
      result("labels", { ...bare, labels: rectanglelabels }),
      result("rectangle", bare, { id: "r2" }),
      result("rectanglelabels", { ...bare, rectanglelabels: [] }, { id: "r3" }),
    );
    expect(objects.map(({ category }) => category)).toEqual(["cat"]);
    expect(left).toEqual(["rectangle: it has no label", "rectanglelabels: it has no label"]);
  });

  test("two labels of a region are two objects", async () => {
    const { objects } = await marksOf(result("rectanglelabels", { ...rectangle, rectanglelabels: ["cat", "wet"] }));
    expect(objects.map(({ category }) => category)).toEqual(["cat", "wet"]);
  });

  test("texts, series, trees and further images of a task are named and left out", async () => {
    const { objects, left } = await marksOf(
      { id: "t", type: "textarea", value: { text: ["a"] } },
      { id: "s", type: "timeserieslabels", value: { start: 1, end: 2, timeserieslabels: ["run"] } },
      { id: "x", type: "taxonomy", value: { taxonomy: [["a", "b"]] } },
      result("rectanglelabels", rectangle, { item_index: 1 }),
    );
    expect(objects).toEqual([]);
    expect(left).toEqual([
      "textarea: texts are not read",
      "timeserieslabels: it marks no place in an image",
      "taxonomy: trees of choices are not read",
      "result: tasks of several images are read for their first alone",
    ]);
  });

  test("without original_width the file's own size counts", async () => {
    const { original_width, original_height, ...old } = result("rectanglelabels", rectangle);
    const { width, height, objects } = await marksOf(old);
    expect({ width, height }).toEqual({ width: 20, height: 10 });
    expect(objects[0].shape).toEqual({ kind: "box", x: 2, y: 2, width: 6, height: 4 });
  });
});

describe("tasks", () => {
  test("a region of an image that was turned is refused by its name", async () => {
    const turned = (degrees: number) => result("rectanglelabels", rectangle, { image_rotation: degrees });
    await expect(marksOf(turned(90))).rejects.toThrow(
      /export\.json: task 7, result "r1" was drawn on the image turned by 90 degrees \("image_rotation"\)\. Turn the image/,
    );
    expect((await marksOf(turned(360))).objects).toHaveLength(1);
    const choice = result("choices", { choices: ["cat"] }, { image_rotation: 90 });
    expect((await marksOf(choice)).objects).toHaveLength(1);
  });

  test.each([
    ["an upload's path", "/data/upload/1/0a1b2c3d-1.png"],
    ["a local file", "/data/local-files/?d=set%2Fa%20b%2F1.png"],
    ["a bucket", "s3://bucket/set/1.png"],
    ["an address", "https://host:80/x/1.png?signature=a%2Fb"],
    ["a path of another machine", "C:\\set\\1.png"],
  ])("an image is found by %s", async (_, address) => {
    const { images } = await read([task([], { data: { image: address } })]);
    expect(images[0].name).toBe("1.png");
  });

  test("an upload that kept its prefix on disk is found too, and by file_upload", async () => {
    const files = { "0a1b2c3d-1.png": greyPng(20, 10) };
    expect((await read([task([])], files)).images[0].name).toBe("0a1b2c3d-1.png");
    const uploaded = task([], { data: { photo: "/image1" }, file_upload: "0a1b2c3d-1.png" });
    expect((await read([uploaded])).images[0].name).toBe("1.png");
  });

  test("cancelled annotations do not count, and a task without one is not annotated", async () => {
    const cancelled = { id: 1, was_cancelled: true, result: [result("rectanglelabels", rectangle)] };
    const files = { "1.png": greyPng(20, 10), "2.png": greyPng(20, 10) };
    const { images, left } = await read(
      [task([], { annotations: [cancelled] }), task([], { id: 8, data: { image: "2.png" }, annotations: [] })],
      files,
    );
    expect(images.map(({ isAnnotated }) => isAnnotated)).toEqual([false, false]);
    expect((await images[0].annotations()).objects).toEqual([]);
    expect(left).toEqual(["annotation: it was cancelled"]);
  });

  test("an annotation without results says that there is nothing", async () => {
    const { images } = await read([task([])]);
    expect(images[0].isAnnotated).toBe(true);
  });

  test("predictions and drafts are no annotations", async () => {
    const prediction = { model_version: "m", result: [result("rectanglelabels", rectangle)] };
    const { images, left } = await read([
      task([], { annotations: [], predictions: [prediction], drafts: [prediction] }),
    ]);
    expect(images[0].isAnnotated).toBe(false);
    expect(left).toEqual(Array(2).fill("prediction or draft: it is no annotation"));
  });

  test("the ground truth counts before a later annotation", async () => {
    const annotation = (label: string, more: object) => ({
      result: [result("rectanglelabels", { ...rectangle, rectanglelabels: [label] })],
      ...more,
    });
    const { images, left } = await read([
      task([], {
        annotations: [
          annotation("true", { ground_truth: true, created_at: "2024-01-01T00:00:00Z" }),
          annotation("late", { created_at: "2025-01-01T00:00:00Z" }),
        ],
      }),
    ]);
    expect((await images[0].annotations()).objects.map(({ category }) => category)).toEqual(["true"]);
    expect(left).toHaveLength(1);
  });

  test("old exports have completions", async () => {
    const { annotations, ...old } = task([]);
    const { images } = await read([{ ...old, completions: [{ result: [result("rectanglelabels", rectangle)] }] }]);
    expect((await images[0].annotations()).objects).toHaveLength(1);
  });

  test("tasks without an image are named and left out", async () => {
    const { images, left } = await read([task([], { data: { text: "hello" } })]);
    expect(images).toEqual([]);
    expect(left).toEqual(["task: it has no single image"]);
  });
});

describe("brush strokes", () => {
  test("come back as they went, whatever the pattern", () => {
    for (const [width, height] of [
      [1, 1],
      [7, 3],
      [64, 64],
      [300, 301],
    ] as const) {
      for (const period of [1, 2, 3, 17, 5000]) {
        const mask = Array.from({ length: width * height }, (_, at) => Math.floor(at / period) % 2 === 1);
        const pixels = Uint8Array.from({ length: 4 * mask.length }, (_, at) => (mask[at >> 2] ? 255 : 0));
        expect(Buffer.compare(encodeBrush(mask), encode(pixels, pixels.length)), `${width}, ${period}`).toBe(0);
        const runs = decodeBrush(encodeBrush(mask), { width, height });
        if (typeof runs === "string") throw new Error(runs);
        const back = [...runs].flatMap((length, at) => Array<boolean>(length).fill(at % 2 === 1));
        expect(back).toEqual(mask);
      }
    }
  });

  test("an example worked out bit by bit", () => {
    // One white pixel: 4 values; word of 8 bits (7), sizes of runs 3, 4, 8 and 16 bits (2, 3, 7, 15); then one run:
    // 1, size 0, length 4 (3), value 255: 1 00 011 11111111, filled up with 0.
    const bits = `${(4).toString(2).padStart(32, "0")}${"00111"}${"0010"}${"0011"}${"0111"}${"1111"}${"10001111111111"}`;
    const bytes = bits
      .padEnd(Math.ceil(bits.length / 8) * 8, "0")
      .match(/.{8}/g)
      ?.map((byte) => Number.parseInt(byte, 2));
    expect(decodeBrush(Uint8Array.from(bytes ?? []), { width: 1, height: 1 })).toEqual(Uint32Array.from([0, 1]));
  });
});

describe("what is malformed is one line with file, task and cure", () => {
  const text = (tasks: unknown) => ({ "export.json": JSON.stringify(tasks), "1.png": greyPng(20, 10) });
  const one = (...results: unknown[]) => text([task(results)]);
  const brush = (rle: unknown, more = {}) =>
    one(result("brushlabels", { rle, brushlabels: ["cat"] }, { original_width: 1, original_height: 1, ...more }));
  const cases: [string, Readonly<Record<string, string | Uint8Array>>, RegExp][] = [
    ["nothing", { "a.txt": "" }, /holds no \.json with tasks/],
    ["cut off", { "export.json": JSON.stringify([task([])]).slice(0, -9) }, /export\.json: is not JSON .* Export/],
    ["an empty file", { "export.json": "" }, /export\.json: is empty \(0 bytes\)/],
    ["no task", { "export.json": "[]" }, /export\.json: holds no task\. Export it again/],
    ["no list", { "export.json": "{}" }, /export\.json: is no list of tasks\. Export it/],
    ["a task a line", { "export.json": '{"id": 1}\n{"id": 2}' }, /export\.json: is not JSON/],
    [
      "UTF-16",
      { "export.json": Buffer.from(JSON.stringify([task([])]), "utf16le") },
      /export\.json: is UTF-16\. Save it/,
    ],
    [
      "Latin-1",
      { "export.json": Buffer.from(JSON.stringify([task([], { a: "\u00e9" })]), "latin1") },
      /is not UTF-8 text/,
    ],
    ["NaN", { "export.json": JSON.stringify([task([])]).replace('"id":7', '"id":NaN') }, /export\.json: is not JSON/],
    ["a huge number", one(result("rectanglelabels", { ...rectangle, x: 1e300 })), /"r1" has the x 1e\+300, no number/],
    [
      "an endless number",
      {
        "export.json": JSON.stringify([task([result("rectanglelabels", { ...rectangle, x: 7e7 })])]).replace(
          "70000000",
          "1e999",
        ),
        "1.png": greyPng(20, 10),
      },
      /"r1" has the x null, no number/,
    ],
    [
      "labels of numbers",
      one(result("rectanglelabels", { ...rectangle, rectanglelabels: [1] })),
      /"r1" has the labels \[1\]/,
    ],
    ["an empty label", one(result("rectanglelabels", { ...rectangle, rectanglelabels: [""] })), /it has no label\)/],
    [
      "a size of 0",
      one(result("rectanglelabels", { ...rectangle, width: 0 })),
      /left out: rectanglelabels: it has no area/,
    ],
    [
      "two sizes",
      one(result("rectanglelabels", rectangle), result("rectanglelabels", rectangle, { original_width: 7 })),
      /elsewhere/,
    ],
    [
      "another shape than the image",
      one(result("rectanglelabels", rectangle, { original_width: 300 })),
      /made at 300 x 100/,
    ],
    [
      "an absent image",
      { "export.json": JSON.stringify([task([result("rectanglelabels", rectangle)])]) },
      /is absent .*--images/,
    ],
    [
      "a path out of the export",
      text([
        task([result("rectanglelabels", rectangle)], { data: { image: "/data/local-files/?d=..%2F..%2Fetc%2Fx.png" } }),
      ]),
      /is absent \(.*files-\w+\/x\.png\)/,
    ],
    [
      "an image cut off",
      { ...one(result("rectanglelabels", rectangle)), "1.png": greyPng(20, 10).slice(0, 30) },
      /1\.png: not an image that can be read/,
    ],
    [
      "no single image",
      text([task([], { data: { image: ["1.png"] } })]),
      /no image \(left out: task: it has no single image\)/,
    ],
    [
      "a broken configuration",
      { ...one(result("rectanglelabels", rectangle)), "label_config.xml": "<View>" },
      /config\.xml:1: is/,
    ],
    ["an archive", { "export.zip": "PK" }, /holds no \.json with tasks/],
    ["two exports", { "a.json": JSON.stringify([task([])]), "b.json": JSON.stringify([task([])]) }, /several exports/],
    ["the short form", text([{ image: "1.png", id: 1, label: [], annotator: 1 }]), /task 1: .* short form, JSON-MIN/],
    ["no data", text([{ id: 3, annotations: [] }]), /task 3: has no "data"/],
    ["a task that is a text", text([task([]), "a"]), /task 2: is "a", no object/],
    ["two tasks of one image", text([task([]), task([], { id: 8 })]), /two tasks are of the same image/],
    ["annotations that are no list", text([task([], { annotations: 5 })]), /task 7: "annotations" is no list/],
    ["a result that is no list", text([task("a")]), /task 7: "result" is "a", no list/],
    ["a result that is no object", one(5), /task 7, result 1 is 5, no object/],
    ["no value", one({ id: "a", type: "rectanglelabels", ...size }), /task 7, result "a" has no value/],
    ["no width", one(result("rectanglelabels", { ...rectangle, width: undefined })), /"r1" has the width undefined/],
    ["a text for a number", one(result("rectanglelabels", { ...rectangle, x: "1" })), /"r1" has the x "1", no number/],
    ["a negative width", one(result("rectanglelabels", { ...rectangle, width: -1 })), /"r1" has the size -1 x 40/],
    ["an image of no size", one(result("rectanglelabels", rectangle, { original_width: 0 })), /has 0 x 100 pixels/],
    ["a huge image", one(result("rectanglelabels", rectangle, { original_width: 1e9 })), /1000000000 x 100 pixels/],
    [
      "two points",
      one(
        result("polygonlabels", {
          points: [
            [1, 2],
            [3, 4],
          ],
        }),
      ),
      /"r1" has no list of 3 points/,
    ],
    ["a point of a text", one(result("polygonlabels", { points: [[1, 2], [3, 4], "a"] })), /has the point "a"/],
    ["no radius", one(result("ellipselabels", { x: 1, y: 1, radiusX: 2 })), /has the radiusY undefined/],
    ["choices of numbers", one({ id: "c", type: "choices", value: { choices: [1] } }), /"c" has the choices \[1\]/],
    ["an rle that is a text", brush("abc"), /"r1" has an rle that is no list of bytes/],
    ["an rle of large numbers", brush([1, 2, 300]), /has an rle that is no list of bytes/],
    ["an rle of another size", brush([...encodeBrush([1, 1])]), /holds 8 values, 1 x 1 pixels of RGBA are 4/],
    ["an rle that ends too early", brush([...encodeBrush([1])].slice(0, 8)), /ends after 8 bytes/],
  ];
  test.each(cases)("%s", (_, files, message) => expectRefusal(files, { from: "label-studio", message }));

  const good = JSON.stringify([task([result("rectanglelabels", rectangle)])], null, 1);
  test.each<[string, string, RegExp[]]>([
    ["a byte-order mark", `\uFEFF${good}`, []],
    ["carriage returns", good.replaceAll("\n", "\r\n"), []],
    [
      "a split of another name",
      good.replace('"data"', '"meta": { "split": "fold 3" }, "data"'),
      [/"fold 3"; their images/],
    ],
  ])("%s is no fault", async (_, json, notes) => {
    const files = { "export.json": json, "1.png": greyPng(20, 10) };
    const { report, samples } = await expectAccepted(files, { from: "label-studio" });
    expect(Object.values(samples)).toMatchObject([{ aspects: { cat: { boxes: [expect.any(Array)] } } }]);
    expect(report.notes).toEqual([...notes, /were scaled$/].map((note) => expect.stringMatching(note)));
  });
});
