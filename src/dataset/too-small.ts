/**
 * Finds aspects that are too small at a model's input size: masks that cover no pixel by half, boxes thinner than a
 * pixel.
 */

import type { Box } from "../core/box.js";
import { evenly } from "../core/evenly.js";
import { isTooSmall } from "../core/mask-share.js";
import { ownValue } from "../core/own-value.js";
import { type Size, sidesOf, sizeKey } from "../core/size.js";
import { type Dataset, readRecord, splitSize } from "./dataset.js";
import { toWholeMask } from "./mask.js";
import { locate } from "./paths.js";
import { type Raster, readRaster } from "./raster.js";

/** Number of training images that are checked before a training. */
const LOOKED_AT = 64;

export interface SizeCheck {
  /** @param mask shares 0..1 at the input size. */
  addMask(name: string, mask: Float32Array): void;
  addBoxes(name: string, boxes: readonly Box[]): void;
  /** A sentence for each aspect of which something is too small. */
  warnings(): string[];
}

/** Counts, for each aspect, the images that have it, and those in which all of it is too small. */
export function createSizeCheck({ inputSize }: { inputSize: Size }): SizeCheck {
  const { height, width } = sidesOf(inputSize);
  const counts = new Map<string, { drawn: number; tooSmall: number }>();
  const add = (name: string, isLost: boolean) => {
    const { drawn, tooSmall } = counts.get(name) ?? { drawn: 0, tooSmall: 0 };
    counts.set(name, { drawn: drawn + 1, tooSmall: tooSmall + (isLost ? 1 : 0) });
  };
  return {
    addMask(name, mask) {
      if (mask.some((share) => share > 0)) add(name, isTooSmall(mask));
    },
    addBoxes(name, boxes) {
      const isThin = ([yMin, xMin, yMax, xMax]: Box) => Math.min((yMax - yMin) * height, (xMax - xMin) * width) < 1;
      if (boxes.length > 0) add(name, boxes.every(isThin));
    },
    warnings: () =>
      [...counts]
        .filter(([, { tooSmall }]) => tooSmall > 0)
        .map(
          ([name, { drawn, tooSmall }]) =>
            `aspect "${name}" is too small to be seen at ${sizeKey(inputSize)} px ` +
            `in ${tooSmall} of the ${drawn} images that hold it. ` +
            "Train at a larger trunk.inputSize, or cut the images into tiles.",
        ),
  };
}

/**
 * Checks some training images, spread evenly over the split, before a training.
 *
 * @param aspects aspects that are trained; others are not checked.
 * @throws ImageError, DatasetError where a mask cannot be read.
 */
export async function tooSmallForTraining(
  dataset: Dataset,
  { inputSize, aspects }: { inputSize: Size; aspects: readonly string[] },
): Promise<string[]> {
  const check = createSizeCheck({ inputSize });
  const count = splitSize(dataset, "train");
  for (const index of evenly(count, LOOKED_AT)) {
    const record = await readRecord(dataset, "train", index);
    const read = new Map<string, Promise<Raster>>();
    for (const name of aspects) {
      const { mask, values, ignore, boxes } = ownValue(record.aspects, name) ?? {};
      if (typeof mask === "string") {
        const path = locate(dataset, mask);
        const raster = read.get(path) ?? readRaster(path);
        read.set(path, raster);
        check.addMask(name, toWholeMask(await raster, { size: inputSize, values, ignore, path }));
      } else if (boxes) check.addBoxes(name, boxes);
    }
  }
  const ofSome = `Of ${LOOKED_AT} training images; "aspectlens data check --input-size ${sizeKey(inputSize)}" counts all.`;
  return check.warnings().map((warning) => (count > LOOKED_AT ? `${warning} ${ofSome}` : warning));
}
