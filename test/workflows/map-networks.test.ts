import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openExplainer } from "../../src/bundle/explainer.js";
import { exportBundle } from "../../src/bundle/export-bundle.js";
import { readBundle, readBundledModel, readBundleFile } from "../../src/bundle/read-bundle.js";
import { verifyBundle } from "../../src/bundle/verify-bundle.js";
import type { Sample } from "../../src/core/annotation.js";
import { ndArray } from "../../src/core/nd-array.js";
import { random } from "../../src/core/random.js";
import { sideOf, sizeKey } from "../../src/core/size.js";
import { resizePixels } from "../../src/dataset/resize-image.js";
import type { Engine } from "../../src/engine/engine.js";
import { selectEngine } from "../../src/engine/select-engine.js";
import type { TrainedModel } from "../../src/model/trained-model.js";
import { SCALINGS } from "../../src/trunk/networks/network-table.js";
import { runOnnx } from "../../src/weights/original-network-onnx.js";
import { importNetwork } from "../../src/workflows/import-network.js";
import { type ImageSizes, type MapOptions, mapNetworks } from "../../src/workflows/map-networks.js";
import { tinyModel } from "../bundle/tiny-model.js";
import { modelOf, drawn as patterned } from "../trunk/networks/run-network.js";
import { type Model, writeOnnx } from "../trunk/write-onnx.js";

const SOURCE = "conv_pw_6";
const folder = mkdtempSync(join(tmpdir(), "aspectlens-map-"));
let engine: Engine;
beforeAll(async () => {
  engine = await selectEngine();
});
afterAll(() => engine.dispose());

/** Patches of colour, so that layers have something to tell apart. */
function drawn(size: number, seed: number): Uint8Array {
  const stream = random(seed, "patches");
  const pixels = new Uint8Array(size * size * 3);
  for (let patch = 0; patch < 12; patch++) {
    const [top, left, side] = [stream.integer(size), stream.integer(size), 4 + stream.integer(size / 2)];
    const colour = [0, 1, 2].map(() => stream.integer(256));
    for (let y = top; y < Math.min(size, top + side); y++)
      for (let x = left; x < Math.min(size, left + side); x++) pixels.set(colour, 3 * (y * size + x));
  }
  return pixels;
}

const images = (count = 40): MapOptions["images"] =>
  async function* ({ inputSize, otherSizes }: ImageSizes) {
    for (let start = 0; start < count; start += 8) {
      const batch: Sample[] = [];
      for (let index = start; index < Math.min(count, start + 8); index++) {
        const image = drawn(sideOf(inputSize), index);
        const others: Record<string, Uint8Array> = {};
        for (const to of otherSizes) others[sizeKey(to)] = await resizePixels(image, { from: inputSize, to });
        batch.push({ path: `${index}.png`, image, otherSizes: others, target: {}, aspects: {} });
      }
      yield batch;
    }
  };

/** Writes a network for images of 64 pixels. @returns its path. */
function saved(name: string, nodes: Model["nodes"], tensors: Model["tensors"]): string {
  const file = join(folder, `${name}.onnx`);
  writeFileSync(file, writeOnnx(modelOf(nodes, tensors, { size: [64, 64] })));
  return file;
}

/** The classifier alone. */
function classifierOf(trained: TrainedModel): TrainedModel {
  const heads = trained.spec.heads.filter(({ kind }) => kind === "classifier");
  const isOwn = (name: string) => name.startsWith("trunk/") || name.startsWith("head/class/");
  const parameters = Object.fromEntries(Object.entries(trained.parameters).filter(([name]) => isOwn(name)));
  return { ...trained, spec: { ...trained.spec, heads }, parameters, scales: {}, absences: {} };
}

