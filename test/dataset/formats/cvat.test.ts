/** CVAT: files of the tools themselves, and exports written here; numbers worked out by hand. */

import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readAnnotations } from "../../../src/dataset/formats/tools.js";
import { sharedData } from "../../helpers/label-tools.js";
import { expectAccepted, expectRefusal, plain } from "../../helpers/malformed.js";
import { greyPng, writeFiles } from "../../helpers/write-files.js";

const tools = sharedData("label-tools");

const labels = (...names: string[]) =>
  `<labels>${names.map((name) => `<label><name>${name}</name></label>`).join("")}</labels>`;
const xml = (inner: string, meta = `<task>${labels("cat", "dog")}</task>`) =>
  `<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n<version>1.1</version>\n<meta>${meta}</meta>\n${inner}\n</annotations>`;
const image = (inner: string, { name = "1.png", size = 'width="20" height="10"' } = {}) =>
  `<image id="0" name="${name}" ${size}>\n${inner}\n</image>`;
const box = 'xtl="2" ytl="1" xbr="6" ybr="4"';

const read = (inner: string, files: Readonly<Record<string, Uint8Array>> = { "images/1.png": greyPng(20, 10) }) =>
  readAnnotations(writeFiles({ "annotations.xml": xml(inner), ...files }));
const marksOf = async (inner: string) => {
  const { images } = await read(image(inner));
  return images[0].annotations();
};
const shapesOf = async (inner: string) => plain((await marksOf(inner)).objects.map(({ shape }) => shape));

describe.skipIf(tools === undefined)("the files of label-tools", () => {
  const folder = join(tools ?? "", "cvat_dataset/for_images");

  test("a project of three subsets, in which each image's name occurs three times", async () => {
    const { tool, images, categories } = await readAnnotations(join(folder, "export_project"));
    expect({ tool, categories }).toEqual({ tool: "cvat", categories: ["label1", "label2"] });
    const names = ["Test", "Train", "Validation"].flatMap((split) =>
      ["img0", "img1"].map((stem) => ({ split, name: `images/${split}/${stem}.jpg` })),
    );
    expect(images.map(({ split, name }) => ({ split, name }))).toEqual(names);
    for (const at of [0, 2, 4]) {
      const { width, height, objects, left } = await images[at].annotations();
      expect({ width, height }).toEqual({ width: 8, height: 8 });
      // From (0, 2) to (4, 4): 4 x 2 pixels.
      expect(objects).toEqual([
        {
          category: "label1",
          shape: { kind: "box", x: 0, y: 2, width: 4, height: 2 },
          attributes: { occluded: "true", z_order: "1", a1: "true", a2: "v3", a3: "0003", a4: "2.4" },
        },
      ]);
      expect(left).toEqual(["polyline: lines and points have no area"]);
    }
    for (const at of [1, 3, 5]) {
      const { objects, left } = await images[at].annotations();
      const parts = [
        [
          [1, 2],
          [3, 4],
          [6, 5],
        ],
      ];
      expect(objects).toEqual([
        { category: "label1", shape: { kind: "polygons", parts }, attributes: { z_order: "1" } },
      ]);
      expect(left).toEqual(["points: lines and points have no area"]);
    }
  });

  test("a task, whose file is called after its subset, with marks without a label", async () => {
    const { images } = await readAnnotations(join(folder, "export_task"));
    expect(images.map(({ name, split }) => ({ name, split }))).toEqual([
      { name: "images/img0.jpg", split: "train" },
      { name: "images/img1.jpg", split: "train" },
    ]);
    expect((await images[0].annotations()).objects).toHaveLength(1);
    expect(await images[1].annotations()).toMatchObject({
      objects: [],
      left: ["polygon: it has no label", "points: lines and points have no area"],
    });
  });
});

