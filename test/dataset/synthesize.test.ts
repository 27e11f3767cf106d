import { existsSync } from "node:fs";
import { copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { openDataset, records } from "../../src/dataset/dataset.js";
import { readRaster } from "../../src/dataset/raster.js";
import { loadSample } from "../../src/dataset/sample.js";
import { boxesOf, canvas, draw, visibleArea } from "../../src/dataset/synth/canvas.js";
import { rectangle } from "../../src/dataset/synth/shapes.js";
import { type SynthesizeOptions, synthesize } from "../../src/dataset/synth/synthesize.js";
import { drawTissue, THINGS, type ThingName, type TissueOptions } from "../../src/dataset/synth/tissue.js";
import { boxAround } from "../reference/dataset.js";
import { temporaryFolder, writeDataset } from "./given.js";

const folder = await temporaryFolder();
const OPTIONS: TissueOptions = {
  seed: 3,
  size: 128,
  scale: 1,
  noise: 0.03,
  causes: ["mitosis", "necrosis"],
  tagCorrelation: 0.5,
};
const drawn = Array.from({ length: 60 }, (_, index) => drawTissue(index, { ...OPTIONS, noise: 0 }));
const NAMES = Object.keys(THINGS) as ThingName[];

/** Comparing as buffers; element by element takes seconds under load. */
type Pixels = Uint8Array | Float32Array | null | undefined;
const same = (a: Pixels, b: Pixels) => (a && b ? Buffer.from(a).equals(Buffer.from(b)) : a === b);

/** The box around what is visible of an aspect, in an exact mask. */
const around = (mask: Uint8Array, name: ThingName) =>
  boxAround(
    Array.from(mask, (value) => (value === THINGS[name] ? 1 : 0)),
    128,
  );

describe("drawTissue", () => {
  test("puts boxes tight around what is visible: together they have the mask's own extent", () => {
    for (const { mask, boxes } of drawn) {
      for (const name of NAMES) {
        const all = boxes[name];
        const joined =
          all.length === 0 ? null : [0, 1, 2, 3].map((k) => Math[k < 2 ? "min" : "max"](...all.map((box) => box[k])));
        expect(joined).toEqual(around(mask, name));
      }
    }
  });

  test("draws nothing smaller than 10 pixels, at 128 and at 64", () => {
    for (const size of [128, 64]) {
      for (let index = 0; index < 25; index++) {
        const boxes = Object.values(drawTissue(index, { ...OPTIONS, size }).boxes).flat();
        for (const [yMin, xMin, yMax, xMax] of boxes) {
          expect(Math.min(yMax - yMin, xMax - xMin) * size).toBeGreaterThanOrEqual(10);
        }
      }
    }
  });

  test("draws things of 6 to 12 pixels in images of 512, at a scale of 0.14", () => {
    const lengths: Record<string, number[]> = { nucleus: [], lymphocyte: [], mitosis: [] };
    for (let index = 0; index < 8; index++) {
      const { boxes } = drawTissue(index, { ...OPTIONS, size: 512, scale: 0.14 });
      for (const [name, sides] of Object.entries(lengths))
        for (const [yMin, xMin, yMax, xMax] of boxes[name as ThingName])
          sides.push(512 * Math.sqrt((yMax - yMin) * (xMax - xMin)));
    }
    for (const sides of Object.values(lengths)) {
      expect(sides.length).toBeGreaterThan(1);
      expect(Math.min(...sides)).toBeGreaterThanOrEqual(6);
      expect(Math.max(...sides)).toBeLessThanOrEqual(13);
    }
  });

  test("says of smaller things that they are as many", () => {
    const at = (scale: number) => drawTissue(1, { ...OPTIONS, size: 256, scale }).cellularity;
    expect(at(0.5)).toBeGreaterThan(0);
    expect(at(0.5)).toBeCloseTo(at(1), 1);
  });

  test("calls an image malignant where mitosis or necrosis is visible, and nowhere else", () => {
    for (const { boxes, isMalignant, causes } of drawn) {
      const visible = (["mitosis", "necrosis"] as const).filter((name) => boxes[name].length > 0);
      expect(causes).toEqual(visible);
      expect(isMalignant).toBe(visible.length > 0);
    }
    const share = drawn.filter((tissue) => tissue.isMalignant).length / drawn.length;
    // Half, within three deviations of 60 draws.
    expect(Math.abs(share - 0.5)).toBeLessThan(0.2);
  });

  test("lets other aspects cause the class", () => {
    for (let index = 0; index < 20; index++) {
      const { boxes, isMalignant } = drawTissue(index, { ...OPTIONS, causes: ["lymphocyte"], noise: 0 });
      expect(isMalignant).toBe(boxes.lymphocyte.length > 0);
    }
  });

  test("ties the scanner tag to the class as strongly as asked", () => {
    for (let index = 0; index < 20; index++) {
      const always = drawTissue(index, { ...OPTIONS, tagCorrelation: 1, noise: 0 });
      expect(always.boxes["scanner-tag"].length > 0).toBe(always.isMalignant);
      const never = drawTissue(index, { ...OPTIONS, tagCorrelation: 0, noise: 0 });
      expect(never.boxes["scanner-tag"].length > 0).toBe(!never.isMalignant);
    }
    const both = drawn.filter((tissue) => tissue.isMalignant && tissue.boxes["scanner-tag"].length > 0).length;
    const benign = drawn.filter((tissue) => !tissue.isMalignant && tissue.boxes["scanner-tag"].length > 0).length;
    expect(both).toBeGreaterThan(5);
    expect(benign).toBeGreaterThan(5);
  });

  test("paints each thing where its mask says: necrosis is yellower, mitosis darker than the ground", () => {
    for (const { image, mask } of drawn) {
      const mean = (value: number) => {
        const pixels = [...mask.keys()].filter((pixel) => mask[pixel] === value);
        return [0, 1, 2].map((k) => pixels.reduce((sum, pixel) => sum + image[3 * pixel + k], 0) / pixels.length);
      };
      const ground = mean(0);
      if (mask.includes(THINGS.necrosis)) expect(mean(THINGS.necrosis)[2]).toBeLessThan(ground[2] - 25);
      if (mask.includes(THINGS.mitosis)) expect(mean(THINGS.mitosis)[0]).toBeLessThan(110);
    }
  });

  test("measures cellularity as the share under nuclei, an eighth being 1", () => {
    for (const { mask, cellularity } of drawn) {
      const share = mask.filter((value) => value === THINGS.nucleus).length / mask.length;
      expect(cellularity).toBeCloseTo(Math.min(1, share * 8), 12);
    }
  });

  test("gives the same image for the same seed and index, another for another", () => {
    const { image, ...truth } = drawTissue(4, OPTIONS);
    const { image: again, ...truthAgain } = drawTissue(4, OPTIONS);
    expect(same(again, image)).toBe(true);
    expect(truthAgain.boxes).toEqual(truth.boxes);
    expect(same(drawTissue(4, { ...OPTIONS, seed: 4 }).image, image)).toBe(false);
    expect(same(drawTissue(5, OPTIONS).image, image)).toBe(false);
  });

  test("adds noise of the given deviation to the same scene", () => {
    const clean = drawn[0];
    const noisy = drawTissue(0, { ...OPTIONS, noise: 0.02 });
    expect(same(noisy.mask, clean.mask)).toBe(true);
    const differences = Array.from(noisy.image, (value, i) => value - clean.image[i]).filter(
      (_, i) => clean.image[i] > 20 && clean.image[i] < 230,
    );
    const deviation = Math.sqrt(differences.reduce((sum, d) => sum + d * d, 0) / differences.length);
    // 0.02 * 255 = 5.1, and up to 1/6 of variance from rounding twice.
    expect(deviation).toBeGreaterThan(4.9);
    expect(deviation).toBeLessThan(5.4);
  });
});

describe("a canvas", () => {
  const paint = (aspect: string, x: number, leastVisible = 0.7) => ({
    aspect,
    shape: rectangle({ x, y: 16 }, { width: 20, height: 12 }),
    leastVisible,
    colour: () => [0, 0, 0] as const,
  });

  test("gives pixels to what is drawn later, and shrinks the box of what is under it", () => {
    const on = canvas(64, new Float32Array(64 * 64 * 3).fill(255));
    expect(draw(on, paint("under", 20))).toBe(true);
    expect(draw(on, paint("over", 35))).toBe(true);
    // Columns 10..30 under 25..45: 5 of 20 hidden.
    expect(visibleArea(on, "under")).toBe(15 * 12);
    expect(boxesOf(on, "under")).toEqual([[10 / 64, 10 / 64, 22 / 64, 25 / 64]]);
    expect(on.rgb[(16 * 64 + 20) * 3]).toBe(0);
  });

  test("refuses what would hide another too much, and leaves everything as it was", () => {
    const on = canvas(64, new Float32Array(64 * 64 * 3).fill(255));
    draw(on, paint("under", 20));
    const before = { owner: on.owner.slice(), rgb: on.rgb.slice() };
    expect(draw(on, paint("over", 28))).toBe(false); // 12 of 20 columns hidden
    expect(on.owner.every((id, i) => id === before.owner[i])).toBe(true);
    expect(on.rgb.every((value, i) => value === before.rgb[i])).toBe(true);
    expect(on.things).toHaveLength(1);
  });
});

describe("synthesize", () => {
  const make = (name: string, options: SynthesizeOptions) => synthesize(join(folder, name), options);

  test("writes a dataset whose samples carry the truth that was drawn", async () => {
    const { samples, directory } = await make("set", {
      count: 10,
      seed: 3,
      splits: { train: 0.6, validation: 0.2, test: 0.2 },
    });
    expect(samples).toEqual({ train: 6, validation: 2, test: 2 });
    const dataset = await openDataset(directory);
    expect(dataset.manifest).toMatchObject({
      name: "tissue",
      classes: ["benign", "malignant"],
      causes: { malignant: ["mitosis", "necrosis"] },
    });
    let index = 0;
    for await (const record of records(dataset)) {
      const truth = drawTissue(index++, { ...OPTIONS, seed: 3 });
      const sample = await loadSample(dataset, record, { inputSize: 128, annotations: "all" });
      expect(same(sample.image, truth.image)).toBe(true);
      expect(sample.target.label).toBe(truth.isMalignant ? "malignant" : "benign");
      expect(sample.causes).toEqual(truth.causes);
      expect(sample.aspects.cellularity.amount).toBe(truth.cellularity);
      expect(sample.aspects.vessel.present).toBe(truth.boxes.vessel.length > 0);
      for (const name of NAMES) {
        expect(sample.aspects[name].boxes).toEqual(truth.boxes[name]);
        const expected =
          truth.boxes[name].length > 0 ? truth.mask.map((value) => (value === THINGS[name] ? 1 : 0)) : null;
        expect(same(sample.aspects[name].mask, expected)).toBe(true);
      }
      expect((await readRaster(join(directory, "masks", record.image.split("/")[1]))).meaning).toBe("indices");
    }
    expect(index).toBe(10);
  });

  test("gives the same files for the same seed, image by image whatever the count", async () => {
    await make("five", { count: 5, seed: 3 });
    const read = (name: string) => readFile(join(folder, name, "images/0004.png"));
    expect(same(await read("five"), await read("set"))).toBe(true);
  });

  test("leaves out the asked share of answers, and never a cause", async () => {
    const { summary } = await openDataset(
      (await make("partial", { count: 60, size: 64, unlabelled: 0.4, splits: { train: 1, validation: 0, test: 0 } }))
        .directory,
    );
    const missing = Object.values(summary.heads).reduce((sum, head) => sum + head.states.train.unlabelled, 0);
    // 8 answers x 60 samples; three deviations are 0.067.
    expect(Math.abs(missing / 480 - 0.4)).toBeLessThan(0.067);
  });

  test("replaces an earlier tissue set, and nothing else", async () => {
    await make("five", { count: 2, size: 64 });
    expect(await readdir(join(folder, "five/images"))).toEqual(["0001.png", "0002.png"]);
    await mkdir(join(folder, "other"));
    await writeFile(join(folder, "other/thesis.txt"), "years of work");
    await expect(make("other", { count: 2 })).rejects.toThrow(
      /other: holds files that were not generated, which would be overwritten/,
    );
    await writeDataset(join(folder, "mine"), { manifest: { name: "mine" }, lines: [] });
    await expect(make("mine", { count: 2 })).rejects.toThrow("mine: holds files that were not generated");
    await writeFile(join(folder, "file"), "");
    await expect(make("file", { count: 2 })).rejects.toThrow("is a file");
    expect(await readdir(join(folder, "other"))).toEqual(["thesis.txt"]);
  });

  test("interrupted, leaves nothing behind, and what was there stays", async () => {
    const stop = new AbortController();
    const onProgress = (done: number) => {
      if (done === 3) stop.abort();
    };
    const target = join(folder, "stopped/set");
    await expect(synthesize(target, { count: 500, size: 64, onProgress, signal: stop.signal })).rejects.toThrow(
      "interrupted",
    );
    expect(existsSync(target)).toBe(false);
    expect(await readdir(dirname(target))).toEqual([]);
  });

  test.each([
    ["count", { count: 0 }, "count: 0 is out of range. Give a whole number in 1.."],
    ["size", { size: 20 }, "size: 20 is out of range"],
    ["tagCorrelation", { tagCorrelation: 2 }, "tagCorrelation: 2 is out of range"],
    ["splits", { splits: { train: 0.5, validation: 0, test: 0 } }, "splits: the shares sum to 0.5"],
    ["causes", { causes: [] }, "causes: none given. Known: mitosis"],
  ])("refuses a bad %s", async (_, options, message) => {
    await expect(make("bad", options)).rejects.toThrow(message);
  });
});

test("a drawn set that somebody changed or added files to is not replaced", async () => {
  const target = join(folder, "added");
  await synthesize(target, { count: 2, size: 64 });
  for (const name of ["notes.txt", join("images", "mine.png"), join("masks", "mine.png")]) {
    await writeFile(join(target, name), "mine");
    await expect(synthesize(target, { count: 2, size: 64 })).rejects.toThrow(
      "added: holds a generated set that was changed since, which would be overwritten",
    );
    await rm(join(target, name));
  }
  const [first, second] = ["0001.png", "0002.png"].map((name) => join(target, "images", name));
  await rename(first, join(folder, "kept.png"));
  await copyFile(second, first);
  await expect(synthesize(target, { count: 2, size: 64 })).rejects.toThrow("changed since");
  await rename(join(folder, "kept.png"), first); // with its own time of change
  await synthesize(target, { count: 2, size: 64 });
});