describe("a classifier and the aspects of another network", () => {
  test("where both are one network, every aspect is explained as on the shared trunk", {
    timeout: 120_000,
  }, async () => {
    const both = tinyModel();
    const options = { engine, name: "cells", images: images(), from: SOURCE, to: SOURCE };
    const { trained, tried, kind } = await mapNetworks(classifierOf(both), both, options);
    expect(kind).toBe("linear");
    expect(tried).toHaveLength(1);
    expect(tried[0].r2 ?? 0).toBeGreaterThan(0.97);
    for (const agreement of Object.values(tried[0].agreement ?? {}))
      if (agreement !== null) expect(agreement).toBeGreaterThan(0.9);
    expect(trained.spec.heads.map(({ name, network }) => [name, network])).toEqual([
      ["class", undefined],
      ...["necrosis", "mitosis", "vessel", "cellularity"].map((name) => [name, "cells"]),
    ]);
    expect(trained.spec.networks?.[0].mapping.quality).toEqual({
      images: 8,
      r2: tried[0].r2,
      agreement: tried[0].agreement,
    });
    const shared = join(folder, "shared.aspect");
    const mapped = join(folder, "mapped.aspect");
    await exportBundle({ ...both, references: trained.references }, shared);
    await exportBundle(trained, mapped, { samples: [drawn(64, 99)] });
    expect((await verifyBundle(mapped)).goldenCount).toBe(3);
    const bundle = await readBundle(mapped);
    expect((await readBundledModel(bundle)).spec).toEqual(trained.spec);
    const card = Buffer.from(await readBundleFile(bundle, "MODEL_CARD.md")).toString();
    expect(card).toMatch(/- Aspect mitosis: boxes, on conv_pw_6 of network cells, from 0\.3\./);
    expect(card).toMatch(
      /- Network cells: mobilenet-v1, .*mapping linear, from conv_pw_6 to conv_pw_6; on 8 held-out images R2/,
    );
    const image = { name: "x.png", pixels: drawn(64, 123) };
    const said = [];
    for (const path of [shared, mapped]) {
      const explainer = await openExplainer(path);
      said.push((await explainer.explain(image, { hasInterval: path === mapped })).explanation);
      await explainer.dispose();
    }
    expect(said[1].prediction).toEqual(said[0].prediction);
    for (const [index, { name, isPresent, presence, score, mapping }] of said[1].aspects.entries()) {
      const other = said[0].aspects[index];
      expect([name, isPresent]).toEqual([other.name, other.isPresent]);
      expect(presence).toBeCloseTo(other.presence, 5);
      // A penalty on the weights keeps the mapping a little below what it should be.
      if (score !== null && other.score !== null) expect(Math.abs(score - other.score)).toBeLessThan(0.05);
      expect(mapping).toMatchObject({ network: "cells", kind: "linear", from: SOURCE, to: SOURCE });
    }
  });

  test("layers are chosen by themselves; images of another size are made from the original", {
    timeout: 180_000,
  }, async () => {
    const own = classifierOf(tinyModel());
    const other = tinyModel({ seed: 8 });
    const larger = { ...other, spec: { ...other.spec, trunk: { ...other.spec.trunk, inputSize: 96 } } };
    const { trained, tried } = await mapNetworks(own, larger, {
      engine,
      name: "large",
      images: images(),
      aspects: ["vessel"],
    });
    expect(tried.length).toBeGreaterThan(1);
    for (const { similarity = -1, r2 } of tried) {
      expect(similarity).toBeGreaterThanOrEqual(0);
      expect(similarity).toBeLessThanOrEqual(1);
      expect(r2).toBeLessThanOrEqual(1);
    }
    expect(trained.spec.heads.map(({ name }) => name)).toEqual(["class", "vessel"]);
    const path = join(folder, "large.aspect");
    await exportBundle(trained, path);
    await verifyBundle(path);
    const explainer = await openExplainer(path);
    const file = join(folder, "photo.png");
    const sharp = (await import("sharp")).default;
    await sharp(drawn(200, 5), { raw: { width: 200, height: 200, channels: 3 } })
      .png()
      .toFile(file);
    const outcomes = [];
    for await (const outcome of explainer.explainAll([file])) outcomes.push(outcome);
    await explainer.dispose();
    expect(outcomes).toHaveLength(1);
    expect(outcomes[0]).toHaveProperty("explained");
  });

  test("an aspect network is joined to a model that has one, and by the image; a U-Net begins as the linear mapping", {
    timeout: 180_000,
  }, async () => {
    const first = await mapNetworks(classifierOf(tinyModel()), tinyModel({ seed: 8 }), {
      ...{ engine, name: "first", images: images(), from: SOURCE, to: SOURCE, aspects: ["vessel"] },
    });
    const second = await mapNetworks(first.trained, tinyModel({ seed: 9 }), {
      ...{ engine, name: "second", images: images(24), kind: "image", aspects: ["necrosis"] },
    });
    expect(second.trained.spec.networks?.map(({ name, mapping }) => [name, mapping.kind, mapping.from])).toEqual([
      ["first", "linear", SOURCE],
      ["second", "image", "input"],
    ]);
    expect(second.trained.spec.networks?.[1].mapping.quality).toBeUndefined();
    const path = join(folder, "three.aspect");
    await exportBundle(second.trained, path);
    const explainer = await openExplainer(path);
    const { explanation } = await explainer.explain({ name: "x.png", pixels: drawn(64, 3) });
    await explainer.dispose();
    expect(explanation.aspects.map(({ name, mapping }) => [name, mapping?.kind])).toEqual([
      ["vessel", "linear"],
      ["necrosis", "image"],
    ]);
  });

  test("a U-Net is kept where it predicts more, else the linear mapping with a word about it", {
    timeout: 240_000,
  }, async () => {
    const options = { engine, name: "cells", images: images(24), kind: "unet", aspects: ["vessel"] } as const;
    const pair = { from: SOURCE, to: SOURCE };
    // The same network: nothing is left to predict.
    const same = await mapNetworks(classifierOf(tinyModel()), tinyModel(), { ...options, ...pair });
    expect([same.kind, same.trained.spec.networks?.[0].mapping.kind]).toEqual(["linear", "linear"]);
    expect(same.warnings[0]).toMatch(/the U-Net predicts hardly more than the linear mapping, which was kept/);
    expect(Object.keys(same.trained.parameters).filter((name) => name.startsWith("mapping/"))).toHaveLength(2);
  });

  test("the classes of an imported network are aspects by presence", { timeout: 180_000 }, async () => {
    const file = saved(
      "classes",
      [
        { operator: "Conv", inputs: ["image", "k"], output: "c", attributes: { strides: [4, 4] } },
        { operator: "Relu", inputs: ["c"], output: "early" },
        { operator: "Conv", inputs: ["early", "k2"], output: "d", attributes: { strides: [2, 2] } },
        { operator: "Relu", inputs: ["d"], output: "late" },
        { operator: "GlobalAveragePool", inputs: ["late"], output: "mean" },
        { operator: "Flatten", inputs: ["mean"], output: "flat" },
        { operator: "Gemm", inputs: ["flat", "w"], output: "logits" },
        { operator: "Softmax", inputs: ["logits"], output: "out" },
      ],
      { k: patterned([8, 3, 3, 3]), k2: patterned([8, 8, 3, 3]), w: patterned([8, 3]) },
    );
    const classes = ["red", "green", "blue"];
    const out = join(folder, "imported");
    const { trained: imported } = await importNetwork(file, { out, engine, scaling: SCALINGS.unit, classes });
    const { trained } = await mapNetworks(classifierOf(tinyModel()), imported, {
      ...{ engine, name: "colours", images: images(), aspects: ["red", "blue"] },
    });
    expect(trained.spec.heads.slice(1)).toMatchObject([
      { name: "red", kind: "presence", network: "colours", output: { index: 0, of: 3, is: "against" } },
      { name: "blue", output: { index: 2 } },
    ]);
    const path = join(folder, "colours.aspect");
    await exportBundle(trained, path);
    await verifyBundle(path);
    const explainer = await openExplainer(path);
    const pixels = drawn(64, 77);
    const { explanation } = await explainer.explain({ name: "x.png", pixels });
    await explainer.dispose();
    // What the network itself says of the image: its softmax.
    const own = join(folder, "own.aspect");
    await exportBundle(imported, own);
    const alone = await openExplainer(own);
    const { prediction } = (await alone.explain({ name: "x.png", pixels })).explanation;
    await alone.dispose();
    if (!("scores" in prediction)) throw new Error("expected scores");
    for (const { name, presence } of explanation.aspects) expect(presence).toBeCloseTo(prediction.scores[name], 5);
  });

  test("the maps of an imported network are aspects by segmentation, or amounts", { timeout: 180_000 }, async () => {
    const file = saved(
      "maps",
      [
        { operator: "Conv", inputs: ["image", "k"], output: "c", attributes: { strides: [4, 4] } },
        { operator: "Relu", inputs: ["c"], output: "early" },
        { operator: "Conv", inputs: ["early", "k2"], output: "d", attributes: { pads: [1, 1, 1, 1] } },
        { operator: "Relu", inputs: ["d"], output: "late" },
        { operator: "Conv", inputs: ["late", "k3"], output: "small" },
        { operator: "Resize", inputs: ["small", "", "scales"], output: "logits", attributes: { mode: "linear" } },
        { operator: "Softmax", inputs: ["logits"], output: "out", attributes: { axis: 1 } },
      ],
      {
        ...{ k: patterned([8, 3, 4, 4]), k2: patterned([8, 8, 3, 3]), k3: patterned([3, 8, 1, 1]) },
        scales: { shape: [4], values: [1, 1, 4, 4] },
      },
    );
    const classes = ["ground", "cell", "vessel"];
    const out = join(folder, "imported-maps");
    const { trained: imported, error } = await importNetwork(file, { out, engine, scaling: SCALINGS.unit, classes });
    expect(error).toBeLessThan(1e-5);
    const given = { engine, name: "maps", images: images(), aspects: ["cell", "vessel"] };
    const { trained } = await mapNetworks(classifierOf(tinyModel()), imported, given);
    expect(trained.spec.heads.slice(1)).toMatchObject([
      { name: "cell", kind: "segmentation", network: "maps", output: { index: 1, of: 3, is: "against" } },
      { name: "vessel", kind: "segmentation", output: { index: 2 } },
    ]);
    const path = join(folder, "maps.aspect");
    await exportBundle(trained, path);
    await verifyBundle(path);
    const explainer = await openExplainer(path);
    const pixels = drawn(64, 78);
    const { explanation, maps } = await explainer.explain({ name: "x.png", pixels });
    await explainer.dispose();
    // What ONNX Runtime makes of the file: an aspect is where its softmax is at least one half.
    const image = ndArray([1, 64, 64, 3], Float32Array.from(pixels));
    const [{ data }] = await runOnnx(file, [image], { scaling: SCALINGS.unit });
    for (const [index, aspect] of explanation.aspects.entries()) {
      const chances = data.subarray((index + 1) * 64 * 64, (index + 2) * 64 * 64);
      const wanted = Array.from(chances, (chance) => (chance >= 0.5 ? 1 : 0));
      const area = wanted.filter((one) => one === 1).length / wanted.length;
      expect(aspect.isPresent).toBe(area > 0);
      if (area > 0)
        expect([aspect.area, Array.from(maps.regions[aspect.name])]).toEqual([expect.closeTo(area, 3), wanted]);
    }
    expect(explanation.aspects.some(({ isPresent }) => isPresent)).toBe(true);

    const amounts = await mapNetworks(classifierOf(tinyModel()), imported, { ...given, as: "amount" });
    expect(amounts.trained.spec.heads[1]).toMatchObject({ kind: "amount", form: "map", output: { index: 1 } });
    await expect(mapNetworks(classifierOf(tinyModel()), imported, { ...given, as: "presence" })).rejects.toThrow(
      /--as presence: the second ends in maps\. It can be segmentation or amount\./,
    );
    await expect(mapNetworks(classifierOf(tinyModel()), tinyModel(), { ...given, as: "amount" })).rejects.toThrow(
      /--as amount: the second was not imported/,
    );
  });

  test("what cannot be joined is one line", async () => {
    const both = tinyModel();
    const join = (change: Partial<MapOptions>, classifier = classifierOf(both)) =>
      mapNetworks(classifier, both, { engine, name: "other", images: images(), ...change });
    await expect(join({}, both)).rejects.toThrow(/both runs have an aspect "necrosis"/);
    await expect(join({ aspects: ["nerve"] })).rejects.toThrow(
      /there is no aspect "nerve"\. There are: necrosis, mitosis/,
    );
    await expect(join({ images: images(5) })).rejects.toThrow(/there are 5 images/);
    await expect(join({ from: "nowhere", to: SOURCE })).rejects.toThrow(/names no layer "nowhere"/);
    await expect(join({ from: SOURCE, to: "conv_pw_9" })).rejects.toThrow(/cannot be computed from "conv_pw_9" alone/);
  });
});
