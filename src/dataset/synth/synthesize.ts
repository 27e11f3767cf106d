/** Generates the synthetic tissue set: images, exact masks and boxes, and the causes of each label. */

import { mkdir, open, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { encode as encodePng } from "fast-png";
import sharp from "sharp";
import { ConfigError, InterruptedError } from "../../core/errors.js";
import { refused, removeAbandoned, temporaryName, writeFileAtomic, writeJson } from "../../core/files.js";
import { random } from "../../core/random.js";
import { checkReplaceable, listFiles, replaceFolder } from "../made-folder.js";
import { DATASET_FORMAT, knownName, MANIFEST_FILE } from "../manifest.js";
import { mapAhead } from "../map-ahead.js";
import { SPLITS, type Split } from "../record.js";
import {
  ASPECTS,
  type Cause,
  drawTissue,
  POSSIBLE_CAUSES,
  THINGS,
  type ThingName,
  type Tissue,
  type TissueOptions,
} from "./tissue.js";

/** How many images `synthesize` draws, and what is in them. */
export interface SynthesizeOptions extends Partial<Omit<TissueOptions, "combination">> {
  /** Number of images, all splits together. */
  readonly count?: number;
  /** Shares that sum to 1; 0 leaves a split out. */
  readonly splits?: Readonly<Record<Split, number>>;
  /** 0..1, the share of all labels (of classes and aspects, in every split) that are left out. */
  readonly unlabelled?: number;
  /**
   * Images with a combination that occurs in no other, spread evenly: a scanner tag beside a vessel and lymphocytes. The
   * group `combination` of each image says which it is.
   */
  readonly outliers?: number;
  /** Called after each image. */
  readonly onProgress?: (done: number, count: number) => void;
  readonly signal?: AbortSignal;
}

/** Where `synthesize` wrote, and how many samples. */
export interface Synthesized {
  readonly directory: string;
  readonly samples: Readonly<Record<Split, number>>;
}

const NAME = "tissue";
/** Name of a list of the generated files, so that no others are ever replaced. */
const DRAWN = ".aspectlens-drawn";
const CLASSES = ["benign", "malignant"];
/** Colours for image viewers; training reads the values. In the order of `THINGS`. */
const PALETTE = [
  [0, 0, 0],
  [142, 104, 184],
  [240, 224, 152],
  [230, 30, 90],
  [60, 90, 230],
  [200, 50, 60],
  [150, 150, 150],
];

/**
 * Draws a dataset of synthetic tissue, whose causes are known.
 *
 * Writes into a temporary folder beside `directory` and renames it when it is complete. An earlier tissue set there is
 * replaced; any other content is left alone.
 *
 * @throws ConfigError where an option is out of range; DatasetError if `directory` holds something else.
 * @throws InterruptedError where `signal` aborts; no files are left.
 */
export async function synthesize(directory: string, options: SynthesizeOptions = {}): Promise<Synthesized> {
  const {
    count = 1000,
    splits = { train: 0.7, validation: 0.15, test: 0.15 },
    unlabelled = 0,
    outliers = 0,
    onProgress,
    signal,
  } = options;
  const tissue = resolveOptions(options);
  inRange("count", count, { least: 1, most: 10_000_000, isWhole: true });
  inRange("unlabelled", unlabelled, { least: 0, most: 1 });
  inRange("outliers", outliers, { least: 0, most: count, isWhole: true });
  if (outliers > 0 && tissue.causes.some((cause) => cause === "vessel" || cause === "lymphocyte"))
    throw new ConfigError("outliers: vessels and lymphocytes cannot be causes then.", { cure: "Name other causes." });
  const combinationAt = (index: number) =>
    outliers === 0 ? undefined : isOneOf(index, { of: outliers, count }) ? "unusual" : "usual";
  const sizes = splitSizes(count, splits);
  const target = resolve(directory);
  await checkReplaceable(target, { label: directory, list: DRAWN });
  await removeAbandoned(dirname(target), { of: target });
  const temporary = temporaryName(target);
  try {
    await writeFileAtomic(join(temporary, "samples.jsonl"), ""); // fails with one clear line if nothing can be written
    for (const folder of ["images", "masks"]) await mkdir(join(temporary, folder));
    const handle = await open(join(temporary, "samples.jsonl"), "w");
    try {
      const digits = Math.max(4, String(count).length);
      const make = async (index: number) => {
        if (signal?.aborted) throw new InterruptedError(`${directory}: interrupted; nothing was written.`);
        const file = `${String(index + 1).padStart(digits, "0")}.png`;
        const combination = combinationAt(index);
        const drawn = drawTissue(index, { ...tissue, combination });
        await writeImages(temporary, file, drawn, tissue.size);
        const record = toRecord(drawn, { file, split: splitAt(index, sizes), unlabelled, seed: tissue.seed, index });
        return combination ? { ...record, groups: { combination } } : record;
      };
      let done = 0;
      for await (const record of mapAhead(range(count), make, { ahead: 16, concurrency: 4 })) {
        await handle.write(`${JSON.stringify(record)}\n`);
        done++;
        onProgress?.(done, count);
      }
    } finally {
      await handle.close();
    }
    await writeJson(join(temporary, MANIFEST_FILE), {
      format: DATASET_FORMAT,
      name: NAME,
      task: "single",
      classes: CLASSES,
      samples: "samples.jsonl",
      aspects: ASPECTS,
      causes: { malignant: tissue.causes },
    });
    await listFiles(temporary, { list: DRAWN });
    await replaceFolder(target, temporary);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw refused(directory, error);
  }
  return { directory, samples: sizes };
}

async function writeImages(folder: string, file: string, { image, mask }: Tissue, size: number): Promise<void> {
  const png = await sharp(image, { raw: { width: size, height: size, channels: 3 } })
    .png({ compressionLevel: 6 })
    .toBuffer();
  await writeFile(join(folder, "images", file), png);
  const indexed = encodePng({ width: size, height: size, data: mask, channels: 1, depth: 8, palette: PALETTE });
  await writeFile(join(folder, "masks", file), indexed);
}

function toRecord(
  { boxes, cellularity, isMalignant, causes }: Tissue,
  {
    file,
    split,
    unlabelled,
    seed,
    index,
  }: { file: string; split: Split; unlabelled: number; seed: number; index: number },
) {
  const isKept = (answer: string) => random(seed, "unlabelled", index, answer).next() >= unlabelled;
  const annotationOf = (name: string) => {
    if (name === "cellularity") return { amount: cellularity };
    const thing = name as ThingName; // all other aspects are things
    const found = boxes[thing];
    const place = found.length > 0 ? { mask: `masks/${file}`, values: [THINGS[thing]] } : { mask: null };
    const kind = ASPECTS.find((aspect) => aspect.name === name)?.kind;
    return { ...(kind === "presence" ? { present: found.length > 0 } : {}), ...place, boxes: found };
  };
  const kept = ASPECTS.filter((aspect) => isKept(aspect.name)).map(({ name }) => [name, annotationOf(name)]);
  return {
    image: `images/${file}`,
    split,
    ...(isKept("class") ? { label: CLASSES[isMalignant ? 1 : 0] } : {}),
    aspects: Object.fromEntries(kept),
    causes,
  };
}

function resolveOptions(options: SynthesizeOptions): TissueOptions {
  const {
    seed = 7,
    size = 128,
    scale = 1,
    noise = 0.03,
    causes = ["mitosis", "necrosis"],
    tagCorrelation = 0.5,
  } = options;
  inRange("seed", seed, { least: 0, most: 2 ** 31, isWhole: true });
  inRange("size", size, { least: 64, most: 1024, isWhole: true });
  inRange("scale", scale, { least: 0.1, most: 1 });
  inRange("noise", noise, { least: 0, most: 1 });
  inRange("tagCorrelation", tagCorrelation, { least: 0, most: 1 });
  if (causes.length === 0)
    throw new ConfigError("causes: none given.", { cure: `Known: ${POSSIBLE_CAUSES.join(", ")}.` });
  const known: Cause[] = causes.map((cause) => knownName(cause, POSSIBLE_CAUSES, "causes"));
  return { seed, size, scale, noise, causes: [...new Set(known)], tagCorrelation };
}

function inRange(
  name: string,
  value: number,
  { least, most, isWhole = false }: { least: number; most: number; isWhole?: boolean },
): void {
  if (value >= least && value <= most && (!isWhole || Number.isInteger(value))) return;
  throw new ConfigError(`${name}: ${value} is out of range.`, {
    cure: `Give a ${isWhole ? "whole number" : "number"} in ${least}..${most}.`,
  });
}

/** Rounded so that the sizes sum to `count`. */
function splitSizes(count: number, shares: Readonly<Record<Split, number>>): Record<Split, number> {
  for (const split of SPLITS) inRange(`splits.${split}`, shares[split], { least: 0, most: 1 });
  const sum = SPLITS.reduce((total, split) => total + shares[split], 0);
  if (Math.abs(sum - 1) > 1e-6)
    throw new ConfigError(`splits: the shares sum to ${sum}.`, { cure: "Let them sum to 1." });
  const validation = Math.round(count * shares.validation);
  const test = Math.min(count - validation, Math.round(count * shares.test));
  const train = count - validation - test;
  if (shares.train === 0 && train > 0) return { train: 0, validation, test: test + train };
  return { train, validation, test };
}

/** Images are independent of each other, so the first can be the training images. */
function splitAt(index: number, sizes: Readonly<Record<Split, number>>): Split {
  if (index < sizes.train) return "train";
  return index < sizes.train + sizes.validation ? "validation" : "test";
}

/** As many as wanted, evenly among all. */
function isOneOf(index: number, { of, count }: { of: number; count: number }): boolean {
  return Math.floor(((index + 1) * of) / count) > Math.floor((index * of) / count);
}

function* range(count: number): Generator<number> {
  for (let index = 0; index < count; index++) yield index;
}
