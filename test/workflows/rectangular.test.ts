/** A network for images that are no squares, from its file to explanations. */

import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openExplainer } from "../../src/bundle/explainer.js";
import { exportBundle } from "../../src/bundle/export-bundle.js";
import { readBundle } from "../../src/bundle/read-bundle.js";
import { verifyBundle } from "../../src/bundle/verify-bundle.js";
import type { Sample } from "../../src/core/annotation.js";
import { ndArray } from "../../src/core/nd-array.js";
import { pixelCount, shapeOf, sizeKey } from "../../src/core/size.js";
import { resizePixels } from "../../src/dataset/resize-image.js";
import type { Engine } from "../../src/engine/engine.js";
import { selectEngine } from "../../src/engine/select-engine.js";
import { readTrainedModel } from "../../src/model/trained-model.js";
import { maskFiles } from "../../src/pictures/mask-png.js";
import { renderOverlay } from "../../src/pictures/overlay.js";
import { SCALINGS } from "../../src/trunk/networks/network-table.js";
import { runOnnx } from "../../src/weights/original-network-onnx.js";
import { evaluateModel } from "../../src/workflows/evaluate-model.js";
import { exportRun } from "../../src/workflows/export-run.js";
import { importNetwork } from "../../src/workflows/import-network.js";
import { type MapOptions, mapNetworks } from "../../src/workflows/map-networks.js";
import { runTraining } from "../../src/workflows/train-run.js";
import { writeTinyDataset } from "../helpers/tiny-dataset.js";
import { writeNpz } from "../helpers/write-npz.js";
import { drawn, modelOf } from "../trunk/networks/run-network.js";
import { type Model, writeOnnx } from "../trunk/write-onnx.js";

const HEIGHT = 48;
const WIDTH = 80;
const folder = mkdtempSync(join(tmpdir(), "aspectlens-rectangular-"));
const CLASSES = ["without", "with"];
let engine: Engine;
beforeAll(async () => {
  engine = await selectEngine();
});
afterAll(() => engine.dispose());

const nodes: Model["nodes"] = [
  { operator: "Conv", inputs: ["image", "k"], output: "c", attributes: { strides: [4, 4], pads: [1, 1, 1, 1] } },
  { operator: "Relu", inputs: ["c"], output: "early" },
  { operator: "Conv", inputs: ["early", "k2"], output: "d", attributes: { strides: [2, 2], pads: [1, 1, 1, 1] } },
  { operator: "Relu", inputs: ["d"], output: "late" },
  { operator: "GlobalAveragePool", inputs: ["late"], output: "mean" },
  { operator: "Flatten", inputs: ["mean"], output: "flat" },
  { operator: "Gemm", inputs: ["flat", "w"], output: "logits" },
  { operator: "Softmax", inputs: ["logits"], output: "out" },
];
const tensors = { k: drawn([8, 3, 3, 3]), k2: drawn([16, 8, 3, 3]), w: drawn([16, 2]) };

function saved(name: string, model: Model): string {
  const file = join(folder, `${name}.onnx`);
  writeFileSync(file, writeOnnx(model));
  return file;
}
const classifier = saved("classifier", modelOf(nodes, tensors, { size: [HEIGHT, WIDTH] }));
const given = () => ({ engine, scaling: SCALINGS.unit, classes: CLASSES });

/** Patches of colour. */
function patches(height: number, width: number, seed: number): Uint8Array {
  return Uint8Array.from({ length: height * width * 3 }, (_, at) => {
    const [y, x] = [Math.floor(at / 3 / width), Math.floor(at / 3) % width];
    return (
      127 + 120 * Math.sin((Math.floor((5 * y) / height) * 3 + Math.floor((7 * x) / width) * 5 + seed) * ((at % 3) + 1))
    );
  });
}

async function photo(name: string, height: number, width: number): Promise<string> {
  const file = join(folder, name);
  await sharp(patches(height, width, 3), { raw: { width, height, channels: 3 } })
    .png()
    .toFile(file);
  return file;
}

