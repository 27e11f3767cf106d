import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Task } from "../../src/core/annotation.js";
import { ConfigError } from "../../src/core/errors.js";
import { type ConfigFacts, checkConfig, resolveConfig, weightsOf } from "../../src/train/config.js";
import { readConfig } from "../../src/train/read-config.js";
import { markRunFolder } from "../../src/train/run-folder.js";
import { setKey } from "../../src/train/set-key.js";

const facts: ConfigFacts = {
  trainCount: 800,
  aspects: [
    { name: "nucleus", kind: "segmentation" },
    { name: "nodule", kind: "boxes" },
  ],
  trunkOf: () => ({ source: "conv_pw_11", taps: [], output: "conv_pw_13" }),
};
const smallest = { dataset: "data/tissue", out: "runs/tissue" };
const resolve = (more: object) => resolveConfig(checkConfig({ ...smallest, ...more }, "config.json"), facts);

/** Passes, or fails in fewer than 500 characters. */
function isShort(work: () => unknown): boolean {
  try {
    work();
    return true;
  } catch (error) {
    return error instanceof ConfigError && error.message.length < 500;
  }
}

describe("configuration", () => {
  test.each([
    [{ batchSize: {} }, "c.json: batchSize: expected a whole number from 1 to 1024, got {}."],
    [{ stages: "foo" }, 'c.json: stages: expected a list of stages, got "foo".'],
    [{ stages: [{ epoch: 1 }] }, 'c.json: stages[0]: unknown key "epoch".'],
    [{ augment: { crop: 2 } }, "c.json: augment.crop: expected a number from 0 to 0.9, got 2."],
    [{ teacher: {} }, "c.json: teacher.weights: expected a name, got null."],
  ])("%j is refused before any data is read, naming the file", (more, message) => {
    expect(() => checkConfig({ ...smallest, ...more }, "c.json")).toThrow(message);
  });

  test("the classifier pools by a generalized mean, a regression by the mean, unless asked otherwise", () => {
    const poolingOf = (task: Task | undefined, heads = {}) =>
      resolveConfig(checkConfig({ ...smallest, heads }, "c"), { ...facts, task }).heads.class.pooling;
    expect([undefined, "multi", "regression"].map((task) => poolingOf(task as Task | undefined))).toEqual([
      ...["generalized-mean", "generalized-mean", "mean"],
    ]);
    expect(poolingOf("single", { class: { pooling: "mean" } })).toBe("mean");
    // Of a layer without an activation half of the values would be lost.
    const tap = { name: "linear", stride: 16, channels: 8, size: 4, isLinear: true };
    const trunkOf = () => ({ source: "conv_pw_11", taps: [tap], output: "conv_pw_13" });
    const read = checkConfig({ ...smallest, heads: { class: { tap: "linear" } } }, "c");
    expect(resolveConfig(read, { ...facts, trunkOf }).heads.class.pooling).toBe("mean");
    expect(poolingOf("regression", { class: { pooling: "generalized-mean" } })).toBe("generalized-mean");
  });

  test("dataset and out alone are enough: the trunk that comes with the package", () => {
    const known = { ...facts, weights: { name: "mobilenet-v1" as const, alpha: 0.25, inputSize: 128 } };
    const config = resolveConfig(checkConfig(smallest, "c"), known);
    const weights = "builtin:mobilenet-v1-0.25";
    expect(config.trunk).toEqual({ name: "mobilenet-v1", alpha: 0.25, inputSize: 128, weights });
    expect(config.stages.map(({ train }) => train)).toEqual(["heads", "conv_dw_4"]);
  });

  test.each([
    [undefined, "builtin:mobilenet-v1-0.25"],
    [{ inputSize: 160 }, "builtin:mobilenet-v1-0.25"],
    [{ alpha: 0.25 }, "builtin:mobilenet-v1-0.25"],
    [{ alpha: 0.5 }, "builtin:mobilenet-v1-0.5"],
    [{ alpha: 0.75 }, "random"],
    [{ name: "mobilenet-v2" }, "builtin:mobilenet-v2-0.35"],
    [{ name: "mobilenet-v2", alpha: 1 }, "random"],
    [{ name: "vgg16" }, "random"],
    [{ name: "vgg16", weights: "mine" }, "mine"],
  ])("a trunk of %j starts from %s", (trunk, weights) => {
    expect(weightsOf(checkConfig({ ...smallest, ...(trunk && { trunk }) }, "c"))).toBe(weights);
  });

  test("random weights train all at once with statistics of the batch", () => {
    const config = resolve({ trunk: { weights: "random" } });
    expect(config.trunk).toEqual({ name: "mobilenet-v1", alpha: 0.25, inputSize: 128, weights: "random" });
    expect(config.stages.map(({ train, batchNorm, epochs }) => ({ train, batchNorm, epochs }))).toEqual([
      { train: "all", batchNorm: "batch", epochs: 60 },
    ]);
    expect(Object.keys(config.heads)).toEqual(["class", "nucleus", "nodule"]);
  });

  test("given weights train the heads first, from cached features, then fine-tune with frozen statistics", () => {
    const known = { ...facts, weights: { name: "mobilenet-v2" as const, alpha: 0.35, inputSize: 224 } };
    const config = resolveConfig(checkConfig({ ...smallest, trunk: { weights: "w" } }, "c"), known);
    expect(config.trunk).toEqual({ name: "mobilenet-v2", alpha: 0.35, inputSize: 224, weights: "w" });
    expect(config.stages.map(({ train, cache, batchNorm }) => [train, cache, batchNorm])).toEqual([
      ["heads", true, "frozen"],
      ["block_3_expand", false, "frozen"],
    ]);
    // What lies behind the taps is pre-trained: a tenth of the heads' rate.
    expect(config.stages[0].trunkLearningRate).toBeCloseTo(config.stages[0].learningRate / 10, 12);
    expect(config.stages[1].trunkLearningRate).toBe(config.stages[1].learningRate / 2);
  });

  test("an unknown key fails, names the file, suggests the nearest and lists the known ones", () => {
    expect(() => resolve({ batchsize: 4 })).toThrow(
      /config\.json: unknown key "batchsize"\. Did you mean "batchSize"\? Known: dataset/,
    );
    expect(() => resolve({ heads: { nucleos: {} } })).toThrow(
      /heads: unknown key "nucleos"\. Did you mean "nucleus"\?/,
    );
    expect(() => resolve({ stages: [{ train: "heads", epoch: 1 }] })).toThrow(/stages\[0\]: unknown key "epoch"/);
  });

  test.each([
    [{ batchSize: 0 }, /batchSize: expected a whole number from 1 to 1024, got 0/],
    [{ batchSize: "16" }, /batchSize: .*got "16"/],
    [{ augment: { crop: 1.5 } }, /augment\.crop/],
    [{ stages: [] }, /stages: expected a list/],
    [{ stages: [{ train: "heads", learningRate: -1 }] }, /stages\[0\]\.learningRate/],
    [{ score: "nucelus" }, /score: expected one of mean, class, nucleus, nodule/],
    [{ trunk: { name: "resnet" } }, /trunk\.name: expected one of mobilenet-v1/],
    [{ heads: { nucleus: { tap: 3 } } }, /heads\.nucleus\.tap/],
    [{ accumulate: 0 }, /accumulate: expected a whole number from 1 to 1024, got 0/],
    [{ accumulate: 1.5 }, /accumulate: expected a whole number from 1 to 1024, got 1\.5/],
    [{ stages: [{ movingAverage: 1 }] }, /stages\[0\]\.movingAverage: expected a number from 0 below 1, got 1/],
    [{ stages: [{ movingAverage: -0.1 }] }, /stages\[0\]\.movingAverage: .*got -0\.1/],
    [{ heads: { class: { dropout: 0.95 } } }, /heads\.class\.dropout: expected a number from 0 up to 0\.9, got 0\.95/],
    [{ heads: { class: { pooling: "max" } } }, /heads\.class\.pooling: expected one of mean, generalized-mean/],
    [{ heads: { nucleus: { pooling: "mean" } } }, /heads\.nucleus\.pooling: only the classifier has it/],
    [{ heads: { nucleus: { dropout: 0.5 } } }, /heads\.nucleus\.dropout: only the classifier has it/],
  ])("%j is refused in one line", (more, message) => {
    expect(() => resolve(more)).toThrow(ConfigError);
    expect(() => resolve(more)).toThrow(message);
  });

  test("weights of another width than the configuration says are refused", () => {
    const known = { ...facts, weights: { name: "mobilenet-v1" as const, alpha: 0.5 } };
    const raw = checkConfig({ ...smallest, trunk: { weights: "w", alpha: 0.25 } }, "c");
    expect(() => resolveConfig(raw, known)).toThrow(
      /weights are of mobilenet-v1 0.5, the configuration says mobilenet-v1 0.25/,
    );
  });

  test("VGG from random weights, which has no batch normalisation, learns at a tenth of a MobileNet's rate", () => {
    expect(resolve({ trunk: { weights: "random" } }).stages[0].learningRate).toBe(0.003);
    expect(resolve({ trunk: { name: "vgg16" } }).stages[0].learningRate).toBe(0.0003);
  });

  test("one batch makes a step, nothing is averaged and nothing dropped, unless asked for", () => {
    const plain = resolve({});
    expect([plain.accumulate, plain.stages[0].movingAverage, plain.heads.class.dropout]).toEqual([1, 0, undefined]);
    const asked = resolve({
      accumulate: 4,
      heads: { class: { dropout: 0.9 } },
      stages: [{ movingAverage: 0.999 }, { movingAverage: 0 }],
    });
    expect([asked.accumulate, asked.heads.class.dropout]).toEqual([4, 0.9]);
    expect(asked.stages.map((stage) => stage.movingAverage)).toEqual([0.999, 0]);
  });

  test("--set writes into nested keys and list items, as JSON where it parses", () => {
    const config: Record<string, unknown> = { stages: [{ train: "heads", epochs: 9 }] };
    setKey(config, "trunk.inputSize=160");
    setKey(config, "stages.0.epochs=2");
    setKey(config, "trunk.weights=random");
    expect(config).toEqual({ stages: [{ train: "heads", epochs: 2 }], trunk: { inputSize: 160, weights: "random" } });
    expect(() => setKey(config, "nonsense")).toThrow(/expected key=value/);
    expect(() => setKey(config, "stages.2.epochs=2")).toThrow(/"2" is no place in a list of 1/);
    expect(() => setKey(config, "stages.length=0")).toThrow(/"length" is no place in a list/);
    expect(() => setKey(config, "trunk.weights.x=1")).toThrow(/"weights" is not an object/);
  });

  test("--set changes a default stage where the configuration has none, and leaves the others", () => {
    const config: Record<string, unknown> = {};
    setKey(config, "stages.0.epochs=5");
    const usual = resolve({});
    expect(resolve(config).stages).toEqual([{ ...usual.stages[0], epochs: 5 }, usual.stages[1]]);
    expect(() => resolve({ stages: { 2: { epochs: 5 } } })).toThrow(/stages: unknown key "2".*Known: 0, 1\./);
    expect(() => resolve({ stages: { 1: { epoch: 5 } } })).toThrow(/stages\[1\]: unknown key "epoch"/);
  });

  test.each([
    "__proto__.seed=99",
    "__proto__=1",
    "constructor.prototype.x=1",
    "trunk.__proto__.x=1",
    "augment.constructor.prototype.x=1",
    "heads.class.__proto__.x=1",
    "heads.toString.weight=1",
    "stages.0.__proto__.x=1",
    "teacher.__proto__=1",
  ])("--set %s is an unknown key, and changes no other object", (assignment) => {
    const config: Record<string, unknown> = {};
    setKey(config, assignment);
    expect(() => resolve(config)).toThrow(/unknown key "(__proto__|constructor|toString)"/);
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect({}).not.toHaveProperty("seed");
    expect({}).not.toHaveProperty("x");
  });

  test("such keys in the file itself are unknown too", () => {
    expect(() => checkConfig(JSON.parse('{"__proto__": {"seed": 1}, "dataset": "d", "out": "o"}'), "c.json")).toThrow(
      /c\.json: unknown key "__proto__"/,
    );
    expect(() => resolve(JSON.parse('{"augment": {"__proto__": {}}}'))).toThrow(/augment: unknown key "__proto__"/);
  });

  test("what a value is, is said in one short line however deep or long it is", () => {
    const deep = JSON.parse(`${"[".repeat(200_000)}${"]".repeat(200_000)}`) as unknown;
    for (const key of ["seed", "batchSize", "source", "score", "patience", "cacheMegabytes"]) {
      expect(() => resolve({ [key]: deep }), key).toThrow(/got a deep list\.$/);
      expect(() => resolve({ [key]: "x".repeat(1e6) })).toSatisfy(isShort);
    }
    expect(() => resolve({ trunk: { alpha: deep } })).toThrow(ConfigError);
    expect(() => resolve({ trunk: deep })).toThrow(ConfigError);
    expect(() => resolve({ stages: [deep] })).toThrow(ConfigError);
    expect(() => resolve({ heads: { class: { tap: deep } } })).toThrow(ConfigError);
  });
});

test("the config.json of a run means the folder that it lies in", async () => {
  const folder = await mkdtemp(join(tmpdir(), "moved-"));
  const file = join(folder, "config.json");
  await writeFile(file, JSON.stringify({ dataset: "data", out: "runs/before" }));
  expect((await readConfig(file)).out).toBe("runs/before");
  await markRunFolder(folder);
  expect((await readConfig(file)).out).toBe(folder);
  expect((await readConfig(file, { assignments: ["out=elsewhere"] })).out).toBe("elsewhere");
});

test("a configuration that is a device is refused, not read", async () => {
  await expect(readConfig("/dev/zero")).rejects.toThrow("/dev/zero: is a device or socket, not a file");
});
