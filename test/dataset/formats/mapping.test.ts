/** Mapping files: what is wrong is said with line and column. */

import { describe, expect, test } from "vitest";
import { importAnnotations } from "../../../src/dataset/formats/import.js";
import { DEFAULT_SPLITS } from "../../../src/dataset/formats/mapping.js";
import { parseMapping } from "../../../src/dataset/formats/read-mapping.js";
import { drawMasks } from "../../../src/dataset/formats/write-masks.js";
import { greyPng, writeFiles } from "../../helpers/write-files.js";

const CLASS = "class: { from: marks, classes: { ill: [a] }, unmarked: well }\n";
const parse = (text: string) => parseMapping(text, "m.yaml").mapping;

describe("parseMapping", () => {
  test("defaults: its own category, empty where annotated, unlabelled where not, splits kept", () => {
    expect(parse(`${CLASS}aspects: { no: { kind: boxes } }`)).toEqual({
      name: "imported",
      classes: {
        ...{ from: "marks", task: "single" },
        classes: [
          { name: "ill", of: ["a"] },
          { name: "well", of: [] },
        ],
        ...{ unmarked: { is: "class", name: "well" }, unannotated: { is: "unlabelled" } },
      },
      aspects: [
        {
          ...{ name: "no", kind: "boxes", categories: ["no"] },
          ...{ unmarked: "empty", unannotated: "unlabelled", fillBoxes: false },
        },
      ],
      ...{ drop: [], groups: {}, splits: DEFAULT_SPLITS, licences: {} },
    });
  });

  test.each([
    [
      "an unknown key",
      "clas: x",
      /^m\.yaml:1:1: the mapping has the unknown key "clas"\. Did you mean "class"\? Known: /,
    ],
    ["no YAML", "class: [", /^m\.yaml:1:\d+: is not YAML/],
    ["a list", "- class", /^m\.yaml:1:1: the mapping is a list\. Write keys/],
    ["a class without from", "class:\n  classes: { a: [b] }", /^m\.yaml:2:3: class has no "from"/],
    [
      "an unknown source",
      "class: { from: mark, classes: { a: [b] } }",
      /:1:\d+: from is "mark"\. Did you mean "marks"\?/,
    ],
    [
      "an attribute without its name",
      "class: { from: attribute, classes: { a: [b], c: [d] } }",
      /from: attribute names none/,
    ],
    ["no classes", "class: { from: tags }", /^m\.yaml:1:\d+: class has no classes/],
    ["one class", "class: { from: tags, classes: { a: [b] } }", /task single with 1 classes\. It needs at least 2/],
    [
      "an unknown task",
      "class: { task: many, from: tags, classes: {} }",
      /task is "many"\. Write one of: single, multi/,
    ],
    ["an empty image of one class", `${CLASS.replace("well", "empty")}`, /an image of one class cannot be empty/],
    [
      "an unknown kind",
      "aspects:\n  a: { kind: boxs }",
      /^m\.yaml:2:14: kind of aspect "a" is "boxs"\. Did you mean "boxes"\?/,
    ],
    ["no kind", "aspects:\n  a: {}", /^m\.yaml:2:6: aspect "a" has no kind/],
    ["a bad name", "aspects:\n  a/b: { kind: boxes }", /^m\.yaml:2:3: the aspect name "a\/b" cannot be used/],
    ["a name that is taken", "aspects:\n  class: { kind: boxes }", /^m\.yaml:2:3: the aspect name "class"/],
    ["categories as a map", "aspects: { a: { kind: boxes, categories: {} } }", /categories of aspect "a" is a map/],
    [
      "an unknown state",
      "aspects: { a: { kind: boxes, unmarked: none } }",
      /unmarked is "none"\. Write one of: empty, unlabelled/,
    ],
    ["two rules of a group", "groups: { p: { folder: 1, name: x } }", /group "p" has 2 rules/],
    ["a folder of 0", "groups: { p: { folder: 0 } }", /folder is "0"\. Write 1 for the first/],
    ["a bad expression", 'groups: { p: { name: "(" } }', /"\(" is no regular expression/],
    ["shares that do not sum to 1", "splits: { train: 0.5, test: 0.1 }", /the shares sum to 0\.6\. Let them/],
    ["a share of text", "splits: { train: most }", /train is "most"\. Write a share from 0 to 1/],
    ["a seed of half", "splits: { seed: 0.5 }", /seed is "0\.5"\. Write a whole number/],
    ["an alias", "drop: &d [a]\nlicences: *d", /^m\.yaml:2:11: an alias/],
  ])("%s", (_, text, message) => {
    expect(() => parse(text)).toThrow(message);
  });
});

