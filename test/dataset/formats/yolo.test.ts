/** YOLO: files of the tools themselves, and sets written here; numbers worked out by hand. */

import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readAnnotations } from "../../../src/dataset/formats/tools.js";
import { sharedData } from "../../helpers/label-tools.js";
import { expectAccepted, expectRefusal } from "../../helpers/malformed.js";
import { greyPng, writeFiles } from "../../helpers/write-files.js";

const tools = sharedData("label-tools");
const image = greyPng(10, 10);

describe.skipIf(tools === undefined)("the files of label-tools", () => {
  test.each([
    ["strict", [["obj_train_data/1.jpg", "train"]]],
    [
      "labels",
      [
        ["images/train/1.jpg", "train"],
        ["images/val/1.jpg", "val"],
      ],
    ],
    ["annotations", [["Images/1.jpg", undefined]]],
  ])("%s", async (name, expected) => {
    const { tool, images, categories } = await readAnnotations(join(tools ?? "", "yolo_dataset", name));
    expect(tool).toBe("yolo");
    expect(images.map((one) => [one.name, one.split])).toEqual(expected);
    expect(categories).toHaveLength(10);
    for (const one of images) {
      const { objects, width, height } = await one.annotations();
      expect([width, height]).toEqual([1, 1]);
      expect(objects.map(({ category }) => category)).toEqual(["label_2", "label_4"]);
      // Centre 0.133333, 0.3; size 0.266667 x 0.2: of 15 x 10 pixels 0..4 x 2..4.
      const [{ shape }] = objects;
      if (shape.kind !== "box") throw new Error(shape.kind);
      for (const [found, pixels] of [
        [shape.x * 15, 0],
        [shape.y * 10, 2],
        [shape.width * 15, 4],
        [shape.height * 10, 2],
      ])
        expect(found).toBeCloseTo(pixels, 4);
    }
  });
});

const set = (yaml: string, labels: Readonly<Record<string, string>> = {}) => ({
  "data.yaml": yaml,
  "images/train/a.png": image,
  "images/train/b.png": image,
  "images/val/c.png": image,
  ...labels,
});
const YAML = "train: images/train\nval: images/val\nnames: [no, 007]\n";

describe("data.yaml", () => {
  test("names stay the texts that they are; empty and absent label files are told apart", async () => {
    const files = set(YAML, { "labels/train/a.txt": "1 0.5 0.5 0.2 0.4\n", "labels/train/b.txt": "" });
    const { categories, images } = await readAnnotations(writeFiles(files));
    expect(categories).toEqual(["no", "007"]);
    expect(images.map((one) => [one.name, one.split, one.isAnnotated])).toEqual([
      ["images/train/a.png", "train", true],
      ["images/train/b.png", "train", true],
      ["images/val/c.png", "val", false],
    ]);
    expect((await images[0].annotations()).objects).toEqual([
      { category: "007", shape: { kind: "box", x: 0.4, y: 0.3, width: 0.2, height: 0.4 } },
    ]);
    expect((await images[1].annotations()).objects).toEqual([]);
  });

  test("names as a map, a path, lists of images, a licence, a download that is not run", async () => {
    const yaml =
      "path: set\ntrain: train.txt\nval: [images/val]\nnames: {0: cat, 3: dog}\nnc: 2\nlicense: MIT\ndownload: |\n  rm -rf /\n";
    const folder = writeFiles({
      "data.yaml": yaml,
      "set/train.txt": "./images/x/a.png\n\n",
      "set/images/x/a.png": image,
      "set/images/val/b.png": image,
      "set/labels/x/a.txt": "3 0.5 0.5 1 1",
    });
    const { images, licence, left } = await readAnnotations(folder);
    expect(images.map((one) => [one.name, one.split])).toEqual([
      ["set/images/x/a.png", "train"],
      ["set/images/val/b.png", "val"],
    ]);
    expect((await images[0].annotations()).objects[0].category).toBe("dog");
    expect({ licence, left }).toEqual({ licence: "MIT", left: ["download: never run; fetch the images yourself"] });
  });

  test("Roboflow's paths, and a path of another machine", async () => {
    const yaml =
      "path: /nobody/here\ntrain: ../train/images\nval: ../valid/images\ntest: ../test/images\nnames: [a]\nroboflow:\n  license: CC BY 4.0\n";
    const folder = writeFiles({
      "data.yaml": yaml,
      "train/images/a.png": image,
      "train/labels/a.txt": "0 0.5 0.5 1 1",
      "valid/images/a.png": image,
    });
    const { images, licence, left } = await readAnnotations(folder);
    expect(images.map((one) => [one.name, one.split, one.isAnnotated])).toEqual([
      ["train/images/a.png", "train", true],
      ["valid/images/a.png", "val", false],
    ]);
    expect([licence, left]).toEqual(["CC BY 4.0", ["test: ../test/images is absent"]]);
  });

  test("more than six columns anywhere make the whole file polygons", async () => {
    const rows = "0 0 0 1 0 1 1\n1 0.2 0.2 0.4 0.4\n";
    const { images } = await readAnnotations(writeFiles(set(YAML, { "labels/train/a.txt": rows })));
    const { objects, left } = await images[0].annotations();
    expect(objects).toEqual([
      {
        category: "no",
        shape: {
          kind: "polygons",
          parts: [
            [
              [0, 0],
              [1, 0],
              [1, 1],
            ],
          ],
        },
      },
    ]);
    expect(left).toEqual([expect.stringMatching(/^polygon of fewer than three points.*a\.txt:2\)$/)]);
  });

  test("keypoints are left out, their boxes kept", async () => {
    const files = set(`${YAML}kpt_shape: [1, 3]\n`, { "labels/train/a.txt": "0 0.5 0.5 0.2 0.2 0.5 0.5 2" });
    const { images } = await readAnnotations(writeFiles(files));
    const { objects, left } = await images[0].annotations();
    expect(objects).toHaveLength(1);
    expect(left).toEqual(["keypoints: points are no area and no box"]);
  });
});

