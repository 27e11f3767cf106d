/** docs/formats.md says what the program reads and writes: the same keys, files, outputs and shapes. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { unzipSync } from "fflate";
import { beforeAll, describe, expect, test } from "vitest";
import type { Golden } from "../../src/bundle/golden.js";
import type { Task } from "../../src/core/annotation.js";
import { ndArray } from "../../src/core/nd-array.js";
import { isScoreScale, SCALE_SOURCES, TARGET_GROUPS } from "../../src/core/relevance-scale.js";
import { parseManifest } from "../../src/dataset/manifest.js";
import { parseLine, toRecord } from "../../src/dataset/record.js";
import { createTally } from "../../src/evaluation/create-tally.js";
import { predictionOf } from "../../src/explain/reading/prediction.js";
import { readExplanation } from "../../src/explain/reading/read-explanation.js";
import type { AspectSpec, ClassifierSpec, HeadSpec } from "../../src/heads/head-spec.js";
import { createMetrics } from "../../src/heads/metrics.js";
import { unpackTinyBundle } from "../bundle/elsewhere/unpacked-bundle.js";
import { tinyMappedModel } from "../bundle/tiny-model.js";
import { temporaryFolder } from "../dataset/given.js";
import { knownKeys } from "./known-keys.js";
import { codes, firstColumn, readPage, section, tableRows } from "./page.js";

const page = readPage("docs/formats.md");
const sorted = (names: Iterable<string>) => [...new Set(names)].sort();
const keysOf = (values: readonly object[]) => sorted(values.flatMap(Object.keys));

describe("dataset", () => {
  const given = {
    format: "aspectlens-dataset/1",
    name: "x",
    classes: ["a", "b"],
    aspects: [{ name: "n", kind: "boxes" }],
  };
  const record = (task: Task, line: object) => {
    const manifest = parseManifest({ ...given, task, ...(task === "regression" && { classes: [] }) }, "dataset.json");
    return toRecord(parseLine(Buffer.from(JSON.stringify(line)), "line"), manifest, "line");
  };

  test("keys of dataset.json", () => {
    const known = knownKeys(() => parseManifest({ ...given, "?": 1 }, "dataset.json"));
    expect(sorted(firstColumn(page, "`dataset.json`"))).toEqual(sorted(known));
  });

  test("keys of a sample, of all tasks together", () => {
    const tasks: Task[] = ["single", "multi", "regression"];
    const known = tasks.flatMap((task) => knownKeys(() => record(task, { "?": 1 })));
    expect(sorted(firstColumn(page, "A line of the samples file"))).toEqual(sorted(known));
  });

  test("keys of an aspect", () => {
    const line = { image: "x.png", split: "train", aspects: { n: { "?": 1 } } };
    const known = knownKeys(() => record("single", line));
    const kinds = ["segmentation", "presence"]; // the others are keys too
    const keys = firstColumn(page, "An aspect of a sample").filter((name) => !kinds.includes(name));
    expect(sorted(keys)).toEqual(sorted(known));
  });
});

describe("a bundle", async () => {
  const folder = await temporaryFolder();
  let goldens: ReadonlyMap<string, Golden>;
  let description: Record<string, unknown> & { model: { heads: (AspectSpec | ClassifierSpec)[]; source: string } };
  beforeAll(async () => {
    // With a network of its own, so that all that there can be is there.
    goldens = await unpackTinyBundle(folder, tinyMappedModel({ seed: 2 }));
    description = JSON.parse(await readFile(join(folder, "bundle.json"), "utf8"));
  });
  const golden = () => [...goldens.values()][0];

  test("entries of the zip", async () => {
    const entries = Object.keys(unzipSync(await readFile(join(folder, "tiny.aspect"))));
    expect(entries[0]).toBe("bundle.json");
    const named = entries.map((name) => name.replace(/\d+/, "<n>"));
    expect(sorted(named)).toEqual(sorted(firstColumn(page, "Bundle")));
  });

  test("keys of bundle.json", () => {
    expect(sorted(firstColumn(page, "`bundle.json`"))).toEqual(keysOf([description]));
  });

  test("scales: their kinds, what belongs to each, and where it comes from", () => {
    const rows = tableRows(section(page, "Scales"));
    const values = { line: 0.02, slope: 2, by: "general" };
    expect(rows.map(([kind]) => codes(kind)[0])).toEqual(["probability", "above-chance", "uncalibrated"]);
    for (const [cell, keys] of rows) {
      const kind = codes(cell)[0];
      const of = Object.fromEntries(codes(keys).map((key) => [key, values[key as keyof typeof values]]));
      expect(isScoreScale({ kind, ...of }), kind).toBe(true);
      for (const key of Object.keys(of)) expect(isScoreScale({ kind, ...of, [key]: null }), key).toBe(false);
    }
    expect(codes(rows[0][2])).toEqual(expect.arrayContaining([...SCALE_SOURCES]));
    expect(codes(section(page, "Scales").split("\n|")[0])).toEqual(["scales", ...TARGET_GROUPS]);
  });

  /** Rows of the tables that state a shape, and sizes of the tiny model. */
  const rows = tableRows(section(page, "`explain.onnx`")).filter(([, shape]) => /^(`\[|by kind|the same)/.test(shape));
  const isKind = ([cell]: readonly string[]) => /segmentation|boxes|presence/.test(cell);
  const shapeIn = (cell: string) => codes(cell)[0]?.slice(1, -1).split(", ");
  const sizes: Readonly<Record<string, number>> = { S: 64, "S'": 96, classes: 2, h: 4, w: 4, "n (n - 1) / 2": 6 };

  test("inputs and outputs of explain.onnx, with their shapes", () => {
    const { explain, image, otherImages, target } = golden();
    const arrays = { image, ...otherImages, target, ...explain };
    const ports = rows.filter((row) => !isKind(row));
    const patternOf = (cell: string) => {
      const name = codes(cell)[0].replace("<aspect>", "[^/]+").replace("<layer>", "conv_pw_6");
      return new RegExp(`^${name.replace("<network>", "cells")}$`);
    };
    const met = new Set<string>();
    for (const [name, { shape }] of Object.entries(arrays)) {
      const fitting = ports.filter(([cell]) => patternOf(cell).test(name));
      expect(fitting.length, name).toBe(1);
      const [[port, stated]] = fitting;
      met.add(port);
      if (!stated.startsWith("`[")) continue; // of an answer: below
      const expected = shapeIn(stated).map(
        (size, axis) => sizes[size] ?? (/^\d+$/.test(size) ? Number(size) : shape[axis]),
      );
      expect(shape, name).toEqual(expected);
    }
    expect([...met]).toEqual(expect.arrayContaining(ports.map(([cell]) => cell)));
  });

  test("shapes of the answers of each kind", () => {
    const kinds = rows.filter(isKind);
    expect(kinds.length).toBe(3);
    const { explain } = golden();
    for (const head of description.model.heads.filter(({ kind }) => kind !== "classifier")) {
      const form = "form" in head ? ` (${head.form})` : "";
      const row = kinds.find(([cell]) => cell.includes(`\`${head.kind}\`${form}`));
      const { shape } = explain[`${head.name}/unmasked`];
      // The grid of boxes is the head's own matter.
      const expected = shapeIn(row?.[1] ?? "").map((size, axis) =>
        /^[hw]$/.test(size) ? shape[axis] : (sizes[size] ?? Number(size)),
      );
      expect(shape, head.name).toEqual(expected);
    }
  });

  test("outputs of predict.onnx", () => {
    const named = /`predict.onnx` takes .*$/m.exec(section(page, "`explain.onnx`"))?.[0] ?? "";
    const outputs = Object.keys(golden().predict).map((name) => name.replace(/^[^/]+\//, "<aspect>/"));
    expect(sorted(codes(named).slice(1))).toEqual(sorted(outputs));
  });

  test("keys of an explanation, its aspects and their instances", () => {
    const scale = { kind: "probability", line: 0.02, slope: 2, by: "general" } as const;
    const crop = { left: 0, top: 0, width: 1, height: 1 };
    const all = [...goldens.values()].map(
      ({ explain }) =>
        readExplanation(explain, { spec: description.model as never, scale, image: "x.png", crop }).explanation,
    );
    expect(sorted(firstColumn(page, "Explanation"))).toEqual(keysOf(all));
    const aspects = all.flatMap((explanation) => explanation.aspects);
    expect(sorted(firstColumn(page, "Each of `aspects`"))).toEqual(keysOf(aspects));
    const stated = /^Each of `instances` has .*$/m.exec(page)?.[0] ?? "";
    const instances = aspects.flatMap((aspect) => aspect.instances ?? []);
    expect(sorted(codes(stated).slice(1))).toEqual(keysOf(instances));
  });
});