describe("a classifier of images 48 high and 80 wide", () => {
  test("computes what ONNX Runtime and the user's own numbers say", async () => {
    const { trained, error } = await importNetwork(classifier, { ...given(), out: join(folder, "proved") });
    expect(error).toBeLessThan(1e-5);
    expect(trained.spec.trunk.inputSize).toEqual([HEIGHT, WIDTH]);
    const images = Float32Array.from(patches(HEIGHT, WIDTH, 1));
    const [{ data }] = await runOnnx(classifier, [ndArray([1, HEIGHT, WIDTH, 3], images)], { scaling: SCALINGS.unit });
    const npz = (name: string, shape: readonly number[]) =>
      writeNpz(join(folder, name), {
        images: { shape: [1, ...shape, 3], data: images, type: "|u1" },
        outputs: { shape: [1, 2], data: Float32Array.from(data) },
      });
    const check = npz("right.npz", [HEIGHT, WIDTH]);
    const checked = await importNetwork(classifier, { ...given(), out: join(folder, "checked"), check });
    expect([checked.original, (checked.error ?? 1) < 1e-4]).toEqual([check, true]);
    const turned = npz("turned.npz", [WIDTH, HEIGHT]);
    await expect(importNetwork(classifier, { ...given(), out: join(folder, "turned"), check: turned })).rejects.toThrow(
      /Give images of the network's size, as N x 48 x 80 x 3/,
    );
  });

  test("gets heads of every kind, is measured, exported, proved, and explains with its maps in the shape of the image", {
    timeout: 120_000,
  }, async () => {
    const data = await writeTinyDataset({ train: 6, validation: 4, test: 2 });
    const base = join(folder, "base");
    await importNetwork(classifier, { ...given(), out: base });
    const out = join(folder, "more");
    const config = { dataset: data, out, stages: [{ train: "heads" as const, epochs: 1 }], batchSize: 4 };
    await runTraining(config, { engine, addHeadsTo: base });
    const trained = await readTrainedModel(join(out, "best"));
    const { heads } = await evaluateModel(trained, data, { engine });
    expect(Object.keys(heads)).toEqual(["class", "square", "bar", "bright", "red"]);
    const path = join(folder, "more.aspect");
    await exportRun(out, path);
    await verifyBundle(path);
    const { description } = await readBundle(path);
    expect([description.model.trunk.inputSize, description.preprocessing.size]).toEqual([
      [HEIGHT, WIDTH],
      [HEIGHT, WIDTH],
    ]);
    expect(readFileSync(join(out, "config.json"), "utf8")).toContain(`${HEIGHT}`);
    const explainer = await openExplainer(path);
    const file = await photo("wide.png", 100, 150);
    const explained = await explainer.explain(file, { hasInterval: true });
    const wrong = { name: "x", pixels: new Uint8Array(48 * 48 * 3) };
    await expect(explainer.explain(wrong)).rejects.toThrow(/expected 48 high x 80 wide RGB pixels \(11520 numbers/);
    await explainer.dispose();
    expect(explained.maps.size).toEqual([HEIGHT, WIDTH]);
    const { saliency, regions } = explained.maps;
    expect([saliency.height, saliency.width]).toEqual([6, 10]);
    for (const region of Object.values(regions)) expect(region).toHaveLength(HEIGHT * WIDTH);
    for (const shape of [undefined, { width: 150, height: 100 }])
      for (const png of Object.values(maskFiles(explained, { shape }))) {
        const { width, height } = await sharp(png).metadata();
        expect([width, height]).toEqual(shape ? [150, 100] : [WIDTH, HEIGHT]);
      }
    const overlay = await sharp(await renderOverlay(explained, file)).metadata();
    expect(overlay.width).toBe(1624);
  });

  test("with a crop sees the middle of its own shape: the same answer as of that part in a file of its own", async () => {
    const [all, middle] = [join(folder, "all"), join(folder, "middle")];
    await importNetwork(classifier, { ...given(), out: all });
    await importNetwork(classifier, { ...given(), out: middle, centerCrop: 0.5 });
    const file = await photo("large.png", 120, 300);
    // The largest of 80 to 48 in 300 x 120 is 200 x 120; half of it.
    const crop = { left: 100, top: 30, width: 100, height: 60 };
    const part = join(folder, "part.png");
    await sharp(file).extract(crop).png().toFile(part);
    const answers = [];
    for (const [run, image] of [
      [middle, file],
      [all, part],
    ]) {
      await exportRun(run, `${run}.aspect`);
      const explainer = await openExplainer(`${run}.aspect`);
      answers.push((await explainer.explain(image)).explanation);
      await explainer.dispose();
    }
    expect(answers[0].crop).toEqual(crop);
    expect(answers[0].prediction).toEqual(answers[1].prediction);
  });
});

const images: MapOptions["images"] = async function* ({ inputSize, otherSizes }) {
  for (let start = 0; start < 24; start += 8) {
    const batch: Sample[] = [];
    for (let index = start; index < start + 8; index++) {
      const image = patches(...shapeOf(inputSize), index);
      const others: Record<string, Uint8Array> = {};
      for (const to of otherSizes) others[sizeKey(to)] = await resizePixels(image, { from: inputSize, to });
      batch.push({ path: `${index}.png`, image, otherSizes: others, target: {}, aspects: {} });
    }
    yield batch;
  }
};

test("aspects of a network that segments images of another shape are mapped, and lie where that network sees them", {
  timeout: 120_000,
}, async () => {
  const size = [64, 48] as const;
  const file = saved(
    "maps",
    modelOf(
      [
        { operator: "Conv", inputs: ["image", "k"], output: "c", attributes: { strides: [4, 4] } },
        { operator: "Relu", inputs: ["c"], output: "early" },
        { operator: "Conv", inputs: ["early", "k2"], output: "d", attributes: { pads: [1, 1, 1, 1] } },
        { operator: "Relu", inputs: ["d"], output: "late" },
        { operator: "Conv", inputs: ["late", "k3"], output: "small" },
        { operator: "Resize", inputs: ["small", "", "scales"], output: "out", attributes: { mode: "linear" } },
      ],
      {
        // Of 4 x 4 pixels the red is the ground's logit, the blue the cell's.
        k: { shape: [2, 3, 4, 4], values: weights(96, (at) => (at < 16 || at >= 80 ? 1 / 16 : 0)) },
        k2: { shape: [2, 2, 3, 3], values: weights(36, (at) => (at === 4 || at === 31 ? 1 : 0)) },
        k3: { shape: [2, 2, 1, 1], values: [1, 0, 0, 1] },
        scales: { shape: [4], values: [1, 1, 4, 4] },
      },
      { size },
    ),
  );
  const first = await importNetwork(classifier, { ...given(), out: join(folder, "first") });
  const classes = ["ground", "cell"];
  const second = await importNetwork(file, { engine, scaling: SCALINGS.unit, classes, out: join(folder, "second") });
  expect(second.error).toBeLessThan(1e-5);
  const { trained } = await mapNetworks(first.trained, second.trained, {
    ...{ engine, name: "maps", images, aspects: ["cell"] },
  });
  const path = join(folder, "mapped.aspect");
  await exportBundle(trained, path);
  await verifyBundle(path);
  const explainer = await openExplainer(path);
  const photograph = await photo("tall.png", 128, 96);
  const { maps } = await explainer.explain(photograph);
  await explainer.dispose();
  const pixels = await sharp(photograph).resize(48, 64, { fit: "fill", kernel: "cubic" }).raw().toBuffer();
  const image = ndArray([1, ...size, 3], Float32Array.from(pixels));
  const [{ data }] = await runOnnx(file, [image], { scaling: SCALINGS.unit });
  // Where the cell's logit is above the other, at 64 x 48; the explanation's region is at the classifier's 48 x 80.
  const count = pixelCount(size);
  const region = maps.regions.cell;
  let same = 0;
  for (let y = 0; y < HEIGHT; y++)
    for (let x = 0; x < WIDTH; x++) {
      const at = Math.floor(((y + 0.5) * 64) / HEIGHT) * 48 + Math.floor(((x + 0.5) * 48) / WIDTH);
      if ((data[count + at] >= data[at] ? 1 : 0) === region[y * WIDTH + x]) same++;
    }
  const area = region.reduce((sum, value) => sum + value, 0) / region.length;
  expect(area).toBeGreaterThan(0.1);
  expect(area).toBeLessThan(0.9);
  // Edges are half a pixel apart at another size.
  expect(same / (HEIGHT * WIDTH)).toBeGreaterThan(0.93);
  await expect(
    mapNetworks(
      first.trained,
      { ...second.trained, spec: cropped(second.trained.spec) },
      { engine, name: "x", images },
    ),
  ).rejects.toThrow(/the two networks see different parts of an image/);
});

function weights(count: number, at: (index: number) => number): Float32Array {
  return Float32Array.from({ length: count }, (_, index) => at(index));
}

/** The same network, as if it saw a middle. */
function cropped<Spec extends { readonly trunk: { readonly network?: object } }>(spec: Spec): Spec {
  return { ...spec, trunk: { ...spec.trunk, network: { ...spec.trunk.network, centerCrop: 1 } } };
}
