/**
 * What the package's trunks have learned and what limits them, in `bench/results/probes.json`: `probe.js` of random
 * weights, of the package's trunks and of stronger weights, on the photographs as they are and shrunk to the 64 pixels
 * of Tiny ImageNet. What weights learned from 1.3 million sharp photographs see in 64 pixels is more than anything
 * learned from 64 pixels can be asked for.
 *
 *     npm run build && node examples/pets/make.js && node examples/pretrain/make.js && node examples/pretrain/probes.js
 */

import { existsSync } from "node:fs";
import { cp, mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import sharp from "sharp";
import { node } from "../support/command-line.js";

const PROBE = "examples/pretrain/probe.js";
/** The sides of the images that a trunk is asked at, in pixels. */
const SIZES = [96, 128, 160, 192];
/** A side of the images of Tiny ImageNet, in pixels. */
const SMALL = 64;

const { values: options } = parseArgs({
  options: {
    pets: { type: "string", default: "data/pets" },
    stronger: {
      type: "string",
      multiple: true,
      default: ["data/weights/mobilenet_v2_0.35_224_notop_f32", "data/weights/mobilenet_v2_1.0_224_imagenet_u8"],
    },
    out: { type: "string", default: "runs/probes" },
    results: { type: "string", default: "bench/results/probes.json" },
  },
});
const folders = await readdir("weights", { withFileTypes: true });
const own = folders.filter((entry) => entry.isDirectory()).map(({ name }) => `builtin:${name}`);
const rows = [];
for (const [photographs, dataset] of [
  ["sharp", options.pets],
  [`${SMALL} px`, await shrunk()],
]) {
  for (const size of SIZES) {
    const said = node(
      PROBE,
      "random",
      ...own,
      ...options.stronger,
      "--json",
      "--size",
      String(size),
      "--dataset",
      dataset,
    );
    for (const { weights, accuracy } of JSON.parse(said).rows) {
      const row = { photographs, size, weights: weights.replace(/^.*\//, ""), accuracy };
      console.log(`${photographs} at ${size} px, ${row.weights}: ${(100 * accuracy).toFixed(1)} %`);
      rows.push(row);
    }
  }
}
const work = "linear probe on pets3: 300 photographs to learn from, 298 to test";
await writeFile(options.results, `${JSON.stringify({ format: "aspectlens-bench/1", work, rows }, null, 2)}\n`);

/** The pets with photographs that hold no more than `SMALL` x `SMALL` pixels did. */
async function shrunk() {
  const folder = join(options.out, `pets-${SMALL}`);
  if (existsSync(join(folder, "dataset.json"))) return folder;
  await mkdir(join(folder, "images"), { recursive: true });
  for (const file of await readdir(join(options.pets, "images"))) {
    const image = sharp(join(options.pets, "images", file));
    const { width, height } = await image.metadata();
    const small = await image.resize(SMALL, SMALL, { fit: "fill" }).toBuffer();
    const enlarged = sharp(small).resize(width, height, { fit: "fill", kernel: "linear" });
    await enlarged.toFile(join(folder, "images", file));
  }
  for (const part of ["trimaps", "samples.jsonl", "dataset.json"])
    await cp(join(options.pets, part), join(folder, part), { recursive: true }); // dataset.json last: it says that all is there
  return folder;
}
