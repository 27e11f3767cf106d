/** Folders of classes, and images beside masks; numbers worked out by hand. */

import { join } from "node:path";
import { encode } from "fast-png";
import { describe, expect, test } from "vitest";
import { readAnnotations } from "../../../src/dataset/formats/tools.js";
import { sharedData } from "../../helpers/label-tools.js";
import { expectAccepted, expectRefusal } from "../../helpers/malformed.js";
import { greyPng, writeFiles } from "../../helpers/write-files.js";

const tools = sharedData("label-tools");
const picture = greyPng(3, 1);
const named = (...names: string[]) => Object.fromEntries(names.map((name) => [name, picture]));

/** 68 bytes that say that they are 200,000 x 200,000 pixels. */
function hugePng(): Uint8Array {
  const bytes = Buffer.from(picture);
  bytes.writeUInt32BE(200_000, 16);
  bytes.writeUInt32BE(200_000, 20);
  return bytes;
}

/** By image: split, whether it is annotated, and its marks as `category:values/ignored`. */
async function read(files: Readonly<Record<string, string | Uint8Array>>, options: { from?: string } = {}) {
  const set = await readAnnotations(writeFiles(files), options);
  const images: Record<string, unknown[]> = {};
  for (const { name, split, isAnnotated, annotations } of set.images) {
    const marks = (await annotations()).objects.map(({ category, shape, isIgnored }) => {
      const values =
        shape.kind === "mask-file" ? `:${shape.values}${shape.ignore?.length ? `/${shape.ignore}` : ""}` : "";
      return `${isIgnored ? "?" : ""}${category}${values}`;
    });
    images[name] = [split, isAnnotated, ...marks];
  }
  return { tool: set.tool, categories: set.categories, left: set.left, images };
}

