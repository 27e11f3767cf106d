/** `data import` as a user runs it. */

import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { aspectlens } from "../helpers/command.js";
import { sharedData } from "../helpers/label-tools.js";
import { greyPng, writeFiles } from "../helpers/write-files.js";

const box = (name: string, ...[xmin, ymin, xmax, ymax]: number[]) =>
  `<object><name>${name}</name><bndbox><xmin>${xmin}</xmin><ymin>${ymin}</ymin>` +
  `<xmax>${xmax}</xmax><ymax>${ymax}</ymax></bndbox></object>`;
const xml = (...objects: string[]) =>
  `<annotation><size><width>20</width><height>10</height></size>${objects.join("")}</annotation>`;

/** Ten images of 20 x 10: a crack in the even ones, a ruler in all. */
const voc = () =>
  writeFiles(
    Object.fromEntries(
      Array.from({ length: 10 }, (_, index) => [
        [`JPEGImages/p${index % 5}_${index}.png`, greyPng(20, 10)],
        [
          `Annotations/p${index % 5}_${index}.xml`,
          xml(box("ruler", 1, 1, 20, 2), ...(index % 2 === 0 ? [box("crack", 5, 3, 14, 7)] : [])),
        ],
      ]).flat(),
    ),
  );
const linesOf = (folder: string) =>
  readFileSync(join(folder, "samples.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

let source: string;
let work: string;
beforeAll(() => {
  source = voc();
  work = mkdtempSync(join(tmpdir(), "import-"));
});
const run = (...args: string[]) => aspectlens(["data", "import", ...args], { cwd: work });

describe("data import", () => {
  test("--dry-run shows the mapping with its reasons and writes nothing", async () => {
    const { code, stdout } = await run(source, "dry", "--dry-run");
    expect(code).toBe(0);
    expect(stdout).toContain("kind: boxes");
    expect(stdout).toContain('whether an image shows "crack" (5 of 10 do');
    expect(existsSync(join(work, "dry"))).toBe(false);
  });

  test("with defaults it writes a set that data check finds no fault in", async () => {
    const { code, stdout } = await run(source, "plain", "--json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      sources: [{ tool: "voc", images: 10 }],
      heads: { crack: { labelled: 5, empty: 5, unlabelled: 0 }, class: { labelled: 10 } },
    });
    const checked = await aspectlens(["data", "check", "plain", "--json"], { cwd: work });
    expect(JSON.parse(checked.stdout)).toMatchObject({ errorCount: 0 });
    const first = linesOf(join(work, "plain")).find(({ image }) => image.endsWith("p0_0.png"));
    // 5..14 x 3..7 of 20 x 10, counted from 1: rows 2..7, columns 4..14.
    expect(first).toMatchObject({ label: "crack", aspects: { crack: { boxes: [[0.2, 0.2, 0.7, 0.7]] } } });
    expect(readdirSync(work)).toEqual(["plain"]);
  });

  test("the mapping file that it wrote can be changed and given again", async () => {
    await run(source, "edited");
    const mapping = join(work, "edited", "mapping.yaml");
    const text = [
      "class: { from: marks, classes: { broken: [crack] }, unmarked: sound }",
      "aspects: { crack: { kind: segmentation, boxes: fill } }",
      "drop: [ruler]",
      'groups: { patient: { name: "(p[0-9])_" } }',
      "splits: { train: 0.6, validation: 0.2, test: 0.2 }",
    ];
    writeFileSync(mapping, text.join("\n"));
    const { code, stderr } = await run(source, "edited", "--mapping", "edited/mapping.yaml");
    expect(stderr).toBe("");
    expect(code).toBe(0);
    const samples = linesOf(join(work, "edited"));
    const splits = new Map(samples.map(({ groups, split }) => [groups.patient, split]));
    for (const { groups, split } of samples) expect(split).toBe(splits.get(groups.patient));
    expect([...splits.values()].sort()).toEqual(["test", "train", "train", "train", "validation"]);
    expect(samples[0]).toMatchObject({
      label: "broken",
      aspects: { crack: { mask: expect.any(String), values: [1] } },
    });
    expect(readFileSync(mapping, "utf8")).toBe(text.join("\n"));
  });

  test("a folder that holds anything else is left alone", async () => {
    await run(source, "mine");
    writeFileSync(join(work, "mine", "notes.txt"), "my notes");
    const { code, stderr } = await run(source, "mine");
    expect(code).toBe(2);
    expect(stderr).toMatch(/mine: holds a generated set that was changed since, which would be overwritten\. Name/);
    expect(existsSync(join(work, "mine", "notes.txt"))).toBe(true);
  });

  test("several sources become one set, in which what a source does not know is unlabelled", async () => {
    const other = writeFiles({ "a.png": greyPng(20, 10), "a.xml": xml(box("dent", 1, 1, 5, 5)) });
    writeFileSync(
      join(work, "two.yaml"),
      "class: { from: marks, classes: { bad: [crack, dent] }, unmarked: good }\n" +
        "aspects: { crack: { kind: boxes }, dent: { kind: boxes } }\ndrop: [ruler]\n",
    );
    const { code, stdout } = await run(source, other, "both", "--mapping", "two.yaml", "--link", "--json");
    expect(code).toBe(0);
    const { sources, heads } = JSON.parse(stdout);
    expect(heads.dent).toEqual({ labelled: 1, empty: 0, unlabelled: 10 });
    expect(heads.crack).toEqual({ labelled: 5, empty: 5, unlabelled: 1 });
    const names = sources.map(({ name }: { name: string }) => name);
    expect(new Set(linesOf(join(work, "both")).map((sample) => sample.source))).toEqual(new Set(names));
    expect((await aspectlens(["data", "check", "both"], { cwd: work })).code).toBe(0);
  });

  test.each([
    ["one path", ["x"], /one path alone\. Name the export, then the folder/],
    ["an absent source", ["absent", "out"], /absent: no such file or folder/],
    ["an unknown tool", ["--from", "paint", ".", "out"], /--from paint: unknown\. Known: .*voc/],
    ["a source of no tool", [".", "out"], /is of no tool that is known\. Say which with --from/],
  ])("%s is one line and exit code 2", async (_, args, message) => {
    const { code, stderr } = await run(...args);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr.trim()).not.toContain("\n");
  });

  test("an absent image ends it, unless it may be skipped", async () => {
    const folder = writeFiles({ "a.png": greyPng(20, 10), "a.xml": xml(box("dent", 1, 1, 5, 5)), "b.xml": xml() });
    const { code, stderr } = await run(folder, "absent");
    expect(code).toBe(2);
    expect(stderr).toMatch(/the image "b\.jpg" is absent .*--skip-bad/);
    expect((await run(folder, "absent", "--skip-bad")).stdout).toMatch(
      /note: 1 image is left out: .*"b\.jpg" is absent/,
    );
  });
});

const bccd = sharedData("bccd");
test.skipIf(bccd === undefined)("bccd, with defaults alone", async () => {
  const { code, stdout } = await run(bccd ?? "", "bccd", "--json");
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    samples: { train: 205, validation: 87, test: 72 },
    categories: [
      { name: "WBC", images: 358, boxes: 372 },
      // 4155 in the files, two of which have no extent.
      { name: "RBC", images: 349, boxes: 4153 },
      { name: "Platelets", images: 201, boxes: 361 },
    ],
    heads: { class: { labelled: 364 } },
  });
  const report = JSON.parse((await aspectlens(["data", "check", "bccd", "--json"], { cwd: work })).stdout);
  expect(report).toMatchObject({ errorCount: 0, classes: { Platelets: { train: 117, validation: 45, test: 39 } } });
});
