/** A dataset of which some images are annotated and all others are there without annotations. */

import { existsSync } from "node:fs";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { random, shuffled } from "../../examples/support/random.js";

/** So many training images for each annotated validation image. */
const PER_JUDGE = 5;

/**
 * Annotated are `count` training images, drawn by `seed` so that a smaller count draws some of the same, and a fifth as
 * many validation images. All images keep their class. Without test images, and without the known causes: who has a
 * finished classifier does not know them.
 *
 * @param {string} from a dataset @param {string} to @param {{ count: number, seed: number }} options
 */
export async function withFewAnnotations(from, to, { count, seed }) {
  if (existsSync(join(to, "dataset.json"))) return;
  await mkdir(to, { recursive: true });
  const { causes: _, ...manifest } = JSON.parse(await readFile(join(from, "dataset.json"), "utf8"));
  const lines = (await readFile(join(from, "samples.jsonl"), "utf8")).trimEnd().split("\n");
  const samples = lines.map((line) => JSON.parse(line)).filter(({ split }) => split !== "test");
  /** @param {string} split @param {number} most */
  const drawn = (split, most) =>
    shuffled(
      samples.filter((sample) => sample.split === split),
      random(seed, "annotated", split),
    ).slice(0, most);
  const annotated = new Set([...drawn("train", count), ...drawn("validation", Math.ceil(count / PER_JUDGE))]);
  const kept = samples.map((sample) => {
    const { aspects, causes: __, ...rest } = sample;
    return JSON.stringify(annotated.has(sample) ? { ...rest, aspects } : rest);
  });
  for (const part of ["images", "masks"])
    if (!existsSync(join(to, part))) await symlink(resolve(from, part), join(to, part), "junction");
  await writeFile(join(to, "samples.jsonl"), `${kept.join("\n")}\n`);
  await writeFile(join(to, "dataset.json"), `${JSON.stringify({ ...manifest, allowLinks: true }, null, 2)}\n`);
}
