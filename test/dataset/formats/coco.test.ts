/** COCO: files of the tools themselves, and sets written here; numbers worked out by hand. */

import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { unpackRuns } from "../../../src/dataset/formats/coco-runs.js";
import { importAnnotations } from "../../../src/dataset/formats/import.js";
import { readAnnotations } from "../../../src/dataset/formats/tools.js";
import { readRaster } from "../../../src/dataset/raster.js";
import { sharedData } from "../../helpers/label-tools.js";
import { expectAccepted, expectRefusal, plain } from "../../helpers/malformed.js";
import { greyPng, writeFiles } from "../../helpers/write-files.js";

const tools = sharedData("label-tools");

const objectsOf = async (source: string) => {
  const { images, tool } = await readAnnotations(source);
  expect(tool).toBe("coco");
  const read = images.map(async (image) => [image.name, plain((await image.annotations()).objects)]);
  return Object.fromEntries(await Promise.all(read));
};
const image = (changes: object = {}) => ({ id: 1, file_name: "a.png", width: 4, height: 3, ...changes });
const annotation = (changes: object = {}) => ({ id: 1, image_id: 1, category_id: 7, bbox: [0, 0, 2, 2], ...changes });
const coco = (changes: object = {}) =>
  JSON.stringify(
    { images: [image()], categories: [{ id: 7, name: "cell" }], annotations: [annotation()], ...changes },
    null,
    1,
  );
const withImage = (json: string) => ({ "a.png": greyPng(4, 3), "instances.json": json });

const POLYGON = {
  category: "a",
  shape: {
    kind: "polygons",
    parts: [
      [
        [0, 0],
        [1, 0],
        [1, 2],
        [0, 2],
      ],
    ],
  },
};
const CROWD = {
  category: "b",
  isIgnored: true,
  shape: { kind: "runs", left: 0, top: 0, width: 5, height: 10, along: "columns", runs: [0, 20, 30] },
};
const BOX = { category: "b", shape: { kind: "box", x: 2, y: 2, width: 3, height: 1 } };
const ATTRIBUTES = { attributes: { x: "1", y: "hello" } };

