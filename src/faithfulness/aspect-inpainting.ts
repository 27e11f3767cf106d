/**
 * How the answer changes when an aspect is painted over: whether the classifier needs it, whatever an explanation says.
 */

import type { Sample } from "../core/annotation.js";
import { type Size, sidesOf } from "../core/size.js";
import { highest } from "../explain/reading/prediction.js";
import type { Model } from "../model/model.js";
import { inpaint } from "./inpaint.js";
import { answersOf, type ClassifierRun, targetOf, type Variants } from "./predict-variants.js";

/** Painted over beside an aspect's region, pixels: its edge shows what was there. */
const MARGIN = 3;
/** A share of the image; where a region is larger, too little is left to fill it from. */
const LARGEST_HOLE = 0.6;

/** What became of the answer when an aspect was painted over. */
export interface InpaintingEffect {
  /** By how much the target fell. */
  readonly lost: number;
  /** Whether another class was answered; never for a regression. */
  readonly isFlipped: boolean;
}

/**
 * Paints each aspect that is labelled with a place over, one at a time.
 *
 * @returns of each image, in order, what painting over each aspect did, without those that have no place or are too
 *   large.
 */
export async function* inpaintingEffects(
  model: Model,
  { samples, ...run }: ClassifierRun & { samples: AsyncIterable<readonly Sample[]> },
): AsyncGenerator<{ sample: Sample; effects: Readonly<Record<string, InpaintingEffect>> }> {
  const { task } = model.classifier.spec;
  const size = model.spec.trunk.inputSize;
  const variants = async function* () {
    for await (const batch of samples) yield batch.map((sample) => withoutAspects(sample, size));
  };
  for await (const { of, answers } of answersOf(model, { ...run, variants: variants() })) {
    const [whole, ...without] = answers;
    const chosen = highest(whole);
    const effects = without.map((logits, index) => {
      const lost = targetOf(whole, { chosen, task }) - targetOf(logits, { chosen, task });
      return [of.names[index], { lost, isFlipped: highest(logits) !== chosen }];
    });
    yield { sample: of.sample, effects: Object.fromEntries(effects) };
  }
}

/** The image, and one copy for each aspect that has a place. */
function withoutAspects(sample: Sample, size: Size): Variants & { readonly names: readonly string[] } {
  const names: string[] = [];
  const { height, width } = sidesOf(size);
  const images = [sample.image];
  for (const [name, { mask, boxes }] of Object.entries(sample.aspects)) {
    const hole = new Uint8Array(height * width);
    const open = (row: number, column: number) => {
      for (let y = Math.max(0, row - MARGIN); y <= Math.min(height - 1, row + MARGIN); y++)
        hole.fill(1, y * width + Math.max(0, column - MARGIN), y * width + Math.min(width - 1, column + MARGIN) + 1);
    };
    // Pixels that it covers in part too: what is left of it would show.
    mask?.forEach((share, at) => {
      if (share > 0) open(Math.floor(at / width), at % width);
    });
    for (const [yMin, xMin, yMax, xMax] of mask ? [] : (boxes ?? [])) {
      for (let row = Math.floor(yMin * height); row < Math.ceil(yMax * height); row++)
        for (let column = Math.floor(xMin * width); column < Math.ceil(xMax * width); column++) open(row, column);
    }
    const share = hole.reduce((sum, value) => sum + value, 0) / hole.length;
    if (share === 0 || share > LARGEST_HOLE) continue;
    names.push(name);
    images.push(inpaint(sample.image, { size, hole }));
  }
  return { sample, images, names };
}
