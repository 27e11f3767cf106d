/** What each entry of the list must keep: adding a trunk there and in a file of its own is all that it takes. */

import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import type { NdArrays } from "../../src/core/nd-array.js";
import { checkConfig, resolveConfig } from "../../src/train/config.js";
import { createTrunk } from "../../src/trunk/create-trunk.js";
import { inspectWeights } from "../../src/trunk/formats/inspect-weights.js";
import { trunkLayer } from "../../src/trunk/formats/layer-names.js";
import { loadWeights } from "../../src/trunk/formats/load-weights.js";
import { hasKernel, layerParameters } from "../../src/trunk/layer-parameters.js";
import { randomWeights } from "../../src/trunk/random-weights.js";
import { TRUNKS } from "../../src/trunk/trunks.js";
import { CATALOGUE } from "../../src/weights/catalogue.js";

const SRC = resolve(import.meta.dirname, "../../src");

describe.each(TRUNKS)("$name", (definition) => {
  const { name, architecture, defaultAlpha, fineTuneFrom, builtinAlphas, published, weights } = definition;
  const alpha = defaultAlpha / 4;
  const trunk = createTrunk({ name, alpha, inputSize: 64 });
  const layers = architecture(alpha).layers;

  test("has a source of stride 16 and starts fine-tuning at one of its layers", () => {
    expect(trunk.taps.find((tap) => tap.name === trunk.source)?.stride).toBe(16);
    expect(layers.map((layer) => layer.name)).toContain(fineTuneFrom);
  });

  test("its layers with kernels, and no others, are those that its names in files know", () => {
    for (const layer of layers) expect(weights.layers.test(layer.name), layer.name).toBe(hasKernel(layer));
    for (const layer of layers.filter(hasKernel)) expect(trunkLayer(layer.name)).toBe(layer.name);
  });

  test("a file of its weights is recognised, at its default and at all published widths", async () => {
    for (const width of new Set([defaultAlpha, ...builtinAlphas, ...published.map((entry) => entry.alpha)]))
      expect(await recognised(width), String(width)).toEqual([name, width]);
  });

  test("weights come back from a file as they went in", async () => {
    const parameters = randomWeights(trunk, { seed: 1 });
    const file = { path: "file", weights: kerasNames(parameters), topology: undefined };
    expect((await loadWeights(trunk, file)).parameters).toEqual(parameters);
  });

  test("a configuration that names it alone is complete", () => {
    const raw = checkConfig({ dataset: "d", out: "o", trunk: { name, weights: "random" } }, "file");
    const facts = { trainCount: 10, aspects: [], trunkOf: () => trunk };
    expect(resolveConfig(raw, facts).trunk).toMatchObject({ name, alpha: defaultAlpha });
  });

  test("its published weights are in the catalogue, each under a name of its own", () => {
    const own = CATALOGUE.filter((entry) => entry.trunk.name === name);
    expect(own.map((entry) => entry.address.includes("//") && entry.licence.length > 0)).toEqual(
      published.map(() => true),
    );
    expect(new Set(own.map((entry) => entry.name)).size).toBe(published.length);
  });

  /** What is told of a file that holds nothing but shapes. */
  async function recognised(width: number) {
    const specs = layerParameters(architecture(width), { isFolded: false });
    const arrays = Object.fromEntries(
      specs.map((spec) => [spec.name, { shape: spec.shape, data: new Float32Array() }]),
    );
    const file = { path: "file", weights: kerasNames(arrays), topology: undefined };
    const told = await inspectWeights(file);
    return [told.name, told.alpha];
  }
});

test("no file but those of the trunks and of their list names one in its code", () => {
  const own = /^trunk\/(mobilenet-v\d|vgg|trunks|published-weights)\.ts$/;
  const naming = readdirSync(SRC, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !own.test(file))
    .filter((file) => /["'`](mobilenet-v1|mobilenet-v2|vgg)/.test(readFileSync(join(SRC, file), "utf8")));
  // The default of a configuration.
  expect(naming).toEqual(["train/config.ts"]);
});

/** Our parameters under the names that a file of keras-applications has. */
function kerasNames(parameters: NdArrays): NdArrays {
  return Object.fromEntries(Object.entries(parameters).map(([key, array]) => [key.slice("trunk/".length), array]));
}