describe("images", () => {
  test("declared labels are categories, also without any mark; an image without marks is annotated", async () => {
    const { categories, images } = await read(image(""));
    expect(categories).toEqual(["cat", "dog"]);
    expect(images[0].isAnnotated).toBe(true);
    expect((await images[0].annotations()).objects).toEqual([]);
  });

  test("a box is turned clockwise about its centre", async () => {
    // Of 4 x 3 about (4, 2.5), a quarter turn: 3 x 4.
    const [shape] = (await shapesOf(`<box label="cat" ${box} rotation="90"/>`)) as { parts: number[][][] }[];
    const rounded = shape.parts[0].map((point) => point.map((value) => Math.round(value * 1e9) / 1e9));
    // The left upper corner (2, 1) goes to the right upper one, (4 + 1.5, 2.5 - 2).
    expect(rounded).toEqual([
      [5.5, 0.5],
      [5.5, 4.5],
      [2.5, 4.5],
      [2.5, 0.5],
    ]);
    expect(shape).toMatchObject({ kind: "polygons", isRotatedBox: true });
  });

  test("a rotation of 0 or 360 degrees is none", async () => {
    const plainBox = { kind: "box", x: 2, y: 1, width: 4, height: 3 };
    expect(await shapesOf(`<box label="cat" ${box} rotation="0.0"/><box label="cat" ${box} rotation="360"/>`)).toEqual([
      plainBox,
      plainBox,
    ]);
  });

  test("polygons, ellipses, masks and tags", async () => {
    const marks = await marksOf(
      '<polygon label="cat" points="1.5,2;3,4;6,5" z_order="0"/>' +
        '<ellipse label="dog" cx="8" cy="4" rx="3" ry="2" rotation="30"/>' +
        '<mask label="cat" rle="1, 3, 2" left="4" top="5" width="3" height="2"/>' +
        '<tag label="dog"><attribute name="sure">no</attribute></tag>',
    );
    expect(plain(marks.objects)).toEqual([
      {
        category: "cat",
        shape: {
          kind: "polygons",
          parts: [
            [
              [1.5, 2],
              [3, 4],
              [6, 5],
            ],
          ],
        },
      },
      { category: "dog", shape: { kind: "ellipse", centre: [8, 4], radii: [3, 2], rotation: 30 } },
      // 0 1 1 / 1 0 0: three of six pixels.
      {
        category: "cat",
        shape: { kind: "runs", left: 4, top: 5, width: 3, height: 2, along: "rows", runs: [1, 3, 2] },
      },
      { category: "dog", shape: { kind: "image" }, attributes: { sure: "no" } },
    ]);
    expect(marks.left).toEqual([]);
  });

  test("a mask that begins inside has a first run of 0", async () => {
    const mask = '<mask label="cat" rle="0,6" left="0" top="0" width="3" height="2"/>';
    expect(await shapesOf(mask)).toMatchObject([{ runs: [0, 6] }]);
  });

  test("what has no area is named and left out", async () => {
    const { objects, left } = await marksOf(
      '<polyline label="cat" points="1,2;3,4"/><points label="cat" points="1,2"/><cuboid label="cat"/>' +
        '<box label="cat" xtl="1" ytl="1" xbr="1" ybr="4"/><ellipse label="cat" cx="1" cy="1" rx="0" ry="1"/>' +
        '<skeleton label="cat"><points label="eye" points="1,2"/></skeleton>',
    );
    expect(objects).toEqual([]);
    expect(left).toEqual([
      "polyline: lines and points have no area",
      "points: lines and points have no area",
      "cuboid: a box in space has no outline in the image",
      "box: it has no area",
      "ellipse: it has no area",
      "skeleton: lines and points have no area",
    ]);
  });

  test("names without ending, and a subset of the task in the meta", async () => {
    const meta = `<task><subset>Val</subset>${labels("cat")}</task>`;
    const text = xml(image("", { name: "frame_000003" }), meta);
    const folder = writeFiles({ "annotations.xml": text, "images/frame_000003.PNG": greyPng(20, 10) });
    const { images } = await readAnnotations(folder);
    expect(images[0]).toMatchObject({ name: "images/frame_000003.PNG", split: "Val" });
  });

  test("an image that is absent has the path where it should be; --images names its folder", async () => {
    const folder = writeFiles({ "a/annotations.xml": xml(image("")), "b/1.png": greyPng(20, 10) });
    const [absent] = (await readAnnotations(join(folder, "a"))).images;
    expect(absent.path).toBe(join(folder, "a/images/1.png"));
    const [found] = (await readAnnotations(join(folder, "a"), { images: join(folder, "b") })).images;
    expect(found).toMatchObject({ path: join(folder, "b/1.png"), name: "1.png" });
  });
});

