/** Deletion and insertion curves: how the score changes as a map's most salient places are removed, or added. */

import sharp from "sharp";
import type { Sample } from "../core/annotation.js";
import { sigmoid } from "../core/logistic.js";
import { random } from "../core/random.js";
import { meanSide, type Size, sidesOf } from "../core/size.js";
import type { ExplanationMaps } from "../explain/explanation.js";
import { highest } from "../explain/reading/prediction.js";
import type { Model } from "../model/model.js";
import { answersOf, type ClassifierRun, targetOf } from "./predict-variants.js";

/** Steps in which an image is removed, or added. */
const STEPS = 12;

type SaliencyMap = ExplanationMaps["saliency"];

/** Mean score of the answered class along the two curves of RISE (Petsiuk et al. 2018, arXiv:1806.07421), 0..1. */
export interface Curves {
  /** Cells removed, the most salient first: the lower, the better the map. */
  readonly deletion: number;
  /** Cells added, the most salient first: the higher, the better. */
  readonly insertion: number;
}

/** An image with the maps to follow, and without its detail, `[height, width, 3]`. */
export interface Followed {
  readonly sample: Sample;
  readonly maps: readonly SaliencyMap[];
  readonly blurred: Uint8Array;
}

/**
 * What is removed is blurred, not blackened: a black patch is a thing of its own. Cells of equal saliency come in
 * random order.
 *
 * @returns of each image the curves of each of its maps, in order.
 */
export async function* deletionCurves(
  model: Model,
  { followed, ...run }: ClassifierRun & { followed: AsyncIterable<readonly Followed[]> },
): AsyncGenerator<readonly Curves[]> {
  const { task } = model.classifier.spec;
  const size = model.spec.trunk.inputSize;
  const variants = async function* () {
    for await (const batch of followed) {
      yield batch.map((one) => ({ ...one, images: [one.sample.image, one.blurred, ...stages(one, size)] }));
    }
  };
  for await (const { of, answers } of answersOf(model, { ...run, variants: variants() })) {
    const chosen = highest(answers[0]);
    // The class's probability: of `single` the softmax, since the target is its log-odds.
    const [whole, blurred, ...others] = answers.map((logits) => sigmoid(targetOf(logits, { chosen, task })));
    const inner = STEPS - 1;
    const mean = (start: number) =>
      ((whole + blurred) / 2 + others.slice(start, start + inner).reduce((sum, score) => sum + score, 0)) / STEPS;
    yield of.maps.map((_, index) => ({
      deletion: mean(2 * inner * index),
      insertion: mean(2 * inner * index + inner),
    }));
  }
}

/** Without detail: Gaussian, with a deviation of an eighth of the side. */
export function blurred(pixels: Uint8Array, size: Size): Promise<Uint8Array> {
  const image = sharp(pixels, { raw: { ...sidesOf(size), channels: 3 } });
  return image
    .blur(meanSide(size) / 8)
    .raw()
    .toBuffer();
}

/**
 * For each map the images from the whole to the blurred one, without both, then those from the blurred to the whole.
 */
function stages({ sample, maps, blurred }: Followed, size: Size): Uint8Array[] {
  return maps.flatMap((map) => {
    const cells = order(map);
    const steps = Array.from({ length: STEPS - 1 }, (_, step) =>
      cells.slice(0, Math.round(((step + 1) / STEPS) * cells.length)),
    );
    return [
      ...steps.map((some) => patched(sample.image, blurred, { cells: some, map, size })),
      ...steps.map((some) => patched(blurred, sample.image, { cells: some, map, size })),
    ];
  });
}

/** Indices of the cells, the most salient first. */
function order({ values }: SaliencyMap): readonly number[] {
  const draw = random(7, "cells of equal saliency");
  const tieBreaks = Float64Array.from(values, () => draw.next());
  return [...values.keys()].sort((a, b) => values[b] - values[a] || tieBreaks[a] - tieBreaks[b]);
}

/** One image with some cells of another. */
function patched(
  under: Uint8Array,
  over: Uint8Array,
  { cells, map, size }: { cells: readonly number[]; map: SaliencyMap; size: Size },
): Uint8Array {
  const { height, width, offset } = map;
  const pixels = Uint8Array.from(under);
  // The first and the last cell reach to the image's edge.
  const sides = sidesOf(size);
  const edge = (index: number, count: number, side: number, moved: number) =>
    index === 0 ? 0 : index === count ? side : Math.min(side, Math.max(0, Math.round((index / count + moved) * side)));
  const down = (row: number) => edge(row, height, sides.height, offset);
  const across = (column: number) => edge(column, width, sides.width, (offset * sides.height) / sides.width);
  for (const cell of cells) {
    const [row, column] = [Math.floor(cell / width), cell % width];
    const [left, right] = [across(column), across(column + 1)];
    for (let y = down(row); y < down(row + 1); y++) {
      const [start, end] = [3 * (y * sides.width + left), 3 * (y * sides.width + right)];
      pixels.set(over.subarray(start, end), start);
    }
  }
  return pixels;
}
