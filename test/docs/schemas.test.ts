/** schemas/*.json take what the program takes, refuse what it refuses, and know the same keys. */

import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { configurationSchema } from "../../scripts/schemas/configuration-schema.js";
import { parseRules, RULE_KEYS } from "../../src/audit/rules.js";
import { ASPECT_KINDS, TASKS, type Task } from "../../src/core/annotation.js";
import { parseManifest } from "../../src/dataset/manifest.js";
import { SPLITS, toRecord } from "../../src/dataset/record.js";
import { CONFIG_KEYS, type ConfigFacts, checkConfig, resolveConfig } from "../../src/train/config.js";
import { knownKeys } from "./known-keys.js";
import { readPage as text } from "./page.js";

const schemaOf = (name: string) => JSON.parse(text(`schemas/${name}.schema.json`));
const ajv = new Ajv2020({ allErrors: true, strict: true, strictTypes: false, strictRequired: false });
const validators = Object.fromEntries(
  ["configuration", "dataset", "sample", "audit"].map((name) => [name, ajv.compile(schemaOf(name))]),
);
const whyNot = (validate: ValidateFunction, value: unknown) => (validate(value) ? "" : ajv.errorsText(validate.errors));

const sortedKeys = (read: () => unknown) => knownKeys(read).sort();

function isTaken(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch {
    return false;
  }
}

/** Cases by what is expected: taken, refused by both, or refused by the program alone, which knows more. */
type Cases = readonly [what: string, expected: "taken" | "refused" | "refused by the program", value: unknown][];

function agree(validate: ValidateFunction, read: (value: unknown) => unknown, cases: Cases) {
  test.each(cases)("%s: %s", (_, expected, value) => {
    expect(isTaken(() => read(structuredClone(value)))).toBe(expected === "taken");
    const reason = whyNot(validate, value);
    if (expected === "refused") expect(reason).not.toBe("");
    else expect(reason).toBe("");
  });
}

