import { createHash } from "node:crypto";
import { readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { DatasetError } from "../../src/core/errors.js";
import { checkDataset } from "../../src/dataset/check.js";
import { openDataset, readRecord, records, splitSize } from "../../src/dataset/dataset.js";
import { takeInventory } from "../../src/dataset/inventory.js";
import { readLines } from "../../src/dataset/lines.js";
import { parseManifest } from "../../src/dataset/manifest.js";
import { loadSample } from "../../src/dataset/sample.js";
import { fromRaw, pngBytes, rgb, temporaryFolder, writeDataset } from "./given.js";

const folder = await temporaryFolder();
let count = 0;
const given = (options: Parameters<typeof writeDataset>[1]) => writeDataset(join(folder, `set${count++}`), options);

const ASPECTS = [
  { name: "nucleus", kind: "segmentation" },
  { name: "nodule", kind: "boxes" },
  { name: "necrosis", kind: "presence" },
  { name: "cellularity", kind: "amount" },
];
const manifest = (changes: object) => ({
  format: "aspectlens-dataset/1",
  name: "x",
  classes: ["benign", "malignant"],
  samples: "samples.jsonl",
  aspects: ASPECTS,
  ...changes,
});

describe("dataset.json", () => {
  const cases: [string, object, string][] = [
    [
      "an unknown key",
      { clases: [] },
      'd.json: unknown key "clases". Did you mean "classes"? Known: format, name, task',
    ],
    ["another format", { format: "coco" }, 'd.json: format is "coco", expected "aspectlens-dataset/1"'],
    [
      "an unknown task",
      { task: "singel" },
      'd.json: task: unknown "singel". Did you mean "single"? Known: single, multi',
    ],
    [
      "an unknown kind",
      { aspects: [{ name: "a", kind: "boxs" }] },
      'aspects[0] ("a"): kind: unknown "boxs". Did you mean "boxes"',
    ],
    ["one class", { classes: ["a"] }, 'task "single" with 1 classes; it needs at least 2'],
    ["a class twice", { classes: ["a", "a"] }, 'class "a" is listed twice'],
    ["classes in a regression", { task: "regression" }, "a regression has none; remove them"],
    ["an aspect twice", { aspects: [ASPECTS[0], ASPECTS[0]] }, 'aspect "nucleus" is listed twice'],
    [
      "an aspect called class",
      { aspects: [{ name: "class", kind: "boxes" }] },
      '"class" is reserved for the classifier',
    ],
    ["an aspect that leaves its folder", { aspects: [{ name: "../a", kind: "boxes" }] }, 'name "../a" cannot be used'],
    [
      "a cause that is no aspect",
      { causes: { malignant: ["nodul"] } },
      'causes of "malignant": unknown "nodul". Did you mean "nodule"?',
    ],
    ["a cause of no class", { causes: { malign: [] } }, 'd.json: causes: unknown key "malign"'],
    [
      "an aspect called as the comparison",
      { aspects: [{ name: "Compare", kind: "boxes" }] },
      'the files of the picture "<image>.compare.png"',
    ],
    [
      "two aspects whose files have one name",
      {
        aspects: [
          { name: "s", kind: "boxes" },
          { name: "s.survival", kind: "boxes" },
        ],
      },
      '"s.survival" would write its masks to the files of aspect "s". Rename the aspect.',
    ],
    ["samples outside the folder", { samples: "../s.jsonl" }, 'samples "../s.jsonl" leads out of the dataset'],
  ];
  test.each(cases)("is refused with %s", (_, changes, message) => {
    expect(() => parseManifest(manifest(changes), "d.json")).toThrow(DatasetError);
    expect(() => parseManifest(manifest(changes), "d.json")).toThrow(message);
  });

  test("is single-label unless it says otherwise", () => {
    const { task, causes } = parseManifest(manifest({ causes: { malignant: ["nodule"] } }), "d.json");
    expect([task, causes]).toEqual(["single", { malignant: ["nodule"] }]);
  });
});

describe("a line of samples", () => {
  const line = (changes: object) => ({ image: "i.png", split: "train", label: "a", ...changes });
  const aspect = (annotation: object) => line({ aspects: { nodule: annotation } });
  const cases: [string, object | string, string][] = [
    ["no JSON", "{", "not JSON"],
    ["an unknown key", line({ labell: "a" }), 'unknown key "labell". Did you mean "label"? Known: image, split, label'],
    ["an unknown class", line({ label: "cat" }), 'label: unknown "cat". Known: a, b'],
    ["an unknown split", line({ split: "val" }), 'split: unknown "val". Known: train, validation, test'],
    ["an unknown aspect", line({ aspects: { nodul: {} } }), 'aspects: unknown key "nodul". Did you mean "nodule"?'],
    ["an unknown annotation", aspect({ box: [] }), 'aspect "nodule": unknown key "box"'],
    ["an absolute path", line({ image: "/etc/x.png" }), 'image "/etc/x.png" is absolute'],
    ["a path out of the folder", line({ image: "a/../../x.png" }), "leads out of the dataset"],
    ["a Windows path", line({ image: "a\\x.png" }), "holds a backslash"],
    [
      "a box outside the image",
      aspect({
        boxes: [
          [0, 0, 1, 1],
          [0.1, 0.2, 0.3, 40],
        ],
      }),
      "box 2 [0.1,0.2,0.3,40] reaches outside the image",
    ],
    ["an inverted box", aspect({ boxes: [[0.5, 0.2, 0.3, 0.4]] }), "box 1 [0.5,0.2,0.3,0.4] has no area"],
    ["a box of three numbers", aspect({ boxes: [[0, 0, 1]] }), "is not four numbers"],
    ["an amount of 3", aspect({ amount: 3 }), "amount is 3. Give a number in 0..1"],
    ["presence as a number", aspect({ present: 1 }), "present is 1. Write true or false"],
    ["values without a mask", aspect({ boxes: [], values: [1] }), "values without a mask"],
    ["an annotation that says nothing", aspect({}), "has no annotation"],
    ["a cause that is no aspect", line({ causes: ["x"] }), 'causes: unknown "x". Known: nodule'],
  ];
  test.each(cases)("is refused with %s, by file and line", async (_, bad, message) => {
    const directory = await given({ manifest: { aspects: [ASPECTS[1]] }, lines: [line({}), "", bad] });
    const error = await openDataset(directory).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(DatasetError);
    const text = (error as DatasetError).message;
    expect(text.startsWith(`${join(directory, "samples.jsonl")}:3: `)).toBe(true);
    expect(text).toContain(message);
    expect(text).not.toContain("\n");
  });
});

describe("openDataset", () => {
  const lines = [
    { image: "images/ä.png", split: "test", label: "b" },
    {
      image: "1.png",
      split: "train",
      label: "a",
      aspects: { nucleus: { mask: "m.png", values: [1, 2] }, necrosis: { present: false } },
    },
    {
      image: "2.png",
      split: "train",
      aspects: { nucleus: { mask: null }, cellularity: { amount: 0 }, nodule: { boxes: [] } },
    },
    {
      image: "3.png",
      split: "train",
      label: "b",
      aspects: { nodule: { boxes: [[0, 0, 1, 1.0000001]], mask: null }, cellularity: { map: "c.png" } },
    },
  ];

  test("line endings make no other dataset", async () => {
    const directory = await given({ manifest: { aspects: ASPECTS }, lines });
    const { hash } = await openDataset(directory);
    for (const name of ["dataset.json", "samples.jsonl"]) {
      const text = await readFile(join(directory, name), "utf8");
      await writeFile(join(directory, name), text.replace(/\n/g, "\r\n"));
    }
    expect((await openDataset(directory)).hash).toBe(hash);
    expect((await checkDataset(directory)).hash).toBe(hash);
  });

  test("finds each sample again by split and index, past blank lines, CRLF, letters of several bytes and a byte-order mark", async () => {
    const directory = await given({ manifest: { aspects: ASPECTS }, lines: [] });
    const text = `\uFEFF${JSON.stringify(lines[0])}\r\n\r\n${JSON.stringify(lines[1])}\n   \n${JSON.stringify(lines[2])}\n${JSON.stringify(lines[3])}`;
    await writeFile(join(directory, "samples.jsonl"), text);
    const dataset = await openDataset(directory);
    expect([splitSize(dataset, "train"), splitSize(dataset, "validation"), splitSize(dataset, "test")]).toEqual([
      3, 0, 1,
    ]);
    const train = await Promise.all([0, 1, 2].map((index) => readRecord(dataset, "train", index)));
    expect(train.map((record) => record.image)).toEqual(["1.png", "2.png", "3.png"]);
    expect(train[2].where).toBe(`${join(directory, "samples.jsonl")}:6`);
    expect(train[2].aspects.nodule.boxes).toEqual([[0, 0, 1, 1]]);
    expect((await readRecord(dataset, "test", 0)).image).toBe("images/ä.png");
    const streamed = [];
    for await (const record of records(dataset, { split: "train" })) streamed.push(record);
    expect(streamed).toEqual(train);
  });

  test("counts labelled, empty and unlabelled apart for each head and split", async () => {
    const { summary } = await openDataset(await given({ manifest: { aspects: ASPECTS }, lines }));
    expect(summary.heads.class.states.train).toEqual({ labelled: 2, empty: 0, unlabelled: 1 });
    expect(summary.heads.nucleus.states.train).toEqual({ labelled: 1, empty: 1, unlabelled: 1 });
    expect(summary.heads.nodule.states.train).toEqual({ labelled: 1, empty: 1, unlabelled: 1 });
    expect(summary.heads.necrosis.states.train).toEqual({ labelled: 0, empty: 1, unlabelled: 2 });
    expect(summary.heads.cellularity).toMatchObject({
      mapCount: 1,
      states: { train: { labelled: 1, empty: 1, unlabelled: 1 } },
    });
    expect(summary.heads.nucleus.states.test).toEqual({ labelled: 0, empty: 0, unlabelled: 1 });
    expect(summary.classes.b).toEqual({ train: 1, validation: 0, test: 1 });
  });

  test("hashes manifest and samples: SHA-256 over one after the other", async () => {
    const directory = await given({ lines: [lines[0]] });
    const expected = createHash("sha256");
    for (const name of ["dataset.json", "samples.jsonl"]) expected.update(await readFile(join(directory, name)));
    expect((await openDataset(directory)).hash).toBe(expected.digest("hex"));
  });

  test("reads labels of a multi-label set, where none is an answer, and the values of a regression", async () => {
    const multi = await openDataset(
      await given({
        manifest: { task: "multi" },
        lines: [
          { image: "1.png", split: "train", labels: [] },
          { image: "2.png", split: "train", labels: ["a", "b"] },
        ],
      }),
    );
    expect(multi.summary.heads.class.states.train).toEqual({ labelled: 1, empty: 1, unlabelled: 0 });
    expect((await readRecord(multi, "train", 1)).target).toEqual({ labels: ["a", "b"] });
    const values = [2, 4, 9].map((value, i) => ({ image: `${i}.png`, split: i < 2 ? "train" : "test", value }));
    const regression = await openDataset(await given({ manifest: { task: "regression", classes: [] }, lines: values }));
    expect(regression.summary.scale).toEqual({ mean: 3, deviation: 1 });
  });

  test("says what is missing: folder, samples file, samples", async () => {
    await expect(openDataset(join(folder, "none"))).rejects.toThrow(
      /none\/dataset\.json: cannot be read .*aspectlens data synth/,
    );
    await expect(openDataset(await given({ manifest: { samples: "other.jsonl" }, lines: [] }))).rejects.toThrow(
      /other\.jsonl: cannot be read .*Check "samples" in dataset\.json/,
    );
    await expect(openDataset(await given({ lines: [] }))).rejects.toThrow("holds no samples");
  });

  test("notices a samples file that has changed since", async () => {
    const directory = await given({ manifest: { aspects: ASPECTS }, lines });
    const dataset = await openDataset(directory);
    await writeFile(join(directory, "samples.jsonl"), "x".repeat(1000));
    await expect(readRecord(dataset, "train", 0)).rejects.toThrow(/samples\.jsonl:2: is not JSON/);
  });
});

test("lines longer than a chunk of the file are found whole, with their offsets", async () => {
  const file = join(folder, "long.txt");
  const texts = ["a".repeat(300_000), "b", "c".repeat(700_000), "d"];
  await writeFile(file, texts.join("\n"));
  const found = [];
  for await (const line of readLines(file)) found.push([line.number, line.offset, Buffer.from(line.bytes).toString()]);
  expect(found).toEqual([
    [1, 0, texts[0]],
    [2, 300_001, "b"],
    [3, 300_003, texts[2]],
    [4, 1_000_004, "d"],
  ]);
});

describe("what Windows and macOS write", () => {
  const composed = "caf\u00e9";
  const decomposed = "cafe\u0301";

  test("names are the same composed and decomposed: classes, aspects, causes, files", async () => {
    const directory = await given({
      manifest: {
        classes: [composed, "b"],
        aspects: [{ name: decomposed, kind: "segmentation" }],
        causes: { [decomposed]: [composed] },
      },
      lines: [
        {
          image: `${composed}/${decomposed}.png`,
          split: "train",
          label: decomposed,
          aspects: { [composed]: { mask: `${composed}.png` } },
        },
      ],
      files: {
        [`${decomposed}/${composed}.png`]: await fromRaw(
          rgb(2, 2, () => [1, 2, 3]),
          2,
          2,
        )
          .png()
          .toBuffer(),
        [`${decomposed}.png`]: pngBytes([
          [0, 1],
          [0, 1],
        ]),
      },
    });
    const dataset = await openDataset(directory);
    expect(dataset.manifest.causes).toEqual({ [composed]: [composed] });
    const sample = await loadSample(dataset, await readRecord(dataset, "train", 0), { inputSize: 2 });
    expect([sample.target.label, sample.causes]).toEqual([composed, [composed]]);
    expect([...(sample.aspects[composed].mask ?? [])]).toEqual([0, 1, 0, 1]);
    const { faults } = await checkDataset(directory);
    expect(faults.filter(({ severity }) => severity === "error")).toEqual([]);
    expect((await takeInventory(dataset)).files).toHaveLength(2);
  });

  test("both forms of one class or aspect are one too many", () => {
    expect(() => parseManifest(manifest({ classes: [composed, decomposed] }), "d.json")).toThrow("is listed twice");
    const twins = [composed, decomposed].map((name) => ({ name, kind: "presence" }));
    expect(() => parseManifest(manifest({ aspects: twins, causes: undefined }), "d.json")).toThrow("is listed twice");
  });

  test("a byte-order mark is passed over in both files; UTF-16 is named in one fault", async () => {
    const directory = await given({
      lines: [
        { image: "i.png", split: "train", label: "a" },
        { image: "j.png", split: "test" },
      ],
    });
    for (const name of ["dataset.json", "samples.jsonl"]) {
      const path = join(directory, name);
      const text = await readFile(path, "utf8");
      await writeFile(path, `\ufeff${text}`);
      const { summary } = await openDataset(directory);
      expect(summary.samples).toEqual({ train: 1, validation: 0, test: 1 });
      await writeFile(path, Buffer.from(`\ufeff${text}`, "utf16le"));
      await expect(openDataset(directory)).rejects.toThrow(`${path}: is UTF-16. Save it as UTF-8.`);
      await expect(checkDataset(directory)).rejects.toThrow(`${path}: is UTF-16. Save it as UTF-8.`);
      await writeFile(path, text);
    }
  });
});

test.each(["constructor", "toString", "valueOf"])(
  "an aspect and a class called %s are like any other",
  async (name) => {
    const directory = await given({
      manifest: { classes: [name, "b"], aspects: [{ name, kind: "presence" }], causes: { [name]: [name] } },
      lines: [
        { image: "i.png", split: "train", label: name, aspects: { [name]: { present: true } } },
        { image: "i.png", split: "train", label: "b" },
        { image: "i.png", split: "train" },
      ],
      files: {
        "i.png": await fromRaw(
          rgb(2, 2, () => [1, 2, 3]),
          2,
          2,
        )
          .png()
          .toBuffer(),
      },
    });
    const dataset = await openDataset(directory);
    expect(dataset.summary.heads[name].states.train).toEqual({ labelled: 1, empty: 0, unlabelled: 2 });
    const samples = await Promise.all(
      [0, 1, 2].map(async (i) => loadSample(dataset, await readRecord(dataset, "train", i), { inputSize: 2 })),
    );
    expect(samples.map(({ causes }) => causes)).toEqual([[name], undefined, undefined]);
    expect(samples.map(({ aspects }) => Object.keys(aspects))).toEqual([[name], [], []]);
  },
);

test("the annotations of an aspect called like what objects inherit are its own only", async () => {
  const directory = await given({
    manifest: { classes: ["constructor", "b"], causes: undefined },
    lines: [{ image: "i.png", split: "train", label: "constructor" }],
    files: {
      "i.png": await fromRaw(
        rgb(2, 2, () => [1, 2, 3]),
        2,
        2,
      )
        .png()
        .toBuffer(),
    },
  });
  const dataset = { ...(await openDataset(directory)) };
  const open = { ...dataset, manifest: { ...dataset.manifest, causes: {} } };
  const sample = await loadSample(open, await readRecord(dataset, "train", 0), { inputSize: 2 });
  expect(sample.causes).toBeUndefined();
});

test("a dataset.json that is a device or a pipe is refused, not read", async () => {
  const directory = await given({ manifest: {}, lines: [] });
  await rm(join(directory, "dataset.json"));
  await symlink("/dev/zero", join(directory, "dataset.json"));
  await expect(openDataset(directory)).rejects.toThrow("dataset.json: is a device or socket, not a file");
});
