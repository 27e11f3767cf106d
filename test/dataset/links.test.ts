import { execFileSync } from "node:child_process";
import { mkdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { checkDataset } from "../../src/dataset/check.js";
import { openDataset, readRecord } from "../../src/dataset/dataset.js";
import { loadSample } from "../../src/dataset/sample.js";
import { fromRaw, pngBytes, rgb, temporaryFolder, writeDataset } from "./given.js";

const root = await temporaryFolder();
const picture = await fromRaw(
  rgb(2, 2, () => [9, 9, 9]),
  2,
  2,
)
  .png()
  .toBuffer();
const aspects = [{ name: "spot", kind: "segmentation" }];
const line = { image: "images/0.png", split: "train", label: "a", aspects: { spot: { mask: "masks/0.png" } } };
let count = 0;
let folder: string;
const outside = join(root, "outside");

/** A dataset of one sample; links are set by the tests. */
async function dataset(manifest = {}): Promise<string> {
  folder = join(root, `set-${count++}`);
  const files = {
    "images/0.png": picture,
    "masks/0.png": pngBytes([
      [0, 1],
      [1, 0],
    ]),
  };
  return writeDataset(folder, { manifest: { aspects, ...manifest }, lines: [line], files });
}

/** Moves a file out of the dataset and leaves a link to it. */
async function moveOut(path: string): Promise<void> {
  const target = join(outside, `${count}-${path.replace("/", "-")}`);
  await rename(join(folder, path), target);
  await symlink(target, join(folder, path));
}

async function load() {
  const opened = await openDataset(folder);
  return loadSample(opened, await readRecord(opened, "train", 0), { inputSize: 8 });
}

const faults = async (options = {}) => (await checkDataset(folder, options)).faults.map(({ message }) => message);
const errors = async (options = {}) =>
  (await checkDataset(folder, options)).faults
    .filter(({ severity }) => severity === "error")
    .map((fault) => fault.message);

beforeEach(async () => {
  await mkdir(outside, { recursive: true });
  await dataset();
});

test.each(["images/0.png", "masks/0.png"])(
  "a link at %s that leads out of the dataset is refused, with file, line and cure",
  async (path) => {
    await moveOut(path);
    const message = new RegExp(`samples\\.jsonl:1: .*${path}: a link leads out of the dataset\\. .*"allowLinks": true`);
    await expect(load()).rejects.toThrow(message);
    expect(await errors()).toEqual([expect.stringMatching(message)]);
    expect(await errors({ decode: false })).toEqual([expect.stringMatching(message)]);
  },
);

test("a linked folder inside, and the samples file, are held to the same", async () => {
  await rename(join(folder, "images"), join(outside, `images-${count}`));
  await symlink(join(outside, `images-${count}`), join(folder, "images"));
  await expect(load()).rejects.toThrow(/a link leads out of the dataset/);
  await dataset();
  await moveOut("samples.jsonl");
  await expect(load()).rejects.toThrow(/samples\.jsonl: a link leads out of the dataset/);
  await expect(faults()).rejects.toThrow(/samples\.jsonl: a link leads out of the dataset/);
});

test("links inside, a linked dataset, and links that the dataset allows are followed", async () => {
  await rename(join(folder, "images/0.png"), join(folder, "images/1.png"));
  await symlink("1.png", join(folder, "images/0.png"));
  const whole = folder;
  folder = join(root, `linked-${count}`);
  await symlink(whole, folder);
  expect((await load()).path).toBe("images/0.png");
  expect(await errors()).toEqual([]);
  await dataset({ allowLinks: true });
  await moveOut("images/0.png");
  expect((await load()).path).toBe("images/0.png");
  await dataset({ allowLinks: "yes" });
  await expect(load()).rejects.toThrow(/"allowLinks" is "yes"\. Write true or false/);
});

test("devices and pipes in a dataset are refused at once, wherever they stand", async () => {
  await dataset({ allowLinks: true });
  await rm(join(folder, "images/0.png"));
  await symlink("/dev/zero", join(folder, "images/0.png"));
  await expect(load()).rejects.toThrow(/images\/0\.png: is a device or socket/);
  await rm(join(folder, "images/0.png"));
  await writeFile(join(folder, "images/0.png"), picture);
  await rm(join(folder, "masks/0.png"));
  execFileSync("mkfifo", [join(folder, "masks/0.png")]);
  expect(await errors()).toEqual([expect.stringMatching(/masks\/0\.png: is a pipe, not a file/)]);
  const samples = await readFile(join(folder, "samples.jsonl"));
  await rm(join(folder, "samples.jsonl"));
  execFileSync("mkfifo", [join(folder, "samples.jsonl")]);
  await expect(load()).rejects.toThrow(/samples\.jsonl: is not a regular file/);
  await rm(join(folder, "samples.jsonl"));
  await writeFile(join(folder, "samples.jsonl"), samples);
});
