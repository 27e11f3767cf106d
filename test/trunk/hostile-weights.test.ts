/** Weights files, and what stands in their place, that ask for too much or take the names of what objects inherit. */

import { execFileSync } from "node:child_process";
import { link, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WeightsError } from "../../src/core/errors.js";
import { readWeights } from "../../src/trunk/formats/read-weights.js";
import { graphObstacle, graphWeights } from "../../src/trunk/formats/tfjs-graph.js";

let root: string;
let count = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "aspectlens-hostile-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

async function refusal(source: string): Promise<string> {
  const error = await readWeights(source).then(
    () => new Error("was accepted"),
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(WeightsError);
  expect(error.message).not.toContain("\n");
  return error.message;
}

/** A folder with a model.json of one group, and its shards. */
async function model(paths: readonly string[], weights: readonly unknown[], shards: Record<string, Uint8Array> = {}) {
  const folder = join(root, `${count++}`);
  await mkdir(folder);
  await writeFile(join(folder, "model.json"), JSON.stringify({ weightsManifest: [{ paths, weights }] }));
  for (const [name, bytes] of Object.entries(shards)) await writeFile(join(folder, name), bytes);
  return folder;
}
const entry = (shape: readonly unknown[], name = "conv1/bias") => ({ name, shape, dtype: "float32" });

test("a shard is read once, whatever names and links lead to it", async () => {
  const a = new Uint8Array(400);
  expect(await refusal(await model(Array(6000).fill("a"), [entry([100])], { a }))).toMatch(
    /names the shard a more than once/,
  );
  const linked = await model(["a", "b"], [entry([200])], { a });
  await symlink("a", join(linked, "b"));
  expect(await refusal(linked)).toMatch(/names the shard b more than once/);
  const hard = await model(["a", "b"], [entry([200])], { a });
  await link(join(hard, "a"), join(hard, "b"));
  expect(await refusal(hard)).toMatch(/names the shard b more than once/);
});

test.each([
  [[2 ** 40, 2 ** 40], /the manifest needs/],
  [[1e6, 1e6], /the manifest needs 4000000000000/],
  [[-1, -4], /described wrongly/],
  [[64.5], /described wrongly/],
  [["2"], /described wrongly/],
])("a shape of %j is refused before anything is allocated", async (shape, line) => {
  expect(await refusal(await model(["a"], [entry(shape)], { a: new Uint8Array(16) }))).toMatch(line);
});

test("a quantization of texts is refused", async () => {
  const odd = { ...entry([4]), quantization: { dtype: "uint8", scale: "1", min: "2" } };
  expect(await refusal(await model(["a"], [odd], { a: new Uint8Array(16) }))).toMatch(/described wrongly/);
});

test("names that objects inherit are names like any other", async () => {
  const names = ["constructor", "toString", "__proto__", "conv1/constructor", "conv1/__proto__", "conv1/bias"];
  const folder = await model(
    ["a"],
    names.map((name) => entry([1], name)),
    { a: new Uint8Array(24) },
  );
  const { weights } = await readWeights(folder);
  expect(Object.keys(weights)).toEqual(names);
  expect(({} as Record<string, unknown>).shape).toBeUndefined();
  const node = { name: "MobilenetV1/Conv2d_0/Conv2D", op: "Conv2D", input: ["image", "constructor"] };
  expect(() => graphWeights({ node: [node] }, {}, "model.json")).toThrow(/its kernel is no constant/);
});

test("a long chain and a circle of nodes that hand on end", () => {
  const chain = Array.from({ length: 50_000 }, (_, i) => ({ name: `n${i}`, op: "Identity", input: [`n${i + 1}`] }));
  const circle = { name: "n50000", op: "Identity", input: ["n0"] };
  const node = { name: "MobilenetV1/Conv2d_0/Conv2D", op: "Conv2D", input: ["image", "n0"] };
  expect(() => graphWeights({ node: [...chain, circle, node] }, {}, "model.json")).toThrow(/its kernel is no constant/);
});

test.each([
  ["a tile", [{ name: "out", op: "Tile", input: ["image"] }], /^node out \(Tile\) is none of a MobileNet/],
  ["a loop", [{ name: "out", op: "While", input: ["image"] }], /^node out \(While\) is none of a MobileNet/],
  [
    "a sum that grows",
    [
      { name: "out", op: "Add", input: ["image", "same"] },
      { name: "same", op: "Identity", input: ["large"] },
      { name: "large", op: "Const" },
    ],
    /^node out \(Add\) computes with a constant that is no vector/,
  ],
  ["a convolution without a name of ours", [{ name: "out", op: "Conv2D", input: ["image"] }], /none of a MobileNet/],
  ["an absent node", [{ name: "out", op: "Relu", input: ["gone"] }], /^its node gone is absent/],
])("a graph with %s is not computed", (_, nodes, line) => {
  const topology = { node: [{ name: "image", op: "Placeholder" }, ...nodes] };
  expect(graphObstacle(topology, { output: "out", shapes: new Map([["large", [1000, 1, 1, 1]]]) })).toMatch(line);
});

test("addresses of other machines, devices, pipes and folders are told in one line", async () => {
  expect(await refusal("file://host/x")).toMatch(/^file:\/\/host\/x: names no file of this machine/);
  expect(await refusal("file:///%")).toMatch(/names no file of this machine|does not exist/);
  const empty = join(root, "empty");
  await mkdir(empty);
  expect(await refusal(empty)).toMatch(/a folder without trunk\.safetensors or model\.json/);
  if (process.platform === "win32") return;
  expect(await refusal("/dev/zero")).toMatch(/^\/dev\/zero: is a device or pipe, no file/);
  const pipe = join(root, "pipe.h5");
  execFileSync("mkfifo", [pipe]);
  expect(await refusal(pipe)).toMatch(/pipe\.h5: is a device or pipe, no file/);
  const piped = await model(["s"], [entry([1])]);
  execFileSync("mkfifo", [join(piped, "s")]);
  expect(await refusal(piped)).toMatch(/s: is a device or pipe, no file/);
});
