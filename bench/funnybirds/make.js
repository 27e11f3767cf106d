/**
 * Draws the set: `node bench/funnybirds/make.js DIR`. It can be stopped at any time and goes on where it was; a larger
 * `--count` adds images to a set. An hour of drawing and more, and about 400 MB.
 *
 * First the images and part maps, then `dataset.json` (from then on it can be trained on), then the removals: of each
 * test image, and of two validation images a class, the 32 choices of parts and each background object that is seen.
 */

import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import sharp from "sharp";
import { requireArchives, withArchives } from "../../examples/support/archives.js";
import { writeDataset } from "../../examples/support/dataset.js";
import { writeJson } from "../harness.js";
import { className, drawClasses, PARTS } from "./birds.js";
import { readMap, visibleObjects, visibleParts } from "./part-maps.js";
import {
  imagePath,
  mapPath,
  objectPath,
  partsPath,
  pictureOf,
  SUBSETS,
  shotOf,
  VALIDATION_REMOVALS,
} from "./pictures.js";
import { openRenderer, SIDE } from "./renderer.js";

/** @import { Picture } from "./renderer.js" */
/** @import { Shot, Split } from "./pictures.js" */

/** Pictures of one call of the browser. */
const AT_ONCE = 16;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    classes: { type: "string", default: "50" },
    count: { type: "string", default: "20000" },
    maps: { type: "string", default: "5000" },
    validation: { type: "string", default: "10" },
    test: { type: "string", default: "10" },
    seed: { type: "string", default: "7" },
  },
});
const [folder = "data/funnybirds"] = positionals;
const [seed, classCount] = [Number(options.seed), Number(options.classes)];

requireArchives(["funnybirds-parts"]);
const classes = drawClasses({ count: classCount, seed });
await beginSet();
const counts = {
  train: Number(options.count),
  validation: classCount * Number(options.validation),
  test: classCount * Number(options.test),
};
/** Test and validation first: a set with few training images can be used already. @type {readonly Split[]} */
const splits = ["test", "validation", "train"];
const shots = splits.flatMap((split) =>
  Array.from({ length: counts[split] }, (_, index) => shotOf(split, index, { seed, classCount })),
);
const withMap = shots.filter(({ split, index }) => split !== "train" || index < Number(options.maps));
const withRemovals = shots.filter(
  ({ split, index }) => split === "test" || (split === "validation" && index < VALIDATION_REMOVALS * classCount),
);

await withArchives(["funnybirds-parts"], async (unpacked) => {
  const renderer = await openRenderer(join(unpacked, "funnybirds-parts"));
  try {
    const mapped = new Set(withMap);
    await drawAll(
      "images and maps",
      shots.flatMap((shot) => [
        { path: imagePath(shot), picture: () => pictureOf(shot, classes) },
        ...(mapped.has(shot)
          ? [{ path: mapPath(shot), picture: () => pictureOf(shot, classes, { kind: "map" }) }]
          : []),
      ]),
      renderer,
    );
    await writeSet();
    await drawAll("removals", (await Promise.all(withRemovals.map(removalsOf))).flat(), renderer);
  } finally {
    await renderer.close();
  }
});
console.log(`complete: ${folder}`);

/** Marks a new folder as ours, or checks that it is. */
async function beginSet() {
  const path = join(folder, "funnybirds.json");
  const mark = { format: "aspectlens-bench/1", seed, classes };
  if (existsSync(path)) {
    const found = JSON.parse(await readFile(path, "utf8"));
    if (JSON.stringify(found) === JSON.stringify(mark)) return;
    throw new Error(`${folder} holds a set of other classes or another seed. Name a new folder.`);
  }
  if (existsSync(folder) && (await readdir(folder)).length > 0)
    throw new Error(`${folder} holds other files. Name a new folder.`);
  await mkdir(folder, { recursive: true });
  await writeJson(path, mark);
}

/** @typedef {{ path: string, picture: () => Picture }} Wanted a picture, and its file. */

/**
 * Pictures are drawn some at a time, and the next while those are written.
 *
 * @param {string} what
 * @param {readonly Wanted[]} wanted
 * @param {Awaited<ReturnType<typeof openRenderer>>} renderer
 */
async function drawAll(what, wanted, renderer) {
  const missing = wanted.filter(({ path }) => !existsSync(join(folder, path)));
  const begun = performance.now();
  const drawFrom = (/** @type {number} */ start) =>
    renderer.draw(missing.slice(start, start + AT_ONCE).map(({ picture }) => picture()));
  let drawing = drawFrom(0);
  for (let start = 0; start < missing.length; start += AT_ONCE) {
    const drawn = await drawing;
    drawing = drawFrom(start + AT_ONCE);
    await Promise.all(drawn.map((pixels, at) => writePicture(missing[start + at].path, pixels)));
    const done = start + drawn.length;
    if (done % (25 * AT_ONCE) > 0) continue;
    const minutes = Math.round((((performance.now() - begun) / done) * (missing.length - done)) / 60_000);
    console.log(`${what}: ${wanted.length - missing.length + done} of ${wanted.length}, about ${minutes} min left`);
  }
  await drawing; // of none
  console.log(`${what}: ${wanted.length} of ${wanted.length}`);
}

/** @param {string} path @param {Uint8Array} pixels of an image or a map. */
async function writePicture(path, pixels) {
  const channels = pixels.length === SIDE * SIDE ? 1 : 3;
  const png = await sharp(pixels, { raw: { width: SIDE, height: SIDE, channels } })
    .png()
    .toBuffer();
  const target = join(folder, path);
  await mkdir(dirname(target), { recursive: true });
  // A process that is killed leaves no half file under the name.
  await writeFile(`${target}.part`, png);
  await rename(`${target}.part`, target);
}

/** @param {Shot} shot */
async function removalsOf(shot) {
  const seen = visibleObjects(await readMap(join(folder, mapPath(shot))));
  return [
    ...SUBSETS.filter((kept) => kept.length < PARTS.length).map((kept) => ({
      path: partsPath(shot, kept),
      picture: () => pictureOf(shot, classes, { kept }),
    })),
    ...seen.map((without) => ({
      path: objectPath(shot, without),
      picture: () => pictureOf(shot, classes, { without }),
    })),
  ];
}

/**
 * The dataset. A bird that lacks parts keeps its class as its label. Classes are drawn alike and parts are removed
 * whatever the class, so that label is a fair draw from the classes that the remaining parts allow: over many images
 * its cross-entropy is that of all of them with equal shares.
 */
async function writeSet() {
  const names = classes.map((_, index) => className(index));
  const mapped = new Set(withMap);
  const samples = [];
  for (const shot of shots) {
    const aspects = mapped.has(shot) ? await masksOf(shot) : {};
    samples.push({ image: imagePath(shot), split: shot.split, label: names[shot.label], aspects });
  }
  const aspects = PARTS.map((name) => ({ name, kind: /** @type {const} */ ("segmentation") }));
  await writeDataset(folder, { name: "funnybirds", classes: names, aspects }, samples);
}

/** @param {Shot} shot */
async function masksOf(shot) {
  const visible = visibleParts(await readMap(join(folder, mapPath(shot))));
  return Object.fromEntries(
    PARTS.map((part, index) => [
      part,
      visible.includes(part) ? { mask: mapPath(shot), values: [index + 1] } : { mask: null },
    ]),
  );
}
