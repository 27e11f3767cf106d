/** A dataset of a few tiny images for tests: a red square makes the class "with"; a green bar is a distractor. */

import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import type { Task } from "../../src/core/annotation.js";
import { random } from "../../src/core/random.js";

const SIDE = 32;

/** Writes images, masks and manifest into a temporary folder. @returns the folder. */
export async function writeTinyDataset({
  train = 10,
  validation = 4,
  test = 4,
  seed = 1,
  task = "single",
  classes = ["without", "with"],
  square = "square",
}: {
  train?: number;
  validation?: number;
  test?: number;
  seed?: number;
  task?: Task;
  /** Ignored by a regression. The square makes it the last; without it, it is one of the others in turn. */
  classes?: readonly string[];
  /** What the square's aspect is called. */
  square?: string;
} = {}): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "tiny-"));
  mkdirSync(join(folder, "images"));
  mkdirSync(join(folder, "masks"));
  const aspects = [
    { name: square, kind: "segmentation" },
    { name: "bar", kind: "boxes" },
    { name: "bright", kind: "presence" },
    { name: "red", kind: "amount" },
  ];
  const manifest = {
    format: "aspectlens-dataset/1",
    name: "tiny",
    task,
    ...(task === "regression" ? {} : { classes }),
    samples: "samples.jsonl",
    aspects,
    ...(task === "regression" ? {} : { causes: Object.fromEntries([[classes[classes.length - 1], [square]]]) }),
  };
  writeFileSync(join(folder, "dataset.json"), JSON.stringify(manifest));
  const splits = [...Array(train).fill("train"), ...Array(validation).fill("validation"), ...Array(test).fill("test")];
  const lines = await Promise.all(
    splits.map((split, index) => writeSample(folder, { split, index, seed, task, classes, square })),
  );
  writeFileSync(join(folder, "samples.jsonl"), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  return folder;
}

async function writeSample(
  folder: string,
  {
    split,
    index,
    seed,
    task,
    classes,
    square,
  }: { split: string; index: number; seed: number; task: string; classes: readonly string[]; square: string },
) {
  const stream = random(seed, "tiny", index);
  const hasSquare = index % 2 === 0;
  const hasBar = stream.next() < 0.5;
  const base = stream.uniform(60, 180);
  const pixels = Uint8Array.from({ length: SIDE * SIDE * 3 }, () => base + stream.uniform(-10, 10));
  const mask = new Uint8Array(SIDE * SIDE);
  const [top, left] = [stream.integer(18), stream.integer(18)];
  const paint = (y: number, x: number, colour: readonly number[]) => pixels.set(colour, (y * SIDE + x) * 3);
  if (hasBar) for (let x = 2; x < 30; x++) for (let y = 28; y < 31; y++) paint(y, x, [20, 200, 40]);
  if (hasSquare) {
    for (let y = top; y < top + 12; y++) {
      for (let x = left; x < left + 12; x++) {
        paint(y, x, [220, 30, 30]);
        mask[y * SIDE + x] = 255;
      }
    }
  }
  const name = `${String(index).padStart(3, "0")}.png`;
  await sharp(pixels, { raw: { width: SIDE, height: SIDE, channels: 3 } }).toFile(join(folder, "images", name));
  if (hasSquare)
    await sharp(mask, { raw: { width: SIDE, height: SIDE, channels: 1 } }).toFile(join(folder, "masks", name));
  return {
    image: `images/${name}`,
    split,
    ...answer(task, { hasSquare, index, classes, value: top }),
    aspects: {
      [square]: { mask: hasSquare ? `masks/${name}` : null },
      bar: { boxes: hasBar ? [[28 / SIDE, 2 / SIDE, 31 / SIDE, 30 / SIDE]] : [] },
      // Every third image is unlabelled for one aspect.
      ...(index % 3 === 0 ? {} : { bright: { present: base > 120 } }),
      red: { amount: hasSquare ? 144 / (SIDE * SIDE) : 0 },
    },
  };
}

function answer(
  task: string,
  {
    hasSquare,
    index,
    classes,
    value,
  }: { hasSquare: boolean; index: number; classes: readonly string[]; value: number },
) {
  if (task === "regression") return { value };
  const others = classes.slice(0, -1);
  const last = classes[classes.length - 1];
  if (task === "multi") return { labels: hasSquare ? [last] : others.slice(index % classes.length).slice(0, 1) };
  return { label: hasSquare ? last : others[((index - 1) / 2) % others.length] };
}