describe("folders", () => {
  test.skipIf(tools === undefined)(
    "the set of label-tools: an image of no class, and a folder inside a class",
    async () => {
      const { tool, categories, images, notes } = await readAnnotations(join(tools ?? "", "imagenet_dataset"));
      expect({ tool, categories }).toEqual({ tool: "folders", categories: ["label_0", "label_1"] });
      const tags = await Promise.all(images.map(async ({ annotations }) => (await annotations()).objects));
      expect(
        images.map(({ name, isAnnotated }, at) => [name, isAnnotated, tags[at].map(({ category }) => category)]),
      ).toEqual([
        ["label_0/label_0_1.jpg", true, ["label_0"]],
        ["label_0_2.jpg", false, []],
        ["label_1/label_1_1.jpg", true, ["label_1"]],
        ["label_1/label_1_1/label_1_1.jpg", true, ["label_1"]],
      ]);
      expect(notes).toEqual(["there are folders in the folders of classes; their images belong to those classes"]);
    },
  );

  test("classes are the sorted names of folders", async () => {
    const { tool, categories, images, left } = await read(named("wet/1.png", "dry/1.png", "dry/2.png"));
    expect({ tool, categories, left }).toEqual({ tool: "folders", categories: ["dry", "wet"], left: [] });
    expect(images["wet/1.png"]).toEqual([undefined, true, "wet"]);
  });

  test("folders that are all called like splits are splits", async () => {
    const { categories, images } = await read(named("train/b/1.png", "train/a/2.png", "val/a/3.png", "test/4.png"));
    expect(categories).toEqual(["a", "b"]);
    expect(images["val/a/3.png"]).toEqual(["val", true, "a"]);
    expect(images["test/4.png"]).toEqual(["test", false]);
  });

  test("a class called test beside others is a class", async () => {
    expect((await read(named("test/1.png", "cat/1.png"))).categories).toEqual(["cat", "test"]);
  });

  test("are not guessed where another tool has written annotations", async () => {
    const files = { ...named("a/1.png", "b/1.png"), "b/1.foo.yaml": "x" };
    await expect(read(files)).rejects.toThrow(/is of no tool that is known/);
    expect((await read(files, { from: "folders" })).categories).toEqual(["a", "b"]);
  });

  test.each<[string, Readonly<Record<string, string | Uint8Array>>, RegExp]>([
    ["no image at all", { "a.txt": "x" }, /holds no folder with images\. Put the images of each class/],
    ["images in no folder", named("1.png"), /holds no folder with images/],
    ["splits without classes", named("train/1.png", "test/2.png"), /holds no folder with images/],
    ["nothing", {}, /holds no folder with images/],
    [
      "a line break in a folder's name",
      named("a\nb/1.png", "c/2.png"),
      /: the name "a\\nb.*" has a line break in it\. Rename it/,
    ],
    ["an archive in a class", { "a/1.zip": "PK", "b/2.zip": "PK" }, /holds no folder with images/],
    ["hidden folders alone", named(".a/1.png", ".b/2.png"), /holds no folder with images/],
    ["folders called like images", { "a/1.png/x.txt": "", "b/2.png/x.txt": "" }, /holds no folder with images/],
    [
      "an image cut off",
      { ...named("a/1.png"), "b/2.png": picture.slice(0, 30) },
      /b\/2\.png: not an image that can be/,
    ],
    ["an empty image", { ...named("a/1.png"), "b/2.png": "" }, /b\/2\.png: is empty \(0 bytes\)\. Fetch/],
    ["a text as an image", { ...named("a/1.png"), "b/2.jpg": "hello" }, /b\/2\.jpg: not an image that can be read/],
    ["a format that is not read", { ...named("a/1.png"), "b/2.heic": "hello" }, /b\/2\.heic: not an image/],
    ["a huge image", { ...named("a/1.png"), "b/2.png": hugePng() }, /b\/2\.png: 200000 x 200000 pixels; the limit is/],
  ])("%s is refused", (_, files, message) => expectRefusal(files, { from: "folders", message }));

  test.each<[string, Readonly<Record<string, string | Uint8Array>>, object]>([
    [
      "what systems leave behind",
      { "a/Thumbs.db": "x", ".DS_Store": "x", "a/._1.png": "x" },
      { "images/a/1.png": "a" },
    ],
    ["an archive beside images", { "b/3.zip": "PK" }, { "images/b/2.png": "b" }],
    ["an ending in capitals", named("b/3.PNG"), { "images/b/3.PNG": "b" }],
    ["two images of one name", named("b/1.png"), { "images/a/1.png": "a", "images/b/1.png": "b" }],
    ["classes that differ in capitals", named("A/1.png"), { "images/A/1.png": "A", "images/a/1.png": "a" }],
    [
      "names of other languages",
      named("\u00e9t\u00e9 \u96ea/1.png"),
      { "images/\u00e9t\u00e9 \u96ea/1.png": "\u00e9t\u00e9 \u96ea" },
    ],
    [
      "names that programs use",
      named("__proto__/1.png", "constructor/1.png"),
      { "images/__proto__/1.png": "__proto__" },
    ],
  ])("%s is no fault", async (_, files, labels) => {
    const { samples } = await expectAccepted({ ...named("a/1.png", "b/2.png"), ...files }, { from: "folders" });
    for (const [image, label] of Object.entries(labels)) expect(samples[image]).toMatchObject({ label });
  });

  test("a file is refused", async () => {
    const file = join(writeFiles(named("1.png")), "1.png");
    await expect(readAnnotations(file, { from: "folders" })).rejects.toThrow(/1\.png: is no folder\. Name the folder/);
  });
});