describe("video", () => {
  const meta = `<task><name>film</name><size>5</size><original_size><width>20</width><height>10</height></original_size>${labels("car")}</task>`;
  const frames = (...numbers: number[]) =>
    Object.fromEntries(numbers.map((n) => [`images/frame_00000${n}.png`, greyPng(20, 10, [n])]));
  const at = (frame: number, x: number, more = "") =>
    `<box frame="${frame}" keyframe="1" outside="0" xtl="${x}" ytl="0" xbr="${x + 4}" ybr="4" ${more}/>`;
  const readVideo = (inner: string, files: Readonly<Record<string, Uint8Array>> = frames(0, 1, 2, 3, 4)) =>
    readAnnotations(writeFiles({ "annotations.xml": xml(inner, meta), ...files }));
  const xs = async (inner: string) => {
    const { images } = await readVideo(inner);
    const all = await Promise.all(images.map((frame) => frame.annotations()));
    return all.map(({ objects }) => objects.map(({ shape }) => (shape.kind === "box" ? shape.x : shape.kind)));
  };

  test("frames are the images of one group, with the size of the video", async () => {
    const { images, categories } = await readVideo(`<track id="0" label="car">${at(0, 2)}</track>`);
    expect(categories).toEqual(["car"]);
    expect(images.map(({ name, groups }) => ({ name, groups }))).toEqual(
      [0, 1, 2, 3, 4].map((n) => ({ name: `images/frame_00000${n}.png`, groups: { video: "film" } })),
    );
    expect(await images[0].annotations()).toMatchObject({ width: 20, height: 10 });
  });

  test("boxes between keyframes lie evenly between them", async () => {
    // 2, then 2 + 8 / 4 = 4, 6, 8, then 10.
    expect(await xs(`<track id="0" label="car">${at(0, 2)}${at(4, 10)}</track>`)).toEqual([[2], [4], [6], [8], [10]]);
  });

  test("a listed shape that is no keyframe counts as it stands", async () => {
    const between = at(2, 3).replace('keyframe="1"', 'keyframe="0"');
    expect(await xs(`<track id="0" label="car">${at(0, 2)}${between}${at(4, 10)}</track>`)).toEqual([
      ...[[2], [2.5], [3], [6.5], [10]],
    ]);
  });

  test("an object is outside from there to its next shape, and stays until the end otherwise", async () => {
    const outside = at(1, 2).replace('outside="0"', 'outside="1"');
    expect(await xs(`<track id="0" label="car">${at(0, 2)}${outside}${at(3, 5)}</track>`)).toEqual([
      ...[[2], [], [], [5], [5]],
    ]);
  });

  test("a shape before an outside one does not move towards it", async () => {
    const outside = at(2, 9).replace('outside="0"', 'outside="1"');
    expect(await xs(`<track id="0" label="car">${at(0, 2)}${outside}</track>`)).toEqual([[2], [2], [], [], []]);
  });

  test("turned boxes turn the shorter way round", async () => {
    const inner = `<track id="0" label="car">${at(0, 2, 'rotation="350"')}${at(4, 2, 'rotation="10"')}</track>`;
    // Half of the way from 350 to 370 degrees is 360: not turned.
    expect((await xs(inner))[2]).toEqual([2]);
  });

  test("polygons with as many points are interpolated; others leave their frames out, by name", async () => {
    const polygon = (frame: number, points: string) => `<polygon frame="${frame}" outside="0" points="${points}"/>`;
    const even = `<track id="0" label="car">${polygon(0, "0,0;4,0;4,4")}${polygon(2, "2,0;6,0;6,4")}</track>`;
    const { images } = await readVideo(even);
    const [mark] = (await images[1].annotations()).objects;
    expect(mark.shape).toMatchObject({
      parts: [
        [
          [1, 0],
          [5, 0],
          [5, 4],
        ],
      ],
    });
    const uneven = `<track id="0" label="car">${polygon(0, "0,0;4,0;4,4")}${polygon(2, "2,0;6,0;6,4;2,4")}</track>`;
    const set = await readVideo(uneven);
    expect(set.images.map(({ name }) => name)).not.toContain("images/frame_000001.png");
    expect(set.images).toHaveLength(4);
    expect(set.left).toEqual([expect.stringMatching(/polygon of track between the frames 0 and 2.*left out/)]);
  });

  test("frames that are called otherwise are taken in order, if they are as many as frames", async () => {
    const files = Object.fromEntries([..."abcde"].map((name) => [`images/${name}.png`, greyPng(20, 10)]));
    const { images } = await readVideo(`<track id="0" label="car">${at(3, 2)}</track>`, files);
    expect((await images[3].annotations()).objects).toHaveLength(1);
    expect((await images[2].annotations()).objects).toHaveLength(0);
  });

  test("a video without frames, and tracks of two tasks, are refused", async () => {
    const track = `<track id="0" label="car" task_id="1">${at(0, 2)}</track>`;
    await expect(readVideo(track, {})).rejects.toThrow(/no image of a frame .* ffmpeg -i VIDEO/);
    await expect(readVideo(track + track.replace('"1"', '"2"'))).rejects.toThrow(/tracks of 2 videos.*on its own/);
  });
});

