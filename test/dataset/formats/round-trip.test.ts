/** There and back: a dataset is exported, and imported with the mapping that was written beside. */

import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { openDataset, records } from "../../../src/dataset/dataset.js";
import { exportDataset } from "../../../src/dataset/formats/export.js";
import { exportNames } from "../../../src/dataset/formats/export-names.js";
import { type ExportedSample, exportedSample } from "../../../src/dataset/formats/exported-sample.js";
import { importAnnotations } from "../../../src/dataset/formats/import.js";
import { TOOLS } from "../../../src/dataset/formats/tools.js";
import { synthesize } from "../../../src/dataset/synth/synthesize.js";
import { smallDataset } from "../../helpers/small-dataset.js";

const newFolder = (name: string) => join(mkdtempSync(join(tmpdir(), "round-")), name);

/** @param more lines of the mapping. @returns the folder of the dataset that came back. */
async function thereAndBack(dataset: string, to: string, more = ""): Promise<string> {
  const [out, back] = [newFolder("out"), newFolder("back")];
  await exportDataset(dataset, out, { to });
  const file = join(out, "mapping.yaml");
  await importAnnotations([out], back, { from: to, mapping: { file, text: `${readFileSync(file, "utf8")}${more}` } });
  return back;
}

/** All that an export carries of a dataset, by image, its pixels as text. */
async function contentOf(folder: string, { hasVoid }: { hasVoid: boolean }) {
  const dataset = await openDataset(folder);
  const content: Record<string, unknown> = {};
  for await (const record of records(dataset)) {
    const sample = await exportedSample(dataset, record, exportNames(dataset.manifest));
    const { file, name, marks, unlabelled, ...rest } = sample;
    content[name] = { ...rest, unlabelled, label: record.target, marks: marks.filter(kept(hasVoid)).map(comparable) };
  }
  return content;
}

const kept = (hasVoid: boolean) => (mark: ExportedSample["marks"][number]) => hasVoid || !mark.isIgnored;
const comparable = (mark: ExportedSample["marks"][number]) =>
  mark.kind === "mask"
    ? { ...mark, pixels: mark.pixels.join("") }
    : Object.fromEntries(
        // Edges are kept to seven digits of the image's side.
        Object.entries(mark).map(([key, value]) => [key, typeof value === "number" ? Number(value.toFixed(4)) : value]),
      );

const sorted = (folder: string) => readFileSync(join(folder, "samples.jsonl"), "utf8").trim().split("\n").sort();

describe.each(
  [
    { to: "label-studio", hasVoid: false },
    { to: "coco", hasVoid: true },
  ].filter(({ to }) => TOOLS.includes(to)),
)("$to", ({ to, hasVoid }) => {
  let tissue: string;
  beforeAll(async () => {
    tissue = newFolder("tissue");
    await synthesize(tissue, { count: 16, size: 64, unlabelled: 0.3, seed: 3 });
  });

  test("small set: classes, masks, boxes, presence, three states, void, splits and groups", async () => {
    const dataset = smallDataset();
    const back = await thereAndBack(dataset, to);
    expect(await contentOf(back, { hasVoid })).toEqual(await contentOf(dataset, { hasVoid }));
  });

  test("tissue: seven aspects with a third of all labels left out", async () => {
    const back = await thereAndBack(tissue, to);
    const [before, after] = [await contentOf(tissue, { hasVoid }), await contentOf(back, { hasVoid })];
    expect(Object.keys(after)).toHaveLength(16);
    expect(after).toEqual(before);
  });

  test("what was imported once is the same after each further round", async () => {
    const once = await thereAndBack(tissue, to);
    const twice = await thereAndBack(once, to);
    expect(sorted(twice)).toEqual(sorted(once));
    expect(readFileSync(join(twice, "dataset.json"), "utf8").replaceAll("back", "")).toEqual(
      readFileSync(join(once, "dataset.json"), "utf8").replaceAll("back", ""),
    );
  });

  test("classes and aspects that no image has", async () => {
    const dataset = smallDataset({ classes: ["good", "bad", "ugly"] }, ({ aspects, ...line }) => ({
      ...line,
      aspects: {},
    }));
    const back = await thereAndBack(dataset, to);
    expect(await contentOf(back, { hasVoid })).toEqual(await contentOf(dataset, { hasVoid }));
  });

  test("several labels an image, none of them, and unlabelled", async () => {
    const dataset = smallDataset({ task: "multi" }, ({ label, ...line }, at) => ({
      ...line,
      ...[{ labels: ["good", "bad"] }, { labels: [] }, {}, { labels: ["bad"] }, { labels: ["good"] }][at],
    }));
    const back = await thereAndBack(dataset, to);
    expect(await contentOf(back, { hasVoid })).toEqual(await contentOf(dataset, { hasVoid }));
  });
});

describe("yolo", () => {
  /** It has no classes: the user says what they are. */
  const CLASS = "class: { from: marks, classes: { cracked: [crack] }, unmarked: sound }\n";
  /** By the image's name, since it puts each split into a folder: split, marks that are not void, and what is absent. */
  const carried = async (folder: string, names: readonly string[]) => {
    const content = Object.entries(await contentOf(folder, { hasVoid: false })) as [string, ExportedSample][];
    return Object.fromEntries(
      content.map(([name, { split, marks, absent, unlabelled }]) => [
        name.replace(/^(train|val|test)\//, ""),
        {
          split,
          marks: marks.filter(({ category }) => names.includes(category)),
          // What is unlabelled counts as absent there, as a note says.
          absent: [...absent, ...unlabelled].filter((category) => names.includes(category)).sort(),
        },
      ]),
    );
  };

  test("small set: masks, boxes beside them, and splits", async () => {
    const dataset = smallDataset();
    const back = await thereAndBack(dataset, "yolo", CLASS);
    const names = ["bolt", "crack"];
    const before = await carried(dataset, names);
    expect(Object.values(before).flatMap(({ marks }) => marks)).toHaveLength(5);
    expect(await carried(back, names)).toEqual(before);
  });

  test("boxes alone, and splits of which some are empty", async () => {
    const boxes = {
      boxes: [
        [0.123, 0.05, 0.9, 0.6543],
        [0, 0.25, 1, 0.5],
      ],
    };
    const aspects = [{ name: "crack", kind: "boxes" }];
    const dataset = smallDataset({ aspects }, (line, at) => ({
      ...{ image: line.image, label: "good", split: "test", aspects: { crack: at < 3 ? boxes : { boxes: [] } } },
    }));
    const back = await thereAndBack(dataset, "yolo", `${CLASS}`);
    expect(await carried(back, ["crack"])).toEqual(await carried(dataset, ["crack"]));
  });
});
