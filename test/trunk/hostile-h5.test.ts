/** HDF5 files that would read other files, take memory, or lead in circles: each is one line, and the next file is read right. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import * as h5 from "h5wasm/node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { inspectWeights } from "../../src/trunk/formats/inspect-weights.js";
import { readKerasH5 } from "../../src/trunk/formats/keras-h5.js";
import { refusalOf } from "./refusal.js";
import { writeNamed } from "./write-keras.js";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "aspectlens-h5-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const kernel = { shape: [3, 3, 3, 2], data: Float32Array.from({ length: 54 }, (_, i) => i / 54 - 0.5) };
const fixture = (name: string) => resolve(import.meta.dirname, `../fixtures/hostile-h5/${name}.h5`);

/** Small `.h5` files by hand. */
async function written(name: string, fill: (file: h5.File, module: Awaited<typeof h5.ready>) => void): Promise<string> {
  const module = await h5.ready;
  const path = join(root, `${name}.h5`);
  const file = new h5.File(path, "w");
  fill(file, module);
  file.close();
  return path;
}

test.each([
  ["external-storage", /^has numbers in another file, which is not read\. Save/],
  ["external-device", /^has numbers in another file, which is not read\. Save/],
  ["virtual", /^\/conv1\/conv1\/kernel:0 is a view of other data \(virtual\), which is not read\. Save/],
  ["declares-4gb", /^\/conv1\/conv1\/kernel:0 declares 4294967296 bytes, too many for a file of 857 bytes\. Fetch/],
  ["inflates", /^\/conv1\/conv1\/kernel:0 declares 7560000 bytes, too many for a file of 17671 bytes\. Fetch/],
])("%s is refused, and a good file after it is read right", async (name, line) => {
  expect(await refusalOf(readKerasH5, fixture(name))).toMatch(line);
  const good = await writeNamed(join(root, `${name}-good.h5`), { conv1: { "conv1/kernel:0": kernel } });
  expect((await readKerasH5(good)).weights).toEqual({ "conv1/conv1/kernel": kernel });
});

test("a link to another file is not followed", async () => {
  const other = await writeNamed(join(root, "other.h5"), { conv1: { "conv1/kernel:0": kernel } });
  const path = await written("linked", (file, module) => {
    file.create_attribute("layer_names", ["conv1"]);
    file.create_group("conv1").create_attribute("weight_names", ["conv1/kernel:0"]);
    file.create_group("conv1/conv1");
    module.create_external_link(file.file_id, other, "/conv1/conv1/kernel:0", "/conv1/conv1/kernel:0");
  });
  expect(await refusalOf(readKerasH5, path)).toMatch(/^conv1\/kernel:0 is a link to another file, which is not read/);
});

test("rings of links end", async () => {
  const path = await written("ring", (file, module) => {
    file.create_group("a");
    for (const name of "bcdefghi") module.create_hard_link(file.file_id, "/a", `/a/${name}`);
    module.create_soft_link(file.file_id, "/a", "/a/soft");
  });
  expect(await refusalOf(readKerasH5, path)).toMatch(/^holds no weights of Keras/);
});

test("groups inside groups are followed so far and no further", async () => {
  const path = await written("deep", (file) => {
    let place = "";
    for (let depth = 0; depth < 40; depth++) {
      place += "/g";
      file.create_group(place);
    }
  });
  expect(await refusalOf(readKerasH5, path)).toMatch(/^has groups inside groups, more than 32 deep/);
});

test("more links than the limit are not followed", async () => {
  const path = await written("wide", (file, module) => {
    file.create_group("a");
    for (let index = 0; index <= 20_000; index++) module.create_hard_link(file.file_id, "/a", `/l${index}`);
  });
  expect(await refusalOf(readKerasH5, path)).toMatch(/^has more than 20000 groups and arrays/);
});

test("a layer that is listed many times is not looked through each time", async () => {
  const path = await written("listed", (file) => {
    file.create_attribute("layer_names", Array(300).fill("a"));
    file.create_group("a").create_attribute("weight_names", Array(300).fill("x"));
  });
  expect(await refusalOf(readKerasH5, path)).toMatch(/^lists more than 20000 names of layers and weights/);
});

test.each([-5, 0, 64.5, 20_000, 1e9])("a model made for images of %s pixels is refused", async (side) => {
  const config = { class_name: "InputLayer", config: { batch_input_shape: [null, side, side, 3] } };
  const layers = { block1_conv1: { "block1_conv1/kernel:0": kernel, "block1_conv1/bias:0": bias } };
  const path = await writeNamed(join(root, `side${side}.h5`), layers, { config });
  expect(await refusalOf(async () => inspectWeights(path), path)).toMatch(
    /^says that its images are .* pixels wide; needs a whole number from 32 to 4096\. Correct/,
  );
});
const bias = { shape: [2], data: Float32Array.of(1, 2) };

test("a description nested too deep is refused before anything walks through it", async () => {
  let config: unknown = { class_name: "InputLayer", config: { batch_input_shape: [null, 64, 64, 3] } };
  for (let depth = 0; depth < 3000; depth++) config = [config];
  const layers = { block1_conv1: { "block1_conv1/kernel:0": kernel, "block1_conv1/bias:0": bias } };
  const path = await writeNamed(join(root, "nested.h5"), layers, { config });
  expect(await refusalOf(readKerasH5, path)).toMatch(/^its model_config: is nested more than 200 deep/);
});