describe("configuration", () => {
  const facts: ConfigFacts = {
    trainCount: 100,
    aspects: [{ name: "spot", kind: "segmentation" }],
    trunkOf: () => ({ source: "conv_pw_11", taps: [], output: "conv_pw_13" }),
  };
  const least = { dataset: "d", out: "o" };
  const read = (value: unknown) => resolveConfig(checkConfig(value), facts);

  test("is made from docs/configuration.md as it is; else: npm run schemas", () => {
    expect(schemaOf("configuration")).toEqual(configurationSchema(text("docs/configuration.md")));
  });

  test("knows every key of the code", () => {
    const { properties, $defs } = schemaOf("configuration");
    const places: Record<string, { properties: object }> = {
      "": { properties },
      "trunk.": properties.trunk,
      "heads.<name>.": properties.heads.additionalProperties,
      "stages[].": $defs.stage,
      "augment.": properties.augment,
      "teacher.": properties.teacher,
      "fold.": properties.fold,
      "images.": properties.images,
    };
    expect(Object.keys(places)).toEqual(Object.keys(CONFIG_KEYS));
    for (const [place, keys] of Object.entries(CONFIG_KEYS))
      expect(Object.keys(places[place].properties).sort(), place).toEqual([...keys].sort());
  });

  test("a run's own config.json is one", () => {
    expect(whyNot(validators.configuration, read({ ...least, teacher: { weights: "w" } }))).toBe("");
  });

  const schemaKeys = Object.entries<Record<string, unknown>>(schemaOf("configuration").properties);
  const numeric = schemaKeys.filter(([, { type }]) => type === "integer" || type === "number");
  test("numbers of the first level were found", () => expect(numeric.length).toBeGreaterThan(4));
  agree(
    validators.configuration,
    read,
    numeric.flatMap(
      ([key, { minimum, maximum }]): Cases => [
        [`${key} at its least`, "taken", { ...least, [key]: minimum }],
        [`${key} at its most`, "taken", { ...least, [key]: maximum }],
        [`${key} below`, "refused", { ...least, [key]: Number(minimum) - 1 }],
        [`${key} above`, "refused", { ...least, [key]: Number(maximum) * 1.1 }],
        [`${key} as text`, "refused", { ...least, [key]: "7" }],
      ],
    ),
  );

  agree(validators.configuration, read, [
    ["the least", "taken", least],
    ["a schema named", "taken", { $schema: "./configuration.schema.json", ...least }],
    ["no folder", "refused", { out: "o" }],
    ["an empty folder", "refused", { dataset: "", out: "o" }],
    ["an unknown key", "refused", { ...least, bachSize: 4 }],
    ["an unknown key of the trunk", "refused", { ...least, trunk: { size: 224 } }],
    ["an unknown trunk", "refused", { ...least, trunk: { name: "resnet" } }],
    ["a list of stages", "taken", { ...least, stages: [{ train: "all", epochs: 3 }] }],
    ["stages by their place", "taken", { ...least, stages: { "1": { epochs: 3 } } }],
    ["no stage", "refused", { ...least, stages: [] }],
    ["a stage by name", "refused", { ...least, stages: { heads: { epochs: 3 } } }],
    ["a place that no default has", "refused by the program", { ...least, stages: { "7": { epochs: 3 } } }],
    ["a negative rate", "refused", { ...least, stages: [{ learningRate: -1 }] }],
    ["one tap and several", "taken", { ...least, heads: { spot: { tap: "a" }, class: { tap: ["a", "b"] } } }],
    ["no tap", "refused", { ...least, heads: { spot: { tap: [] } } }],
    ["a head that is not there", "refused by the program", { ...least, heads: { spots: { weight: 2 } } }],
    ["dropout of an aspect", "refused by the program", { ...least, heads: { spot: { dropout: 0.2 } } }],
    ["a flip of 1", "refused", { ...least, augment: { flip: 1 } }],
    ["a fold", "taken", { ...least, fold: { number: 2, of: 3, by: ["patient"] } }],
    ["one fold of one", "refused", { ...least, fold: { of: 1 } }],
    ["groups of a fold as text", "refused", { ...least, fold: { by: "patient" } }],
    ["no image", "refused", { ...least, images: { train: 0 } }],
    ["images of the test split", "refused", { ...least, images: { test: 4 } }],
    ["a teacher without weights", "refused", { ...least, teacher: { weight: 1 } }],
  ]);
});

const manifest = { format: "aspectlens-dataset/1", name: "x", classes: ["a", "b"] };

describe("dataset.json", () => {
  test("knows the keys, kinds and tasks of the code", () => {
    const { properties } = schemaOf("dataset");
    expect(properties.task.enum).toEqual([...TASKS]);
    expect(properties.aspects.items.properties.kind.enum).toEqual([...ASPECT_KINDS]);
    expect(sortedKeys(() => parseManifest({ ...manifest, "?": 1 }, "d"))).toEqual(Object.keys(properties).sort());
    const unknown = { ...manifest, aspects: [{ "?": 1 }] };
    const item = Object.keys(properties.aspects.items.properties);
    expect(sortedKeys(() => parseManifest(unknown, "d"))).toEqual(item.sort());
  });

  test("the sample set's is one", () => {
    expect(whyNot(validators.dataset, JSON.parse(text("data/sample/dataset.json")))).toBe("");
  });

  const aspect = (changes: object) => ({ ...manifest, aspects: [{ name: "n", kind: "boxes", ...changes }] });
  agree(validators.dataset, (value) => parseManifest(value, "d"), [
    ["the least", "taken", manifest],
    ["a schema named", "taken", { $schema: "x.json", ...manifest }],
    ["another format", "refused", { ...manifest, format: "coco" }],
    ["no name", "refused", { ...manifest, name: " " }],
    ["an unknown key", "refused", { ...manifest, clases: [] }],
    ["one class", "refused", { ...manifest, classes: ["a"] }],
    ["one label", "taken", { ...manifest, task: "multi", classes: ["a"] }],
    ["no label", "refused", { ...manifest, task: "multi", classes: [] }],
    ["a regression", "taken", { format: manifest.format, name: "x", task: "regression" }],
    ["a regression with classes", "refused", { ...manifest, task: "regression" }],
    ["a class twice", "refused", { ...manifest, classes: ["a", "b", "a"] }],
    ["an aspect", "taken", aspect({ name: "Blick über 2.5" })],
    ["an aspect called class", "refused", aspect({ name: "class" })],
    ["an aspect with a path", "refused", aspect({ name: "../n" })],
    ["an unknown kind", "refused", aspect({ kind: "box" })],
    ["an aspect without a kind", "refused", { ...manifest, aspects: [{ name: "n" }] }],
    ["samples elsewhere", "refused", { ...manifest, samples: "../s.jsonl" }],
    ["samples in a folder", "taken", { ...manifest, samples: "./lists/s.jsonl" }],
    ["a cause that is no aspect", "refused by the program", { ...manifest, causes: { a: ["n"] } }],
    ["links as text", "refused", { ...manifest, allowLinks: "yes" }],
    ["a source", "taken", { ...manifest, sources: [{ name: "s", tool: "coco", licence: "MIT" }] }],
    ["a source without a name", "refused", { ...manifest, sources: [{ tool: "coco" }] }],
    ["a source with an unknown key", "refused", { ...manifest, sources: [{ name: "s", license: "MIT" }] }],
  ]);
});