describe("what is malformed is one line with file, line and cure", () => {
  const rows = (text: string) => set(YAML, { "labels/train/a.txt": text });
  const cases: [string, Readonly<Record<string, string | Uint8Array>>, RegExp][] = [
    ["no YAML", set("names: [a\ntrain: x"), /data\.yaml:\d+:\d+: is not YAML/],
    ["a list", set("- names: [a]\nnames: x"), /data\.yaml:\d+:\d+: is not YAML|is no map/],
    ["an alias", set(`${YAML}x: &a [1]\ny: *a\n`), /data\.yaml:5:4: an alias/],
    ["empty names", set("names:\ntrain: images/train"), /data\.yaml:1:\d: has no names\. List/],
    ["names as a number", set("train: images/train\nnames: {a: b}"), /data\.yaml:2:9: the class "a" is no number/],
    ["a class without a name", set('train: images/train\nnames: ["", b]'), /data\.yaml:2:8: class 0 has no name/],
    ["names in names", set("train: images/train\nnames: [[a]]"), /data\.yaml:2:9: names is a list\. Write a text/],
    ["a wrong nc", set(`${YAML}nc: 3`), /data\.yaml:4:5: nc is 3, but there are 2 names/],
    ["an absent folder", set("train: nowhere\nnames: [a]"), /data\.yaml:1:8: train: nowhere is absent/],
    ["train as a map", set("train: {a: b}\nnames: [a]"), /data\.yaml:1:8: train is a map/],
    ["two of them", { ...set(YAML), "other.yaml": YAML }, /data\.yaml and .*other\.yaml both describe/],
    ["a word", rows("0 0.5 half 1 1"), /labels\/train\/a\.txt:1: "half" is no number\. Write class/],
    ["pixels", rows("0 0.5 0.5 1 1\n0 50 50 10 10"), /a\.txt:2: 50 is no share of the image\. Divide/],
    ["a negative share", rows("0 -0.5 0.5 1 1"), /a\.txt:1: -0\.5 is no share/],
    ["an unknown class", rows("2 0.5 0.5 1 1"), /a\.txt:1: the class 2 has no name\. Name it/],
    ["a half class", rows("0.5 0.5 0.5 1 1"), /a\.txt:1: the class 0\.5 has no name/],
    ["four numbers", rows("0 0.5 0.5 1"), /a\.txt:1: 4 numbers\. Write class, centre/],
    ["half a point", rows("0 0 0 1 0 1 1 0"), /a\.txt:1: a polygon with half a point/],
    ["UTF-16", { ...rows(""), "labels/train/a.txt": Buffer.from("0 0.5 0.5 1 1", "utf16le") }, /a\.txt: is UTF-16/],
    ["Latin-1", { ...rows(""), "labels/train/a.txt": Uint8Array.of(0x30, 0xe9) }, /a\.txt: is not UTF-8 text/],
    [
      "obj.data without names",
      { "obj.data": "names =\ntrain = t.txt", "a.png": image },
      /obj\.data: names .*is absent/,
    ],
    [
      "obj.data with a line of text",
      { "obj.data": "names = o.names\nhello", "o.names": "a" },
      /obj\.data:2: "hello" has no "="/,
    ],
    ["an empty line in obj.names", { "obj.data": "names = o.names", "o.names": "a\n\nb" }, /o\.names:2: an empty line/],
    ["NaN", rows("0 NaN 0.5 1 1"), /a\.txt:1: "NaN" is no number/],
    ["an endless number", rows("0 1e999 0.5 1 1"), /a\.txt:1: "1e999" is no number/],
    ["a hexadecimal number", rows("0 0x1 0.5 1 1"), /a\.txt:1: "0x1" is no number/],
    ["a negative size", rows("0 0.5 0.5 -0.2 0.2"), /a\.txt:1: -0\.2 is no share/],
    ["commas", rows("0,0.5,0.5,0.2,0.2"), /a\.txt:1: "0,0\.5,0\.5,0\.2,0\.2" is no number/],
    ["a negative class", rows("-1 0.5 0.5 1 1"), /a\.txt:1: the class -1 has no name/],
    ["an empty data.yaml", { "data.yaml": "", "a.png": image }, /data\.yaml: is empty \(0 bytes\)/],
    [
      "data.yaml in UTF-16",
      { "data.yaml": Buffer.from(YAML, "utf16le"), "a.png": image },
      /data\.yaml: is UTF-16\. Save/,
    ],
    ["a key twice", set(`${YAML}names: [a]`), /data\.yaml:4:1: is not YAML \(Map keys must be unique\)/],
    [
      "names that are a file's",
      set("train: images/train\nnames: data/coco.names"),
      /data\.yaml:2:8: names is "data\/coco/,
    ],
    ["nc as a list", set(`${YAML}nc: [2]`), /data\.yaml:4:5: nc is a list, but there are 2 names/],
    [
      "a folder without images",
      { ...set(YAML.replace("images/val", "empty")), "empty/a.md": "" },
      /empty: holds no image of "val/,
    ],
    [
      "a split that is no list",
      set(YAML.replace("images/val", "data.yaml")),
      /data\.yaml: is neither a folder nor a \.txt/,
    ],
    [
      "a list of an absent image",
      {
        ...set(YAML.replace("images/val", "v.txt"), { "labels/train/a.txt": "0 0.5 0.5 1 1" }),
        "v.txt": "../../etc/x.png\n",
      },
      /the image "etc\/x\.png" is absent \(.*files-\w+\/etc\/x\.png\)/,
    ],
    [
      "a list in UTF-16",
      { ...set(YAML.replace("images/val", "v.txt")), "v.txt": Buffer.from("x", "utf16le") },
      /v\.txt: is UTF/,
    ],
    [
      "an image cut off",
      { ...rows("0 0.5 0.5 1 1"), "images/train/a.png": image.slice(0, 30) },
      /train\/a\.png: not an image that can be read/,
    ],
    ["an empty obj.names", { "obj.names": "", "a.png": image, "a.txt": "0 0.5 0.5 1 1" }, /obj\.names: is empty/],
    ["boxes without extent alone", rows("0 0.5 0.5 0 0.2"), /nothing is marked \(left out: box without .*a\.txt:1/],
    ["an archive", { "export.zip": "PK" }, /has neither data\.yaml nor obj\.data/],
    ["none of them", { "a.png": image, "a.txt": "0 0.5 0.5 1 1" }, /has neither data\.yaml nor obj\.data/],
  ];
  test.each(cases)("%s", (_, files, message) => expectRefusal(files, { from: "yolo", message }));

  test.each<[string, Readonly<Record<string, string | Uint8Array>>, unknown, RegExp[]]>([
    ["a byte-order mark", rows("\uFEFF0 0.5 0.5 0.2 0.2"), [[0.4, 0.4, 0.6, 0.6]], []],
    ["carriage returns", rows("0 0.5 0.5 0.2 0.2\r\n"), [[0.4, 0.4, 0.6, 0.6]], []],
    ["rounding beyond the edge", rows("0 0.5 0.5 1.005 0.2"), [[0.4, 0, 0.6, 1]], [/1 boxes reached out/]],
    [
      "a confidence in a sixth column",
      rows("0 0.5 0.5 0.2 0.2 0.9"),
      [[0.4, 0.4, 0.6, 0.6]],
      [/sixth number of a row/],
    ],
    ["a row twice", rows("0 0.5 0.5 0.2 0.2\n0 0.5 0.5 0.2 0.2"), Array(2).fill([0.4, 0.4, 0.6, 0.6]), []],
    [
      "a label file without an image",
      { ...rows("0 0.5 0.5 0.2 0.2"), "labels/train/z.txt": "0 0.5 0.5 0.2 0.2" },
      [[0.4, 0.4, 0.6, 0.6]],
      [/label file without an image \(.*z\.txt\)/],
    ],
  ])("%s is no fault", async (_, files, boxes, notes) => {
    const { samples, report } = await expectAccepted({ ...files, "labels/train/b.txt": "" }, { from: "yolo" });
    expect(samples["images/train/a.png"]).toMatchObject({ aspects: { no: { boxes } } });
    expect(report.notes).toEqual(notes.map((note) => expect.stringMatching(note)));
  });
});