test.each([
  [
    "a category of an aspect",
    "aspects:\n  x: { kind: boxes, categories: [crak] }\n",
    /m\.yaml:3:34: no source has the category "crak"\. Did you mean "crack"/,
  ],
  ["a dropped one", "drop: [nothing]\n", /m\.yaml:2:8: no source has the category "nothing"/],
  [
    "an attribute",
    "groups: { p: { attribute: patient } }\n",
    /m\.yaml:2:27: no source has the attribute "patient"\. Known: /,
  ],
  ["a group", "splits: { by: [patient] }\n", /m\.yaml:2:\d+: no source has the group "patient"\. Known: none/],
  ["a source", "licences:\n  elsewhere: MIT\n", /m\.yaml:3:\d+: no source has the name "elsewhere"/],
])("what no export has is refused with its place: %s", async (_, text, message) => {
  const folder = writeFiles({
    "a.png": greyPng(4, 4),
    "a.xml":
      "<annotation><size><width>4</width><height>4</height></size><object><name>crack</name>" +
      "<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></object></annotation>",
  });
  const mapping = { text: CLASS.replace("[a]", "[crack]") + text, file: "m.yaml" };
  await expect(importAnnotations([folder], "none", { mapping, dryRun: true })).rejects.toThrow(message);
});

describe("drawMasks", () => {
  const frame = { width: 4, height: 2, scaleX: 1, scaleY: 1 };
  const box = (x: number, y: number, width: number, height: number) => ({ kind: "box" as const, x, y, width, height });
  const draw = (areas: Parameters<typeof drawMasks>[0]) => drawMasks(areas, { frame, stem: "masks/1", image: "1.png" });

  test("aspects that share no pixel share one file; one that does gets its own", async () => {
    const { files, records } = await draw([
      { name: "a", shapes: [box(0, 0, 2, 1)], ignored: [] },
      { name: "b", shapes: [box(2, 0, 2, 1)], ignored: [] },
      { name: "c", shapes: [box(1, 0, 2, 2)], ignored: [] },
      { name: "d", shapes: [], ignored: [] },
    ]);
    expect(records).toEqual({
      a: { mask: "masks/1.png", values: [1] },
      b: { mask: "masks/1.png", values: [2] },
      c: { mask: "masks/1.c.png", values: [1] },
      d: { mask: null },
    });
    expect(files.map(({ path }) => path).sort()).toEqual(["masks/1.c.png", "masks/1.png"]);
  });

  test("what is void has a value of its own, and what is marked in it stays marked", async () => {
    const { records } = await draw([{ name: "a", shapes: [box(0, 0, 1, 1)], ignored: [box(0, 0, 4, 2)] }]);
    expect(records).toEqual({ a: { mask: "masks/1.a.png", values: [1], ignore: [255] } });
  });

  test("an object that covers no pixel's centre keeps the pixel in its middle", async () => {
    const { records, smallCount } = await draw([{ name: "a", shapes: [box(1.6, 0.6, 0.2, 0.2)], ignored: [] }]);
    expect({ records, smallCount }).toEqual({ records: { a: { mask: "masks/1.png", values: [1] } }, smallCount: 1 });
  });
});
