/** What the segmentation head's numbers mean: masks and their overlap with the experts', on plain arrays. */

import type { Annotation } from "../core/annotation.js";
import { ShapeError } from "../core/errors.js";
import { logit } from "../core/logistic.js";
import { isTooSmall, POSITIVE_SHARE } from "../core/mask-share.js";
import { type NdArray, sizeOf } from "../core/nd-array.js";
import { pixelCount, type Size, shapeOf, sizeText } from "../core/size.js";
import { diceOf, iouOf } from "../metrics/overlap.js";
import { encodeLabels } from "./encode-labels.js";
import type { Label } from "./head.js";
import type { SegmentationSpec } from "./head-spec.js";
import { isAnyKnown, writeKnown } from "./known-pixels.js";

/** Metrics of a segmentation head. */
export interface SegmentationMetrics {
  readonly kind: "segmentation";
  /**
   * Intersection over union of all labelled images' known pixels together; `null` where nothing is, and nothing was found.
   */
  readonly iou: number | null;
  /** 2 intersection / (predicted + labelled), likewise. */
  readonly dice: number | null;
  readonly count: number;
  /**
   * Labelled images that hold the aspect, but too little of it to cover half of any pixel; absent where there is none.
   */
  readonly tooSmallCount?: number;
}

export function maskShapes(inputSize: Size): Record<string, readonly number[]> {
  const pixels = [...shapeOf(inputSize), 1];
  return { mask: pixels, known: pixels, labelled: [] };
}

/**
 * `mask` `[batch, S, S, 1]` of shares 0..1, `known` of 0 and 1 (void), and `labelled`; `mask: null` is labelled as
 * empty, and a mask that is void everywhere is unlabelled.
 *
 * @throws ShapeError where a mask is not of the model's input size.
 */
export function encodeMasks(
  labels: readonly Label[],
  { name, inputSize }: { name: string; inputSize: Size },
): Record<string, Float32Array> {
  return encodeLabels(labels, maskShapes(inputSize), (label, rows) => {
    const annotation = label as Annotation; // aspect heads are given annotations
    const { mask } = annotation;
    if (mask === undefined || !isAnyKnown(annotation)) return false;
    if (mask) rows.mask.set(pixelsOf(mask, { name, inputSize }));
    writeKnown(rows.known, annotation);
    return true;
  });
}

/** @throws ShapeError where the pixels are not those of `inputSize`. */
export function pixelsOf<Pixels extends Uint8Array | Float32Array>(
  pixels: Pixels,
  { name, inputSize }: { name: string; inputSize: Size },
): Pixels {
  if (pixels.length === pixelCount(inputSize)) return pixels;
  throw new ShapeError(
    `head "${name}": expected a mask of ${sizeText(inputSize)} pixels, got ${pixels.length} pixels. ` +
      "Resize it with the image.",
  );
}

/** Pixels whose sigmoid reaches the threshold, 0 and 1, row-major. @param logits one image's. */
export function decodeMask(logits: ArrayLike<number>, { threshold }: { threshold: number }): Uint8Array {
  const least = Math.fround(logit(threshold));
  const mask = new Uint8Array(logits.length); // a loop: `from` with a function takes seven times as long
  for (let pixel = 0; pixel < mask.length; pixel++) if (logits[pixel] >= least) mask[pixel] = 1;
  return mask;
}

/** Streaming metrics over the labelled images. */
export function segmentationMetrics({ threshold }: SegmentationSpec): {
  add(logits: NdArray, labels: readonly Label[]): void;
  result(): SegmentationMetrics;
} {
  let shared = 0;
  let predicted = 0;
  let labelled = 0;
  let count = 0;
  let tooSmallCount = 0;
  return {
    add(logits, labels) {
      const size = sizeOf(logits.shape.slice(1));
      labels.forEach((label, i) => {
        const annotation = (label ?? {}) as Annotation;
        const { mask, ignored } = annotation;
        if (mask === undefined || !isAnyKnown(annotation)) return;
        count++;
        const found = decodeMask(logits.data.subarray(i * size, (i + 1) * size), { threshold });
        if (mask && isTooSmall(mask)) tooSmallCount++;
        for (let pixel = 0; pixel < size; pixel++) {
          if (ignored?.[pixel]) continue;
          const isLabelled = mask && mask[pixel] >= POSITIVE_SHARE ? 1 : 0;
          shared += found[pixel] & isLabelled;
          predicted += found[pixel];
          labelled += isLabelled;
        }
      });
    },
    result() {
      const counts = { shared, found: predicted, marked: labelled };
      return {
        kind: "segmentation",
        iou: iouOf(counts),
        dice: diceOf(counts),
        count,
        ...(tooSmallCount > 0 ? { tooSmallCount } : {}),
      };
    },
  };
}