describe("what is malformed is one line with file, line and cure", () => {
  const one = (mark: string, size = 'width="20" height="10"') => ({
    ...{ "annotations.xml": xml(image(mark, { size })), "images/1.png": greyPng(20, 10) },
  });
  const cases: [string, Readonly<Record<string, string | Uint8Array>>, RegExp][] = [
    ["nothing", { "a.txt": "" }, /holds no \.xml with <annotations>/],
    ["an empty file", { "annotations.xml": "" }, /annotations\.xml: is empty \(0 bytes\)/],
    [
      "UTF-16",
      { "annotations.xml": Buffer.from(`\uFEFF${xml("")}`, "utf16le") },
      /annotations\.xml: is UTF-16\. Save it/,
    ],
    [
      "Latin-1",
      { "annotations.xml": Buffer.from(xml("<a b='\u00e9'/>"), "latin1") },
      /xml: is not text in utf-8\. Save/,
    ],
    ["another root", { "annotations.xml": "<html><annotations/></html>" }, /xml:1: its root is <html>, CVAT's is/],
    ["an archive", { "export.zip": "PK" }, /holds no \.xml with <annotations>.*unpacked export/],
    ["no image", { "annotations.xml": xml("") }, /files-\w+: no image\. Name another/],
    [
      "an absent image",
      { "annotations.xml": xml(image(`<box label="cat" ${box}/>`)) },
      /"images\/1\.png" is absent .*--images/,
    ],
    [
      "a path out of the export",
      { "annotations.xml": xml(image(`<box label="cat" ${box}/>`).replace('"1.png"', '"../../etc/passwd.png"')) },
      /is absent \(.*files-\w+\/images\/etc\/passwd\.png\)/,
    ],
    [
      "an image cut off",
      { ...one(`<box label="cat" ${box}/>`), "images/1.png": greyPng(20, 10).slice(0, 30) },
      /not an image/,
    ],
    ["NaN", one('<box label="cat" xtl="NaN" ytl="1" xbr="3" ybr="3"/>'), /xml:6: box: its xtl is "NaN"/],
    ["an endless number", one('<box label="cat" xtl="1" ytl="1" xbr="1e999" ybr="3"/>'), /its xbr is "1e999"/],
    ["a huge number", one('<ellipse label="cat" cx="1" cy="1" rx="1e200" ry="1"/>'), /ellipse: its rx is "1e200"/],
    [
      "another shape than the image",
      one(`<box label="cat" ${box}/>`, 'width="40" height="40"'),
      /made at 40 x 40\. Take/,
    ],
    [
      "a huge image",
      one(`<box label="cat" ${box}/>`, 'width="2e5" height="1e5"'),
      /made at 200000 x 100000, more than/,
    ],
    [
      "a mask in half pixels",
      one('<mask label="cat" rle="4" left="0.5" top="0" width="2" height="2"/>'),
      /no whole pixels/,
    ],
    [
      "a mask of a negative size",
      one('<mask label="cat" rle="4" left="0" top="0" width="-2" height="-2"/>'),
      /size -2 x -2/,
    ],
    [
      "a huge mask",
      one('<mask label="cat" rle="1" left="0" top="0" width="90000" height="90000"/>'),
      /mask: its size is 90000 x/,
    ],
    ["a mark without a label", one(`<box ${box}/>`), /nothing is marked \(left out: box: it has no label\)/],
    [
      "an image beside tracks",
      {
        "annotations.xml": xml(`${image("")}<track label="cat"><box frame="0" ${box}/></track>`),
        "1.png": greyPng(20, 10),
      },
      /xml:\d+: an image beside the tracks of a video/,
    ],
    [
      "a frame in two files",
      {
        "annotations.xml": xml(`<track label="cat"><box frame="0" ${box}/></track>`),
        ...{ "frame_0.png": greyPng(20, 10), "frame_00.png": greyPng(20, 10) },
      },
      /frame_00?\.png: is frame 0, and so is .*\. Remove one/,
    ],
    ["cut off", { "annotations.xml": xml(image("")).slice(0, -20) }, /annotations\.xml:\d+: is not XML/],
    ["a wrong end", { "annotations.xml": "<annotations>\n<image>\n</annotations>" }, /xml:3: is not XML/],
    ["two images of one file", { "annotations.xml": xml(image("") + image("")) }, /two images .* same file/],
    ["no name", { "annotations.xml": xml('<image id="0" width="1" height="1"/>') }, /xml:5: image: it has no name/],
    ["no size", { "annotations.xml": xml(image("", { size: "" })) }, /xml:5: image: it has no width/],
    ["a size of 0", { "annotations.xml": xml(image("", { size: 'width="0" height="1"' })) }, /its size is 0 x 1/],
    ["no corner", one('<box label="cat" xtl="1" ytl="1" xbr="3"/>'), /xml:6: box: it has no ybr/],
    ["a word for a number", one(`<box label="cat" ${box.replace("6", "six")}/>`), /box: its xbr is "six"/],
    ["an infinite number", one(`<box label="cat" ${box.replace("6", "Infinity")}/>`), /its xbr is "Infinity"/],
    ["corners in the wrong order", one('<box label="cat" xtl="5" ytl="1" xbr="2" ybr="3"/>'), /lies before its left/],
    ["a bad rotation", one(`<box label="cat" ${box} rotation="a"/>`), /its rotation is "a"/],
    ["two points", one('<polygon label="cat" points="1,2;3,4"/>'), /polygon: it has 2 points/],
    ["no points", one('<polygon label="cat"/>'), /polygon: its points hold ""/],
    ["three numbers in a point", one('<polygon label="cat" points="1,2,3;3,4;5,6"/>'), /hold "1,2,3"/],
    ["an ellipse without a radius", one('<ellipse label="cat" cx="1" cy="1" rx="1"/>'), /ellipse: it has no ry/],
    ["a negative radius", one('<ellipse label="cat" cx="1" cy="1" rx="-1" ry="1"/>'), /its radii are -1 and 1/],
    [
      "a mask of too few pixels",
      one('<mask label="cat" rle="1,2" left="0" top="0" width="2" height="2"/>'),
      /mask: its rle covers 3 pixels, its width and height give 4/,
    ],
    [
      "a negative run",
      one('<mask label="cat" rle="-1,5" left="0" top="0" width="2" height="2"/>'),
      /mask: its rle holds "-1"/,
    ],
    ["a mask without rle", one('<mask label="cat" left="0" top="0" width="2" height="2"/>'), /its rle holds ""/],
    [
      "a track without a frame",
      {
        "annotations.xml": xml(`<track id="0" label="cat"><box ${box}/></track>`),
        "images/frame_0.png": greyPng(1, 1),
      },
      /box: it has no frame/,
    ],
    [
      "a frame twice",
      {
        "annotations.xml": xml(`<track id="0" label="cat">${`<box frame="1" ${box}/>`.repeat(2)}</track>`),
        "images/frame_0.png": greyPng(1, 1),
      },
      /xml:5: track: frame 1 is listed twice/,
    ],
  ];
  test.each(cases)("%s", (_, files, message) => expectRefusal(files, { from: "cvat", message }));

  const good = `<box label="cat" ${box}/>`;
  test.each<[string, Readonly<Record<string, string | Uint8Array>>, string, unknown, RegExp[]]>([
    ["a byte-order mark", { "annotations.xml": `\uFEFF${xml(image(good))}` }, "cat", [[0.1, 0.1, 0.4, 0.3]], []],
    ["a label that is not declared", one(good.replace("cat", "fox")), "fox", [[0.1, 0.1, 0.4, 0.3]], []],
    [
      "a box across the edge",
      one(good.replace('xtl="2"', 'xtl="-5"')),
      "cat",
      [[0.1, 0, 0.4, 0.3]],
      [/1 boxes reached/],
    ],
    [
      "a box outside",
      one('<box label="cat" xtl="90" ytl="1" xbr="99" ybr="3"/>'),
      "cat",
      [],
      [/1 marks without extent or/],
    ],
    ["an image made smaller", one(good, 'width="40" height="20"'), "cat", [[0.05, 0.05, 0.2, 0.15]], [/were scaled/]],
  ])("%s is no fault", async (_, files, name, boxes, notes) => {
    const { samples, report } = await expectAccepted({ ...one(good), ...files }, { from: "cvat" });
    expect(Object.values(samples)).toMatchObject([{ aspects: { [name]: { boxes } } }]);
    expect(report.notes).toEqual(notes.map((note) => expect.stringMatching(note)));
  });

  test("a mask outside of its image is left out, by a note", async () => {
    const mask = '<mask label="cat" rle="0,4" left="90" top="0" width="2" height="2"/>';
    const { report, samples } = await expectAccepted(one(mask), { from: "cvat" });
    expect(samples["images/1.png"]).toMatchObject({ aspects: { cat: { mask: null } } });
    expect(report.notes).toEqual(["1 marks without extent or outside of their image are left out"]);
  });
});