describe("masks", () => {
  test("indexed ones: a category a value, 255 beside others is void, 0 the background", async () => {
    const { tool, categories, images } = await read({
      ...named("images/1.png", "images/2.png", "images/3.png"),
      "masks/1.png": greyPng(3, 1, [0, 1, 2]),
      "masks/2.png": greyPng(3, 1, [1, 1, 255]),
    });
    expect({ tool, categories }).toEqual({ tool: "masks", categories: ["1", "2"] });
    expect(images).toEqual({
      "images/1.png": [undefined, true, "1:1/255", "2:2/255"],
      // The void pixel may be a 2 as well.
      "images/2.png": [undefined, true, "1:1/255", "?2:255"],
      "images/3.png": [undefined, false],
    });
  });

  test("without 0 each value is a category", async () => {
    const files = { ...named("images/1.png"), "trimaps/1.png": greyPng(3, 1, [1, 2, 3]) };
    expect((await read(files)).categories).toEqual(["1", "2", "3"]);
  });

  test("classes.txt names the values, from 0 on", async () => {
    const { categories, images } = await read({
      ...named("images/1.png"),
      "masks/1.png": greyPng(3, 1, [0, 2, 1]),
      "classes.txt": "background\nnucleus\ncytoplasm\n",
    });
    expect(categories).toEqual(["nucleus", "cytoplasm"]);
    expect(images["images/1.png"]).toEqual([undefined, true, "nucleus:1", "cytoplasm:2"]);
  });

  test.each([
    ["0 and 255", [0, 255, 0], "mask:255"],
    ["0 and 1", [0, 1, 0], "mask:1"],
    ["shades", [0, 100, 140], "mask:140"],
  ])("of %s show one thing", async (_, values, mark) => {
    const files = { ...named("images/1.png"), "masks/1.png": greyPng(3, 1, values) };
    expect((await read(files)).images["images/1.png"]).toEqual([undefined, true, mark]);
  });

  test("one for each aspect, by folder or by the end of the name, below splits too", async () => {
    const mark = greyPng(3, 1, [0, 255, 0]);
    const { categories, images } = await read({
      ...named("images/train/1.png", "images/val/2.png"),
      "masks/train/nucleus/1.png": mark,
      "masks/wall/train/1.png": mark,
      "masks/val/2_nucleus.png": mark,
      "masks/val/2_wall.png": greyPng(3, 1),
    });
    expect(categories).toEqual(["nucleus", "wall"]);
    expect(images).toEqual({
      "images/train/1.png": ["train", true, "nucleus:255", "wall:255"],
      "images/val/2.png": ["val", true, "nucleus:255"], // its wall is there and black
    });
  });

  test("an end of the name that only says mask names nothing", async () => {
    const files = { ...named("images/1.png"), "masks/1_mask.png": greyPng(3, 1, [0, 1, 0]) };
    expect((await read(files)).categories).toEqual(["mask"]);
  });

  test("colours are categories", async () => {
    const data = Uint8Array.from([0, 0, 0, 255, 0, 0, 0, 0, 255]);
    const files = {
      ...named("images/1.png"),
      "masks/1.png": encode({ width: 3, height: 1, channels: 3, depth: 8, data }),
    };
    const { images, categories } = await read(files);
    expect(categories).toEqual(["#0000ff", "#ff0000"]);
    expect(images["images/1.png"]).toEqual([undefined, true, "#0000ff:255", "#ff0000:16711680"]);
  });

  test("the images may lie elsewhere; masks without an image are named", async () => {
    const folder = writeFiles({ ...named("a/1.png"), "b/1.png": greyPng(3, 1, [0, 1]), "b/2.png": greyPng(3, 1) });
    const { images, left } = await readAnnotations(join(folder, "b"), { from: "masks", images: join(folder, "a") });
    expect(images.map(({ path, name }) => ({ path, name }))).toEqual([
      { path: join(folder, "a/1.png"), name: "1.png" },
    ]);
    expect(left).toEqual(["mask: there is no image of its name"]);
  });

  const mark = greyPng(3, 1, [0, 1, 0]);
  const set = { ...named("images/1.png"), "masks/1.png": greyPng(3, 1, [0, 1, 2]) };
  const deep = (...values: number[]) =>
    encode({ width: 3, height: 1, channels: 1, depth: 16, data: Uint16Array.from(values) });
  const colour = encode({
    width: 3,
    height: 1,
    channels: 3,
    depth: 8,
    data: Uint8Array.from([255, 0, 0, 0, 0, 255, 0, 0, 0]),
  });

  test.each<[string, Uint8Array, object]>([
    ["16 bits for small numbers", deep(0, 1, 2), { 1: { values: [1] }, 2: { values: [2] } }],
    ["16 bits from black to white", deep(0, 65535, 0), { mask: { values: [1] } }],
    [
      "grey in three channels",
      encode({ width: 3, height: 1, channels: 3, depth: 8, data: Uint8Array.of(0, 0, 0, 255, 255, 255, 0, 0, 0) }),
      { mask: { values: [1] } },
    ],
    [
      "transparency",
      encode({ width: 3, height: 1, channels: 2, depth: 8, data: Uint8Array.of(0, 255, 255, 255, 0, 0) }),
      { mask: { values: [1] } },
    ],
    [
      "a mask twice the size",
      greyPng(
        6,
        2,
        Array.from({ length: 12 }, (_, at) => (at % 6 > 3 ? 1 : 0)),
      ),
      { mask: { values: [1] } },
    ],
  ])("%s is no fault", async (_, mask, aspects) => {
    const { samples } = await expectAccepted({ ...named("images/1.png"), "masks/1.png": mask }, { from: "masks" });
    expect(samples["images/1.png"]).toMatchObject({ aspects });
  });

  test("forty labels are labels where they are named, and shades of one thing are noted where not", async () => {
    const values = Array.from({ length: 40 }, (_, at) => 6 * at);
    const files = { "images/1.png": greyPng(40, 1), "masks/1.png": greyPng(40, 1, values) };
    const names = Array.from({ length: 235 }, (_, at) => `c${at}`).join("\n");
    const named = await expectAccepted({ ...files, "classes.txt": names }, { from: "masks" });
    // 0 is the background.
    expect(named.report.categories.filter(({ areas }) => areas > 0)).toHaveLength(39);
    const { report } = await expectAccepted(files, { from: "masks" });
    expect(report.notes).toEqual([
      expect.stringMatching(/the values 132 to 234 are taken for shades of one thing, "mask"/),
    ]);
  });

  const colours = Uint8Array.from({ length: 100 * 3 }, (_, at) => (at * 37) % 256);
  test.each<[string, Readonly<Record<string, string | Uint8Array>>, RegExp]>([
    ["no mask", named("images/1.png"), /no mask has the name of an image\. Put images\/1\.png beside/],
    ["no image", named("masks/1.png"), /no mask has the name of an image/],
    ["names that differ", named("images/1.png", "masks/2.png"), /no mask has the name of an image/],
    ["a mask cut off", { ...named("images/1.png"), "masks/1.png": picture.slice(0, 40) }, /masks\/1\.png: .*Save it/],
    ["a mask that is a text", { ...named("images/1.png"), "masks/1.png": "hello" }, /masks\/1\.png: not an image/],
    ["an empty mask", { ...named("images/1.png"), "masks/1.png": "" }, /masks\/1\.png: is empty/],
    [
      "a photograph as a mask",
      {
        ...named("images/1.png"),
        "masks/1.png": encode({ width: 100, height: 1, channels: 3, depth: 8, data: colours }),
      },
      /masks\/1\.png: holds \d+ colours, more than a mask has/,
    ],
    ["a huge mask", { ...named("images/1.png"), "masks/1.png": hugePng() }, /masks\/1\.png: /],
    ["an image cut off", { "images/1.png": picture.slice(0, 30), "masks/1.png": mark }, /images\/1\.png: not an image/],
    [
      "a mask of another shape",
      { ...named("images/1.png"), "masks/1.png": greyPng(3, 3, [0, 1]) },
      /1\.png: 3 x 3 pixels; /,
    ],
    [
      "a mask of a format that is not read",
      { ...named("images/1.png"), "masks/1.tif": "II*" },
      /masks\/1\.tif: not an/,
    ],
    ["a mask that is no image", { ...named("images/1.png"), "masks/1.npy": "x" }, /no mask has the name of an image/],
    ["an archive", { ...named("images/1.png"), "masks.zip": "PK" }, /no mask has the name of an image/],
    [
      "16 bits for labels",
      { ...named("images/1.png"), "masks/1.png": deep(0, 1000, 2000) },
      /up to 2000 of 65535: .* List/,
    ],
    [
      "more labels than shades tell",
      {
        "images/1.png": greyPng(80, 1),
        "masks/1.png": greyPng(
          80,
          1,
          Array.from({ length: 80 }, (_, at) => at),
        ),
      },
      /masks\/1\.png: holds values up to 79 of 255: too many for labels, too dark for shades\. List what they mean/,
    ],
    [
      "colours beside numbers",
      { ...named("images/1.png", "images/2.png"), "masks/1.png": greyPng(3, 1, [0, 1, 2]), "masks/2.png": colour },
      /masks\/2\.png: holds colours, but .*masks\/1\.png numbers\. Save/,
    ],
    [
      "a value without a name",
      { ...set, "classes.txt": "a\nb\n" },
      /1\.png: holds the value 2, which .*classes\.txt does not/,
    ],
    ["an empty line of names", { ...set, "classes.txt": "a\n\nb\n" }, /classes\.txt:2: an empty line\. Name/],
    ["an empty file of names", { ...set, "classes.txt": "" }, /classes\.txt: is empty/],
    [
      "names in Latin-1",
      { ...set, "classes.txt": Buffer.from("a\n\u00e9\nb", "latin1") },
      /classes\.txt: is not UTF-8 text/,
    ],
    ["names that are a folder", { ...set, "classes.txt/x": "" }, /classes\.txt: is a folder/],
    [
      "two images of one mask",
      { ...named("images/1.png", "images/1.bmp"), "masks/1.png": mark },
      /1\.png: may be of images/,
    ],
    ["black masks alone", { ...named("images/1.png"), "masks/1.png": picture }, /nothing is marked\. Say in a mapping/],
    [
      "names in UTF-16",
      { ...named("images/1.png"), "masks/1.png": greyPng(3, 1, [0, 1]), "classes.txt": Buffer.from("a", "utf16le") },
      /classes\.txt: is UTF-16/,
    ],
  ])("%s is refused", (_, files, message) => expectRefusal(files, { from: "masks", message }));
});
