import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, expect, test } from "vitest";
import { aspectlens } from "../helpers/command.js";
import { writeTinyDataset } from "../helpers/tiny-dataset.js";

const folder = mkdtempSync(join(tmpdir(), "aspectlens-map-"));
let data: string;
const run = async (...args: string[]) => {
  const { code, stdout, stderr } = await aspectlens(args, { cwd: folder });
  expect(code, stderr).toBe(0);
  return stdout;
};

beforeAll(async () => {
  data = await writeTinyDataset({ train: 24, validation: 8, test: 4 });
  const config = {
    dataset: data,
    trunk: { inputSize: 64 },
    stages: [{ train: "heads", epochs: 2 }],
    cacheMegabytes: 0,
  };
  writeFileSync(join(folder, "both.json"), JSON.stringify({ ...config, out: "both" }));
  await run("train", "both.json");
  // The same images with their class alone.
  const alone = await writeTinyDataset({ train: 24, validation: 8, test: 4 });
  const { causes: _, ...manifest } = JSON.parse(readFileSync(join(alone, "dataset.json"), "utf8"));
  writeFileSync(join(alone, "dataset.json"), JSON.stringify({ ...manifest, aspects: [] }));
  const lines = readFileSync(join(alone, "samples.jsonl"), "utf8").trimEnd().split("\n");
  const samples = lines.map((line) => JSON.stringify({ ...JSON.parse(line), aspects: {} }));
  writeFileSync(join(alone, "samples.jsonl"), `${samples.join("\n")}\n`);
  writeFileSync(join(folder, "alone.json"), JSON.stringify({ ...config, dataset: alone, out: "alone" }));
  await run("train", "alone.json");
}, 180_000);

test("a classifier and aspects that were trained apart, in three commands", { timeout: 240_000 }, async () => {
  // An image that cannot be read stops nothing.
  writeFileSync(join(data, "images", "zz-broken.png"), "no image");
  const said = await run("map", "alone", "both", join(data, "images"), "--out", "mapped", "--images", "37");
  rmSync(join(data, "images", "zz-broken.png"));
  expect(said).toMatch(/from +to +similarity +R2 +square +bar +bright +red/);
  expect(said).toMatch(/chosen/);
  expect(said).toMatch(/next: aspectlens export mapped model\.aspect/);
  const kept = JSON.parse(readFileSync(join(folder, "mapped/mapping.json"), "utf8"));
  expect(kept).toMatchObject({ format: "aspectlens-mapping/1", network: "both", kind: "linear" });
  expect(kept.pairs.length).toBeGreaterThan(0);
  // Three of the images are held out: 37, of which one cannot be read, at every fifth place.
  const { width, height } = await sharp(join(folder, "mapped/mapping.jpg")).metadata();
  expect([width, height]).toEqual([24 + 150 + 28 + 4 * (2 * 150 + 8 + 28) - 28 + 24, 24 + 44 + 6 * 158 - 8 + 24]);
  await run("export", "mapped", "mapped.aspect");
  expect(await run("verify", "mapped.aspect")).toMatch(/complete/);
  const json = await run("explain", "mapped.aspect", join(data, "images"), "--json", "--out", "why", "--no-pictures");
  const [first] = json
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(
    first.aspects.map(({ name, mapping }: { name: string; mapping: { network: string } }) => [name, mapping.network]),
  ).toEqual(["square", "bar", "bright", "red"].map((name) => [name, "both"]));
  expect(await run("evaluate", "mapped", data)).toMatch(/square/);
  expect(await run("calibrate", "mapped", data, "--out", "again.aspect", "--saliency", "grad-cam")).toMatch(
    /calibrated on 8/,
  );
  await run("faithfulness", "mapped.aspect", data);
  // With a dataset the known causes of its validation images set the scale.
  const byCauses = await run(
    "map",
    "alone",
    "both",
    data,
    "--out",
    "second",
    "--aspects",
    "square",
    "--name",
    "s",
    "--json",
  );
  expect(JSON.parse(byCauses)).toMatchObject({ run: "second", network: "s", kind: "linear" });
  expect(await run("runs", "list", ".")).toMatch(/mapped +tiny +\w{8} +mapped/);
  // Heads are added before, not after.
  writeFileSync(
    join(folder, "more.json"),
    JSON.stringify({ dataset: data, out: "more", stages: [{ train: "heads", epochs: 1 }] }),
  );
  const { code, stderr } = await aspectlens(["train", "more.json", "--add-heads", "second"], { cwd: folder });
  expect([code, stderr]).toEqual([
    2,
    expect.stringMatching(/second: has aspects on networks of their own\. Add heads first/),
  ]);
});

test("what does not fit is one line, exit code 2, and leaves nothing", { timeout: 120_000 }, async () => {
  const images = join(data, "images");
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [["both", "both", images], /both runs have an aspect "square"/],
    [["alone", "alone", images], /the second has no aspect head\. Train one with aspects/],
    [["alone", "both", images, "--aspects", "nerve"], /--aspects: there is no aspect "nerve"/],
    [["alone", "both", images, "--images", "3"], /--images 3: expected a whole number from 20/],
    [["alone", "both", join(images, "..", "masks", "*.gif")], /no file matches/],
    [["alone", "nothing", images], /nothing: there is no such run folder or bundle/],
    [["alone", "both", images, "--from", "conv_pw_99", "--to", "conv_pw_5"], /no layer "conv_pw_99"/],
    [["alone", "both", images, "--model", "tree"], /--model/],
    [["alone", "both", images, "--name", "a/b"], /--name "a\/b": is no name for a network/],
    [["alone", "both", images, "--model", "image", "--from", "conv_pw_5"], /--model image: leads from the image/],
    [["alone", "mapped", images], /the aspects of the second are on networks of their own/],
  ];
  for (const [args, said] of wrong) {
    const { code, stderr } = await aspectlens(["map", ...args, "--out", "wrong"], { cwd: folder });
    expect([code, stderr]).toEqual([2, expect.stringMatching(said)]);
    expect(
      stderr
        .trimEnd()
        .split("\n")
        .filter((line) => line.startsWith("aspectlens:")),
    ).toHaveLength(1);
    expect(existsSync(join(folder, "wrong"))).toBe(false);
  }
  const foreign = join(folder, "foreign");
  mkdirSync(foreign);
  writeFileSync(join(foreign, "mapping.json"), "mine");
  const taken: readonly (readonly [string, RegExp])[] = [
    ["both", /both: holds a run already/],
    ["mapped", /mapped: holds a run already/],
    ["foreign", /mapping\.json: was not made by a training/],
    ["both.json", /both\.json: "out" is a file/],
  ];
  for (const [out, said] of taken) {
    const { code, stderr } = await aspectlens(["map", "alone", "both", images, "--out", out], { cwd: folder });
    expect([code, stderr]).toEqual([2, expect.stringMatching(said)]);
  }
  expect(readFileSync(join(foreign, "mapping.json"), "utf8")).toBe("mine");
  // Nor does a training begin in such a folder.
  writeFileSync(join(folder, "into.json"), JSON.stringify({ dataset: data, out: "mapped" }));
  const { code, stderr } = await aspectlens(["train", "into.json"], { cwd: folder });
  expect([code, stderr]).toEqual([2, expect.stringMatching(/mapped: holds a model that was mapped/)]);
});