describe("a line of the samples file", () => {
  const read = (value: unknown, task: Task = "single") =>
    toRecord(
      value,
      parseManifest(
        {
          ...manifest,
          task,
          classes: task === "regression" ? [] : ["a", "b"],
          aspects: [{ name: "n", kind: "boxes" }],
        },
        "d",
      ),
      "s",
    );
  const line = { image: "i.png", split: "train" };
  const aspect = (n: object) => ({ ...line, aspects: { n } });

  test("knows the keys and splits of the code", () => {
    const { properties, $defs } = schemaOf("sample");
    expect(properties.split.enum).toEqual([...SPLITS]);
    const keys = TASKS.flatMap((task) => sortedKeys(() => read({ ...line, "?": 1 }, task)));
    expect([...new Set(keys)].sort()).toEqual(Object.keys(properties).sort());
    expect(sortedKeys(() => read(aspect({ "?": 1 })))).toEqual(Object.keys($defs.aspect.properties).sort());
  });

  test("those of the sample set are such", () => {
    const lines = text("data/sample/samples.jsonl").trim().split("\n");
    expect(lines.length).toBe(24);
    for (const each of lines) expect(whyNot(validators.sample, JSON.parse(each))).toBe("");
  });

  test("labels and values are those of other tasks", () => {
    expect(isTaken(() => read({ ...line, labels: ["a"] }, "multi"))).toBe(true);
    expect(isTaken(() => read({ ...line, value: -2.5 }, "regression"))).toBe(true);
    for (const own of [{ labels: ["a"] }, { value: -2.5 }])
      expect(whyNot(validators.sample, { ...line, ...own })).toBe("");
    expect(whyNot(validators.sample, { ...line, label: "a", labels: ["a"] })).not.toBe("");
    expect(isTaken(() => read({ ...line, label: "a", labels: ["a"] }))).toBe(false);
  });

  agree(validators.sample, (value) => read(value), [
    ["the least", "taken", line],
    ["a source that nobody declares", "refused by the program", { ...line, source: "s" }],
    ["no image", "refused", { split: "train" }],
    ["no split", "refused", { image: "i.png" }],
    ["an unknown split", "refused", { ...line, split: "val" }],
    ["an unknown key", "refused", { ...line, class: "a" }],
    ["an absolute path", "refused", { ...line, image: "/i.png" }],
    ["a Windows path", "refused", { ...line, image: "C:i.png" }],
    ["a backslash", "refused", { ...line, image: "a\\i.png" }],
    ["a folder", "refused", { ...line, image: "images/" }],
    ["a way out by a detour", "refused by the program", { ...line, image: "a/../../i.png" }],
    ["a class that is not there", "refused by the program", { ...line, label: "c" }],
    ["all of an aspect", "taken", aspect({ mask: "m.png", values: [1], ignore: [3], boxes: [], ignoredBoxes: [] })],
    ["a mask of nothing", "taken", aspect({ mask: null })],
    ["nothing of an aspect", "refused", aspect({})],
    ["values alone", "refused", aspect({ values: [1] })],
    ["values of no mask", "refused by the program", aspect({ mask: null, values: [1] })],
    ["a value of 70000", "refused", aspect({ mask: "m.png", values: [70000] })],
    ["no value", "refused", aspect({ mask: "m.png", values: [] })],
    ["ignored boxes alone", "refused", aspect({ present: true, ignoredBoxes: [] })],
    ["a box of three", "refused", aspect({ boxes: [[0, 0, 1]] })],
    ["a box in pixels", "refused", aspect({ boxes: [[10, 20, 30, 40]] })],
    ["an inverted box", "refused by the program", aspect({ boxes: [[0.5, 0, 0.4, 1]] })],
    ["an amount", "taken", aspect({ amount: 0.5, map: "m.png" })],
    ["an amount of 3", "refused", aspect({ amount: 3 })],
    ["presence as text", "refused", aspect({ present: "yes" })],
    ["groups", "taken", { ...line, groups: { patient: "p7", site: "A" } }],
    ["a group as number", "refused", { ...line, groups: { patient: 7 } }],
    ["a group without a name", "refused", { ...line, groups: { "": "7" } }],
  ]);
});

