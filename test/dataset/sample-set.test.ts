/** data/sample: what data/README.md says of the committed sample set. */

import { readdir, readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import sharp from "sharp";
import { expect, test } from "vitest";
import { checkDataset } from "../../src/dataset/check.js";
import { openDataset, records } from "../../src/dataset/dataset.js";
import { synthesize } from "../../src/dataset/synth/synthesize.js";
import { temporaryFolder } from "./given.js";

const root = resolve(import.meta.dirname, "../..");
const sample = join(root, "data/sample");
const folder = await temporaryFolder();
const files = (await readdir(sample, { recursive: true })).filter((name) => /\.(png|jsonl?)$/.test(name));

test("is usable, and shows each state of each aspect in training", async () => {
  const { isUsable, errorCount, warningCount, heads } = await checkDataset(sample);
  expect({ isUsable, errorCount, warningCount }).toEqual({ isUsable: true, errorCount: 0, warningCount: 0 });
  const { class: classifier, ...aspects } = heads;
  expect(classifier.states.train.unlabelled).toBeGreaterThan(0);
  for (const [name, { states }] of Object.entries(aspects)) {
    for (const [state, count] of Object.entries(states.train)) expect(count, `${name}: ${state}`).toBeGreaterThan(0);
    for (const split of ["validation", "test"] as const) {
      expect(states[split].labelled * states[split].empty, `${name}: ${split}`).toBeGreaterThan(0);
    }
  }
});

test("takes at most 1 MB", async () => {
  const sizes = await Promise.all(files.map(async (file) => (await stat(join(sample, file))).size));
  expect(sizes.length).toBe(2 + 2 * 24);
  expect(sizes.reduce((a, b) => a + b, 0)).toBeLessThan(1e6);
});

test("the command in data/README.md draws the same set", async () => {
  const page = await readFile(join(root, "data/README.md"), "utf8");
  const [, options = ""] = /data synth data\/sample (.*)/.exec(page) ?? [];
  const given = Object.fromEntries(
    [...options.matchAll(/--(\w+) ([\d.]+)/g)].map(([, key, value]) => [key, Number(value)]),
  );
  const drawn = join(folder, "sample");
  await synthesize(drawn, given);
  expect(await readFile(join(drawn, "samples.jsonl"), "utf8")).toBe(
    await readFile(join(sample, "samples.jsonl"), "utf8"),
  );
  for (const file of files.filter((name) => name.endsWith(".png"))) {
    // Pixels, since another version of the image library may pack them in another way.
    const [found, expected] = await Promise.all([drawn, sample].map((set) => sharp(join(set, file)).raw().toBuffer()));
    expect(found.equals(expected), file).toBe(true);
  }
});

test("a fifth of the answers about aspects is left out", async () => {
  const dataset = await openDataset(sample);
  let unlabelled = 0;
  for await (const { image, aspects } of records(dataset)) {
    expect(files).toContain(image);
    unlabelled += dataset.manifest.aspects.filter(({ name }) => !(name in aspects)).length;
  }
  expect(unlabelled / (24 * dataset.manifest.aspects.length)).toBeCloseTo(0.2, 1);
});
