/** What the amount head's numbers mean: targets and errors on plain arrays. */

import type { Annotation } from "../core/annotation.js";
import { sigmoid } from "../core/logistic.js";
import { type NdArray, sizeOf } from "../core/nd-array.js";
import { pixelCount, type Size, shapeOf } from "../core/size.js";
import { encodeLabels } from "./encode-labels.js";
import type { Label } from "./head.js";
import type { AmountSpec } from "./head-spec.js";
import { isAnyKnown, writeKnown } from "./known-pixels.js";
import { pixelsOf } from "./segmentation-reading.js";

/** Metrics of an amount head. */
export interface AmountMetrics {
  readonly kind: "amount";
  readonly form: "number" | "map";
  /** Mean absolute error, 0..1; of a map, over its known pixels. */
  readonly mae: number | null;
  readonly count: number;
}

export function amountShapes(
  { form }: AmountSpec,
  { inputSize }: { inputSize: Size },
): Record<string, readonly number[]> {
  const pixels = [...shapeOf(inputSize), 1];
  return form === "map" ? { amount: pixels, known: pixels, labelled: [] } : { amount: [1], labelled: [] };
}

/**
 * The amounts 0..1 of one annotation: one number (given, else the mean of the map's known pixels) or `pixels` of them.
 *
 * A map head learns from maps, and from `amount: 0`, which says 0 everywhere; any other number alone says nothing of
 * where, so it counts as unlabelled there, as does a map that is void everywhere.
 */
export function amountsOf(
  label: Annotation | undefined,
  { form, pixels }: { form: "number" | "map"; pixels: number },
): Float32Array | undefined {
  const { amount, map, ignored } = label ?? {};
  const isMapKnown = label !== undefined && isAnyKnown(label);
  if (form === "map") {
    if (map && isMapKnown) return Float32Array.from(map, (value) => value / 255);
    return amount === 0 ? new Float32Array(pixels) : undefined;
  }
  if (amount !== undefined) return Float32Array.of(amount);
  if (!map || !isMapKnown) return undefined;
  let sum = 0;
  let known = 0;
  map.forEach((value, pixel) => {
    if (ignored?.[pixel]) return;
    sum += value;
    known++;
  });
  return Float32Array.of(sum / (255 * known));
}

/**
 * `amount` `[batch, 1]`, or `amount` and `known` (0 where void) `[batch, S, S, 1]`, and `labelled`.
 *
 * @throws ShapeError where a map is not of the model's input size.
 */
export function encodeAmounts(
  labels: readonly Label[],
  spec: AmountSpec,
  { inputSize }: { inputSize: Size },
): Record<string, Float32Array> {
  return encodeLabels(labels, amountShapes(spec, { inputSize }), (label, rows) => {
    const annotation = label as Annotation; // aspect heads are given annotations
    if (annotation.map) pixelsOf(annotation.map, { name: spec.name, inputSize });
    const amounts = amountsOf(annotation, { form: spec.form, pixels: pixelCount(inputSize) });
    if (!amounts) return false;
    rows.amount.set(amounts);
    if (rows.known) writeKnown(rows.known, annotation);
    return true;
  });
}

/** Streaming metrics over the labelled images. */
export function amountMetrics({ form }: AmountSpec): {
  add(logits: NdArray, labels: readonly Label[]): void;
  result(): AmountMetrics;
} {
  let error = 0;
  let count = 0;
  return {
    add(logits, labels) {
      const pixels = sizeOf(logits.shape.slice(1));
      labels.forEach((label, i) => {
        const amounts = amountsOf(label as Annotation | undefined, { form, pixels });
        if (!amounts) return;
        count++;
        const ignored = form === "map" ? (label as Annotation).ignored : undefined;
        let sum = 0;
        let known = 0;
        for (let p = 0; p < pixels; p++) {
          if (ignored?.[p]) continue;
          sum += Math.abs(sigmoid(logits.data[i * pixels + p]) - amounts[p]);
          known++;
        }
        error += sum / known;
      });
    },
    result: () => ({ kind: "amount", form, mae: count > 0 ? error / count : null, count }),
  };
}