describe("audit.json", () => {
  const read = (value: unknown) => parseRules(value, "audit.json");
  const of = (rule: object) => ({ rules: [rule] });
  const never = { never: "x", atMost: 0.1 };
  const change = { change: "x", atMost: 0.1, against: "r" };

  test("knows the keys of every kind of rule", () => {
    const { $defs } = schemaOf("audit");
    for (const [kind, keys] of Object.entries(RULE_KEYS))
      expect(Object.keys($defs[kind].properties).sort(), kind).toEqual([...keys].sort());
  });

  test("the example's is one", () => {
    const example = JSON.parse(text("examples/audit/audit.json"));
    expect(whyNot(validators.audit, example)).toBe("");
    expect(isTaken(() => read(example))).toBe(true);
  });

  agree(validators.audit, read, [
    ["the least", "taken", of(never)],
    [
      "all of never",
      "taken",
      { $schema: "s", ...of({ ...never, class: "c", by: "site", where: "present", name: "n" }) },
    ],
    ["all of always", "taken", of({ always: "x", atLeast: 1, class: "c", by: "site", where: "present", name: "n" })],
    ["elsewhere", "taken", of({ elsewhere: "mostly", atMost: 0, by: "split" })],
    ["outliers", "taken", of({ outliers: true, atMost: 0.01, against: "r" })],
    ["change", "taken", of({ ...change, by: "site" })],
    ["no rules", "refused", {}],
    ["an empty list", "refused", { rules: [] }],
    ["an unknown key beside the rules", "refused", { ...of(never), rule: 1 }],
    ["an unknown key of a rule", "refused", of({ ...never, klass: "c" })],
    ["a rule that counts nothing", "refused", of({ atMost: 0.1 })],
    ["a rule that counts two things", "refused", of({ ...never, outliers: true })],
    ["never without a limit", "refused", of({ never: "x" })],
    ["never with the other limit", "refused", of({ never: "x", atLeast: 0.1 })],
    ["a limit that nothing breaks", "refused", of({ never: "x", atMost: 1 })],
    ["a limit that everything keeps", "refused", of({ always: "x", atLeast: 0 })],
    ["a limit as text", "refused", of({ never: "x", atMost: "2 %" })],
    ["a blank name", "refused", of({ ...never, class: " " })],
    ["another where", "refused", of({ ...never, where: "absent" })],
    ["elsewhere as a flag", "refused", of({ elsewhere: true, atMost: 0.1 })],
    ["outliers that are none", "refused", of({ outliers: false, atMost: 0.1 })],
    ["change beside nothing", "refused", of({ change: "x", atMost: 0.1 })],
    ["no change at all", "refused", of({ ...change, atMost: 0 })],
  ]);
});