test("keys of a prediction, of all tasks together", () => {
  const spec = { name: "class", kind: "classifier", taps: [], classes: ["a", "b"] } as const;
  const tasks: Task[] = ["single", "multi", "regression"];
  const predictions = tasks.map((task) => predictionOf(ndArray([1, 2]), { ...spec, task }));
  const row = tableRows(section(page, "Explanation")).find(([key]) => key === "`prediction`");
  expect(sorted(codes(row?.[1] ?? "").filter((name) => name !== "multi"))).toEqual(keysOf(predictions));
});

test("metrics of each kind of head", () => {
  const classifier = { name: "class", kind: "classifier", taps: [], classes: ["a", "b"] } as const;
  const aspect = { name: "n", taps: [], threshold: 0.5 } as const;
  const specs = {
    single: { ...classifier, task: "single" },
    multi: { ...classifier, task: "multi" },
    regression: { ...classifier, task: "regression" },
    segmentation: { ...aspect, kind: "segmentation" },
    boxes: { ...aspect, kind: "boxes" },
    presence: { ...aspect, kind: "presence" },
    amount: { ...aspect, kind: "amount", form: "number" },
  } satisfies Record<string, HeadSpec>;
  const rows = tableRows(section(page, "Metrics")).map(([head, keys]) => [codes(head)[0], codes(keys)] as const);
  expect(rows.map(([head]) => head)).toEqual(Object.keys(specs));
  for (const [head, keys] of rows) {
    const always = keys.filter((key) => key !== "tooSmallCount"); // where there is any
    const spec = specs[head as keyof typeof specs];
    expect(sorted(always), head).toEqual(sorted(Object.keys(createTally(spec, { size: 8 }).result())));
    expect(always, head).toEqual(expect.arrayContaining(Object.keys(createMetrics(spec).result())));
  }
});