describe.skipIf(tools === undefined)("the files of label-tools", () => {
  const at = (name: string) => join(tools ?? "", "coco_dataset", name);

  test.each(["coco_instances", "mmdet_coco", "coco_person_keypoints"])("%s", async (name) => {
    expect(await objectsOf(at(name))).toEqual({
      "train/a.jpg": [BOX],
      "val/b.jpg": [{ ...POLYGON, ...ATTRIBUTES }, CROWD],
    });
  });

  test("splits, sizes, categories without any object, and keypoints that are left out", async () => {
    const { images, categories } = await readAnnotations(at("coco_person_keypoints"));
    expect(images.map(({ split, isAnnotated }) => [split, isAnnotated])).toEqual([
      ["train", true],
      ["val", true],
    ]);
    expect(await images[1].annotations()).toMatchObject({
      width: 5,
      height: 10,
      left: [expect.stringContaining("keypoints: "), expect.anything()],
    });
    expect(categories).toEqual(["a", "b"]);
    expect((await readAnnotations(at("coco_instances"))).categories).toEqual(["a", "b", "c"]);
  });

  test("labels alone are tags", async () => {
    const tag = (category: string) => ({ category, shape: { kind: "image" } });
    expect(await objectsOf(at("coco_labels"))).toEqual({
      "train/a.jpg": [tag("b")],
      "val/b.jpg": [tag("a"), tag("b")],
    });
  });

  test("stuff: 20 pixels each, to be ignored, since they are marked as crowds", async () => {
    const objects = await objectsOf(at("coco_stuff"));
    expect(objects["val/b.jpg"]).toEqual([CROWD]);
    const runs = { kind: "runs", left: 0, top: 0, width: 10, height: 5, along: "columns", runs: [10, 10, 5, 10, 15] };
    expect(objects["train/a.jpg"]).toEqual([{ category: "a", isIgnored: true, shape: runs }]);
  });

  test("all kinds in one folder: what several files say is there once", async () => {
    const objects = await objectsOf(at("coco"));
    expect(objects["val/b.jpg"]).toEqual([
      { ...POLYGON, ...ATTRIBUTES },
      CROWD,
      { category: "a", shape: { kind: "image" } },
      { category: "b", shape: { kind: "image" } },
    ]);
    const { images } = await readAnnotations(at("coco"));
    const left = (await images[0].annotations()).left?.join();
    for (const word of ["keypoints", "caption", "panoptic"]) expect(left).toContain(word);
  });

  test("image_info: images that nobody annotated", async () => {
    const { images } = await readAnnotations(at("coco_image_info"));
    expect(images.map(({ isAnnotated }) => isAnnotated)).toEqual([false, false]);
    await expect(importAnnotations([at("coco_image_info")], "none", { dryRun: true })).rejects.toThrow(/tells a class/);
  });

  test.each([
    ["coco_captions", /nothing that can be carried \(caption: a text about the whole image\)\. Export instances/],
    ["coco_panoptic", /nothing that can be carried \(panoptic segments: .*\)\. Export instances/],
  ])("%s is refused with the reason", async (name, reason) => {
    await expect(readAnnotations(at(name))).rejects.toThrow(reason);
  });

  test("imported, masks have the areas that COCO says", async () => {
    const folder = join(mkdtempSync(join(tmpdir(), "coco-")), "set");
    const report = await importAnnotations([at("coco_instances")], folder);
    expect(report.samples).toEqual({ train: 1, validation: 1, test: 0 });
    const samples = readFileSync(join(folder, "samples.jsonl"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const b = samples.find((sample) => sample.image === "images/val/b.jpg");
    // "area": 2.0
    const { mask, values } = b.aspects.a;
    const raster = await readRaster(join(folder, mask));
    expect(raster.values.filter((value) => values.includes(value))).toHaveLength(2);
    // The crowd of b covers the first two columns of five, 20 pixels of 10 rows.
    expect(b.aspects.b).toEqual({ boxes: [], ignoredBoxes: [[0, 0, 1, 0.4]] });
  });
});

describe("runs as text", () => {
  test.each([
    // 5, 2 and 5 fit into five bits each.
    ["525", [5, 2, 5]],
    // The fourth is 1 less than the second: -1 is 31 of 5 bits with its sign, and 31 + 48 is "O".
    ["122O", [1, 2, 2, 1]],
    // 100 is 3 * 32 + 4: first 4 with "more" (36 + 48 is "T"), then 3.
    ["0T3", [0, 100]],
    // 16 needs a second group, since bit 0x10 of the last is the sign: 16 + 32 + 48 is "`", then 0.
    ["`0", [16]],
    // The fifth is the third and 1000 more: 1000 is 31 * 32 + 8, and 31 once more split for its sign: 8+32, 31+32, 0.
    ["1111Xo0", [1, 1, 1, 2, 1001]],
    ["", []],
  ])("%s", (text, runs) => {
    expect(unpackRuns(text)).toEqual(runs);
  });

  test.each(["T", " ", "é", "oooooooo1"])("%s is none", (text) => expect(unpackRuns(text)).toBeUndefined());
});

describe("sets of our own", () => {
  test("compressed runs, several polygons of one object, and gaps in ids", async () => {
    const objects = await objectsOf(
      writeFiles(
        withImage(
          coco({
            categories: [
              { id: 7, name: "cell" },
              { id: 90, name: "no" },
            ],
            annotations: [
              // Down the columns of 3: 1 out, 2 in, 2 out, 1 in, 6 out.
              annotation({ segmentation: { counts: "122O4", size: [3, 4] } }),
              annotation({
                category_id: 90,
                segmentation: [
                  [0, 0, 2, 0, 2, 2],
                  [3, 0, 4, 0, 4, 1],
                ],
              }),
              annotation({ segmentation: null, bbox: [1, 1, 0.5, 2] }),
            ],
          }),
        ),
      ),
    );
    expect(objects["a.png"]).toEqual([
      {
        category: "cell",
        shape: { kind: "runs", left: 0, top: 0, width: 4, height: 3, along: "columns", runs: [1, 2, 2, 1, 6] },
      },
      {
        category: "no",
        shape: {
          kind: "polygons",
          parts: [
            [
              [0, 0],
              [2, 0],
              [2, 2],
            ],
            [
              [3, 0],
              [4, 0],
              [4, 1],
            ],
          ],
        },
      },
      { category: "cell", shape: { kind: "box", x: 1, y: 1, width: 0.5, height: 2 } },
    ]);
  });

  test("Roboflow's placement: a file in the folder of each split, images of one name in several", async () => {
    const { images, licence } = await readAnnotations(
      writeFiles({
        "train/_annotations.coco.json": coco({ licenses: [{ id: 1, name: "CC BY 4.0" }] }),
        "train/a.png": greyPng(4, 3),
        "valid/_annotations.coco.json": coco(),
        "valid/a.png": greyPng(4, 3),
      }),
    );
    expect(images.map(({ name, split }) => [name, split])).toEqual([
      ["train/a.png", "train"],
      ["valid/a.png", "valid"],
    ]);
    expect(licence).toBe("CC BY 4.0");
  });

  test("annotations may stand before the images, and lists may be long", async () => {
    const count = 3000;
    const many = Array.from({ length: count }, (_, id) => image({ id, file_name: `${id}.png` }));
    const folder = writeFiles({
      "x.json": JSON.stringify({
        info: { description: 'a "quoted" [text] {' },
        annotations: many.flatMap(({ id }) => [
          annotation({ image_id: id }),
          annotation({ image_id: id, bbox: [1, 1, id + 1, 1] }),
        ]),
        categories: [{ id: 7, name: "cell" }],
        images: many,
      }),
    });
    const { images } = await readAnnotations(folder);
    expect(images).toHaveLength(count);
    const { objects } = await images[2999].annotations();
    expect(objects.map(({ shape }) => shape.kind === "box" && shape.width)).toEqual([2, 3000]);
  });

  test("neg_category_ids says what is absent, and groups are read", async () => {
    const own = image({ neg_category_ids: [7], groups: { patient: "p7" } });
    const { images } = await readAnnotations(writeFiles(withImage(coco({ images: [own], annotations: [] }))));
    expect(images[0].groups).toEqual({ patient: "p7" });
    expect((await images[0].annotations()).absent).toEqual(["cell"]);
  });

  test("what has no extent is named and left out", async () => {
    const annotations = [annotation({ bbox: [1, 1, 0, 2] }), annotation({ segmentation: [[1, 1, 2, 2]] })];
    const { images } = await readAnnotations(writeFiles(withImage(coco({ annotations }))));
    const { objects, left } = await images[0].annotations();
    expect(objects).toEqual([{ category: "cell", shape: { kind: "box", x: 0, y: 0, width: 2, height: 2 } }]);
    expect(left).toEqual([
      expect.stringMatching(/^box without extent \(.*instances\.json:\d+: annotations\[0\]\)$/),
      expect.stringMatching(/^polygon of fewer .*instances\.json:\d+: annotations\[1\]\)$/),
    ]);
  });

  test("the same image in two folders is asked for", async () => {
    const folder = writeFiles({ "x/a.png": greyPng(4, 3), "y/a.png": greyPng(4, 3), "instances.json": coco() });
    await expect(readAnnotations(folder)).rejects.toThrow(/images\[0\]: "a\.png" may be .*--images/);
    const { images } = await readAnnotations(folder, { images: join(folder, "y") });
    expect(images[0].path).toBe(join(folder, "y", "a.png"));
  });
});

describe("what is malformed is one line with file, line and cure", () => {
  const good = coco();
  const ofAnnotation = (changes: object) => coco({ annotations: [annotation(changes)] });
  const ofRuns = (segmentation: object) => ofAnnotation({ segmentation });
  const cases: [string, string | Uint8Array, RegExp][] = [
    ["cut off", good.slice(0, -40), /instances\.json:\d+: is not JSON/],
    [
      "cut off in a text",
      good.slice(0, good.indexOf("cell") + 2),
      /instances\.json:\d+: is not JSON \(a text does not end\)/,
    ],
    ["a missing comma", good.replace('],\n "cat', ']\n "cat'), /instances\.json:10: is not JSON \("}" is missing\)/],
    ["a comma too many", '{"images": [,]}', /instances\.json:1: is not JSON \(a value is missing\)/],
    ["more after the end", `${good}\n{}`, /: is not JSON \(more follows/],
    ["bad JSON in an element", good.replace('"bbox": [', '"bbox": [}'), /annotations\[0\]: is not JSON/],
    ["UTF-16", Buffer.from(good, "utf16le"), /instances\.json: is UTF-16\. Save it as UTF-8/],
    ["no images", coco({ images: undefined }), /instances\.json: has no "images"/],
    ["an image that is a number", coco({ images: [3] }), /instances\.json:3: images\[0\]: is 3\. Write an object/],
    ["no file name", coco({ images: [image({ file_name: "" })] }), /:3: images\[0\]: file_name is ""\. Write/],
    ["no id of an image", coco({ images: [image({ id: null })] }), /images\[0\]: id is null/],
    ["an id twice", coco({ images: [image(), image()] }), /images\[1\]: the image id 1 is there twice/],
    [
      "a negative category that is none",
      coco({ images: [image({ neg_category_ids: [8] })] }),
      /neg_category_ids holds 8/,
    ],
    ["negative categories that are no list", coco({ images: [image({ neg_category_ids: 7 })] }), /is 7\. List ids/],
    ["a negative size", coco({ images: [image({ width: -4 })] }), /images\[0\]: size is -4 x 3/],
    ["a category without a name", coco({ categories: [{ id: 7 }] }), /:\d+: categories\[0\]: name is undefined/],
    ["a category without an id", coco({ categories: [{ name: "x" }] }), /:\d+: categories\[0\]: id is undefined/],
    ["an unknown category", ofAnnotation({ category_id: 8 }), /:\d+: annotations\[0\]: category_id is 8, which/],
    ["an unknown image", ofAnnotation({ image_id: 9 }), /:\d+: annotations\[0\]: image_id is 9, which "images"/],
    ["no image", ofAnnotation({ image_id: undefined }), /annotations\[0\]: image_id is undefined/],
    ["three numbers of a box", ofAnnotation({ bbox: [1, 2, 3] }), /annotations\[0\]: bbox is \[1,2,3\]\. Write \[x, y/],
    [
      "a negative box",
      ofAnnotation({ bbox: [1, 2, -3, 1] }),
      /annotations\[0\]: bbox \[1,2,-3,1\] has a negative size/,
    ],
    ["a word in a box", ofAnnotation({ bbox: [1, "2", 3, 4] }), /annotations\[0\]: bbox is \[1,"2",3,4\]/],
    ["an odd polygon", ofAnnotation({ segmentation: [[1, 2, 3, 4, 5, 6, 7]] }), /segmentation holds \[1,2,3,4,5,6,7\]/],
    ["a segmentation of text", ofAnnotation({ segmentation: "x" }), /annotations\[0\]: segmentation is "x"/],
    [
      "runs that are too long",
      ofRuns({ counts: [6, 7], size: [3, 4] }),
      /its runs are 13 pixels long, but 3 x 4 are 12/,
    ],
    ["negative runs", ofRuns({ counts: [13, -1], size: [3, 4] }), /counts is \[13,-1\]/],
    ["text that is no runs", ofRuns({ counts: "~~", size: [3, 4] }), /annotations\[0\]: counts is "~~"/],
    ["runs without a size", ofRuns({ counts: [12] }), /annotations\[0\]: size of its runs is undefined/],
    ["an empty file", "", /instances\.json:1: is not JSON \(it ends too early\)/],
    [
      "Latin-1",
      Buffer.from(good.replace("cell", "z\u00e9"), "latin1"),
      /:\d+: categories\[0\]: is not UTF-8 text\. Save/,
    ],
    ["NaN", good.replace('"width": 4', '"width": NaN'), /:3: images\[0\]: is not JSON/],
    ["an endless number", good.replace('"bbox": [', '"bbox": [1e999, '), /annotations\[0\]: bbox is \[null,0,/],
    ["a huge number", ofAnnotation({ bbox: [0, 0, 1e300, 1] }), /annotations\[0\]: bbox is \[0,0,1e\+300,1\]/],
    ["a category id twice", coco({ categories: [7, 7].map((id, at) => ({ id, name: `c${at}` })) }), /id 7 is "c0" too/],
    ["no list of annotations", coco({ annotations: { a: 1 } }), /:\d+: "annotations": is no list\. Export it again/],
    ["no list of images", coco({ images: null }), /:2: "images": is no list/],
    [
      "one file of two sizes",
      coco({ images: [image(), image({ id: 2, width: 3 })] }),
      /images\[1\]: "a\.png" has 3 x 3 pix/,
    ],
    [
      "runs of another size",
      ofRuns({ counts: [20, 20], size: [4, 10] }),
      /runs are of 4 x 10 pixels, but the image has 3 x 4/,
    ],
    [
      "runs of a huge size",
      ofRuns({ counts: [1e12], size: [1e6, 1e6] }),
      /size of its runs is \[1000000,1000000\], more/,
    ],
    [
      "another shape than the image",
      coco({ images: [image({ width: 6, height: 8 })] }),
      /a\.png: 4 x 3 .* made at 6 x 8/,
    ],
    [
      "a huge image",
      coco({ images: [image({ width: 4e6, height: 3e6 })] }),
      /made at 4000000 x 3000000, more than an image/,
    ],
    ["an absent image", coco({ images: [image({ file_name: "b.png" })] }), /the image "b\.png" is absent .*--images/],
    [
      "a path out of the export",
      coco({ images: [image({ file_name: "../../etc/passwd" })] }),
      /files-\w+\/etc\/passwd\)/,
    ],
    [
      "an absolute path",
      coco({ images: [image({ file_name: "/etc/hostname" })] }),
      /files-\w+\/etc\/hostname\)\. Name/,
    ],
    [
      "a line break in a name",
      coco({ images: [image({ file_name: "a\nb.png" })] }),
      /"a\\nb\.png" is absent \(.*a\\nb/,
    ],
    [
      "nested too deep",
      good.replace('"bbox"', `"x": ${"[".repeat(300)}${"]".repeat(300)}, "bbox"`),
      /more than 200 deep/,
    ],
    [
      "two points alone",
      ofAnnotation({ bbox: null, segmentation: [[1, 1, 2, 2]] }),
      /polygon of fewer .*annotations\[0\]\)/,
    ],
    [
      "keypoints alone",
      ofAnnotation({ bbox: undefined, keypoints: [1, 1, 2] }),
      /carried \(keypoints: points are no area/,
    ],
  ];
  test.each(cases)("%s", (_, json, message) =>
    expectRefusal({ "a.png": greyPng(4, 3), "instances.json": json }, { from: "coco", message }),
  );

  test("an image that is cut, and an archive that nobody unpacked", async () => {
    const cut = { "a.png": greyPng(4, 3).slice(0, 30), "instances.json": good };
    await expectRefusal(cut, { from: "coco", message: /a\.png: not an image that can be read/ });
    await expectRefusal({ "export.zip": "PK" }, { from: "coco", message: /holds no COCO file\. Name a folder/ });
  });

  test.each<[string, string, unknown, unknown[]]>([
    ["a byte-order mark", `\uFEFF${good}`, [[0, 0, 2 / 3, 0.5]], []],
    ["carriage returns", good.replaceAll("\n", "\r\n"), [[0, 0, 2 / 3, 0.5]], []],
    ["an annotation twice", coco({ annotations: [annotation(), annotation()] }), Array(2).fill([0, 0, 2 / 3, 0.5]), []],
    ["a box across the edge", ofAnnotation({ bbox: [-1, -1, 3, 3] }), [[0, 0, 2 / 3, 0.5]], [/1 boxes reached out/]],
    ["a box outside", ofAnnotation({ bbox: [9, 9, 3, 3] }), [], [/1 marks without extent or outside of their/]],
    [
      "an image made smaller",
      coco({ images: [image({ width: 8, height: 6 })] }),
      [[0, 0, 1 / 3, 0.25]],
      [/were scaled/],
    ],
    ["a path that leads back", coco({ images: [image({ file_name: "../x/a.png" })] }), [[0, 0, 2 / 3, 0.5]], []],
  ])("%s is no fault", async (_, json, boxes, notes) => {
    const { samples, report } = await expectAccepted(withImage(json), { from: "coco" });
    const [sample] = Object.values(samples);
    const rounded = (boxes as number[][]).map((box) => box.map((edge) => expect.closeTo(edge, 6)));
    expect(sample).toMatchObject({ aspects: { cell: { boxes: rounded } } });
    expect(report.notes).toEqual(notes.map((note) => expect.stringMatching(note as RegExp)));
  });

  test("runs tell the size where the file does not", async () => {
    const own = { id: 1, file_name: "a.png" };
    const runs = annotation({ segmentation: { counts: [12, 12], size: [6, 4] }, bbox: undefined });
    const refused = withImage(coco({ images: [own], annotations: [runs] }));
    await expectRefusal(refused, { from: "coco", message: /a\.png: 4 x 3 pixels upright, but .* made at 4 x 6/ });
  });
});
