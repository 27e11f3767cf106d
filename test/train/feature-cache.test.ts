import { existsSync, mkdtempSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Sample } from "../../src/core/annotation.js";
import { createFeatureCache } from "../../src/train/feature-cache.js";

const taps = { early: [2, 2, 1], late: [1, 1, 3] };
const row = (index: number) => Float32Array.from({ length: 7 }, (_, k) => index * 10 + k);
const sample = (index: number): Sample => ({
  path: `${index}.png`,
  image: new Uint8Array(12).fill(9),
  target: { label: "a" },
  aspects: {
    spot: { mask: Float32Array.from([0, 1, 0.25, index % 2]) },
    none: { mask: null },
    boxed: { boxes: [[0, 0, 1, 1]], ignoredBoxes: [[0, 0, 0.5, 0.5]] },
    seam: { mask: Float32Array.from([0, 1, 0, 0]), ignored: Uint8Array.from([0, 0, 1, 1]) },
  },
});

describe.each([
  ["in memory", 1e6],
  ["in a file", 0],
])("features kept %s", (_, memoryBytes) => {
  test("come back by layer, in the order asked for, padded to the batch, with their annotations", async () => {
    const path = join(mkdtempSync(join(tmpdir(), "cache-")), "features.bin");
    const cache = await createFeatureCache(taps, { rowCount: 4, memoryBytes, path });
    for (const index of [2, 0, 3, 1]) await cache.add(index, row(index), sample(index));
    expect(existsSync(path)).toBe(memoryBytes === 0);
    if (memoryBytes === 0) expect(statSync(path).size).toBe(4 * 7 * 4);
    const { features, samples } = await cache.read([3, 1], { batchSize: 3 });
    expect(features["tap/early"].shape).toEqual([3, 2, 2, 1]);
    expect([...features["tap/early"].data]).toEqual([30, 31, 32, 33, 10, 11, 12, 13, 0, 0, 0, 0]);
    expect([...features["tap/late"].data]).toEqual([34, 35, 36, 14, 15, 16, 0, 0, 0]);
    expect(samples.map((read) => read.path)).toEqual(["3.png", "1.png"]);
    expect(samples[0].aspects).toEqual(sample(3).aspects);
    await cache.dispose();
    expect(existsSync(path)).toBe(false);
  });
});
