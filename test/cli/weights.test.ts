import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { architectureOf } from "../../src/trunk/architecture-of.js";
import { createTrunk } from "../../src/trunk/create-trunk.js";
import { writeTrunkFile } from "../../src/trunk/formats/trunk-file.js";
import { aspectlens } from "../helpers/command.js";
import { writeTinyDataset } from "../helpers/tiny-dataset.js";
import { writeGraphModel } from "../trunk/graph-model.js";
import { unevenWeights } from "../trunk/narrow.js";

const trunk = createTrunk({ name: "mobilenet-v1", alpha: 0.1, inputSize: 64 });
const folder = mkdtempSync(join(tmpdir(), "aspectlens-weights-"));
const before = process.env.ASPECTLENS_WEIGHTS;

beforeAll(async () => {
  process.env.ASPECTLENS_WEIGHTS = join(folder, "store");
  await writeGraphModel(join(folder, "hub"), architectureOf(trunk.spec), {
    form: "kept",
    parameters: unevenWeights(trunk, { seed: 9 }),
  });
});
afterAll(async () => {
  if (before === undefined) delete process.env.ASPECTLENS_WEIGHTS;
  else process.env.ASPECTLENS_WEIGHTS = before;
  await rm(folder, { recursive: true, force: true });
});

test("an import is shown with its proof, is listed, and a training starts from it by name", {
  timeout: 120_000,
}, async () => {
  const imported = await aspectlens([
    "weights",
    "import",
    join(folder, "hub"),
    "--name",
    "mine",
    "--licence",
    "CC0-1.0",
  ]);
  expect(imported.stderr + imported.code).toBe("0");
  expect(imported.stdout).toMatch(/^mine: mobilenet-v1 0\.1 up to conv_pw_13, .* batch norm kept$/m);
  expect(imported.stdout).toMatch(
    /TensorFlow\.js computes the same features from the original file: largest difference \d/,
  );
  expect(imported.stdout).toMatch(/"weights": "mine"/);
  const listed = await aspectlens(["weights", "list", "--json"]);
  const { here, canBePulled } = JSON.parse(listed.stdout);
  expect(here.find(({ name }: { name: string }) => name === "mine")).toMatchObject({
    trunk: "mobilenet-v1",
    alpha: 0.1,
    licence: "CC0-1.0",
    input: "-1..1",
  });
  expect(here[0].name).toBe("builtin:mobilenet-v1-0.25");
  expect(canBePulled.length).toBeGreaterThan(50);
  const lines = (await aspectlens(["weights", "list"])).stdout;
  expect(lines).toMatch(/keras-mobilenet-v2-0\.35-\{96,128,160,192,224\} +mobilenet-v2 0\.35/);
  expect(Math.max(...lines.split("\n").map((line) => line.length))).toBeLessThan(130);

  const data = await writeTinyDataset();
  const config = join(folder, "config.json");
  const out = join(folder, "run");
  const stages = [{ train: "heads", epochs: 1 }];
  writeFileSync(
    config,
    JSON.stringify({ dataset: data, out, batchSize: 4, trunk: { weights: "mine", inputSize: 32 }, stages }),
  );
  const trained = await aspectlens(["train", config, "--json"]);
  expect(trained.code).toBe(0);
  expect(trained.stderr).toMatch(/mobilenet-v1 0\.1 at 32 px, weights of mine/);
});

test("a run keeps its trunk's convention and origin: resumed from its own configuration, its weights gone, with heads added", {
  timeout: 120_000,
}, async () => {
  const spec = { ...trunk.spec, convention: "torchvision" } as const;
  const file = join(folder, "store", "tv", "trunk.safetensors");
  const metadata = { trunk: spec, origin: "a test", licence: "CC0-1.0" };
  await writeTrunkFile(file, { parameters: unevenWeights(trunk, { seed: 3 }), metadata });
  const data = await writeTinyDataset();
  const out = join(folder, "tv");
  const stages = [{ train: "heads", epochs: 1 }];
  const config = { dataset: data, out, batchSize: 4, trunk: { weights: "tv", inputSize: 32 }, stages };
  await writeFile(`${out}.json`, JSON.stringify(config));
  expect((await aspectlens(["train", `${out}.json`])).code).toBe(0);
  const own = JSON.parse(readFileSync(join(out, "config.json"), "utf8"));
  expect(own.trunk).toMatchObject({ convention: "torchvision", weights: "tv" });
  await rm(file);
  for (const path of [join(out, "config.json"), `${out}.json`]) {
    const resumed = await aspectlens(["train", path, "--resume"]);
    expect(resumed.stderr.split("\n").at(-2) ?? "").not.toMatch(/^aspectlens:/);
    expect(resumed.code).toBe(0);
  }
  const more = join(folder, "tv-more");
  const manifest = JSON.parse(readFileSync(join(data, "dataset.json"), "utf8"));
  const aspects = [...manifest.aspects, { name: "new", kind: "presence" }];
  await writeFile(join(data, "dataset.json"), JSON.stringify({ ...manifest, aspects }));
  await writeFile(`${more}.json`, JSON.stringify({ ...config, out: more, trunk: undefined }));
  const added = await aspectlens(["train", `${more}.json`, "--add-heads", out]);
  expect(added.stderr).toMatch(/weights of tv;/);
  expect(added.code).toBe(0);
  const made = JSON.parse(readFileSync(join(more, "best", "model.json"), "utf8"));
  expect(made.provenance.weights).toBe("tv");
  expect(made.spec.trunk.convention).toBe("torchvision");
  const wrong = { ...config, out: `${out}-wrong`, trunk: { weights: join(folder, "hub"), convention: "torchvision" } };
  await writeFile(`${out}-wrong.json`, JSON.stringify(wrong));
  const refused = await aspectlens(["train", `${out}-wrong.json`]);
  expect(refused.stderr).toMatch(/trunk\.convention: is told by the weights, and they say otherwise/);
  expect(refused.code).toBe(2);
});

test.each([
  ["a name that is none", ["pull", "resnet50"], /^aspectlens: weights "resnet50" cannot be pulled.*weights list\.\n$/],
  [
    "no such mirror",
    ["pull", "keras-vgg16", "--mirror", pathToFileURL(join(tmpdir(), "no such mirror")).href],
    /^aspectlens: .*vgg16_weights_tf_dim_ordering_tf_kernels_notop\.h5.*\n$/,
  ],
  ["no such file", ["import", "nowhere.h5"], /^aspectlens: nowhere\.h5: does not exist\..*\n$/],
  ["no file at all", ["import"], /^aspectlens: missing required argument 'file'.*\n$/],
])("%s: one line, exit code 2", async (_, words, message) => {
  const { code, stderr } = await aspectlens(["weights", ...words], { cwd: folder });
  expect(stderr).toMatch(message);
  expect(code).toBe(2);
});

test.each([
  ["picture.h5", Buffer.from("\x89PNG\r\n\x1a\n0000"), /picture\.h5: /],
  ["short.onnx", Buffer.from([8, 9, 0x12]), /short\.onnx: /],
  ["notes.txt", Buffer.from("hello, these are notes"), /notes\.txt: weights of an unknown form\. Known are /],
  ["empty/model.json", Buffer.from("{}"), /model\.json: has no weightsManifest/],
])("%s is refused in one line", async (name, content, message) => {
  const path = join(folder, "wrong", name);
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, content);
  const { code, stderr } = await aspectlens(["weights", "import", path]);
  expect(stderr).toMatch(message);
  expect(stderr.trim().split("\n")).toHaveLength(1);
  expect(code).toBe(2);
});
