/** Laying out a batch of labels as plain arrays, zeros where a sample is unlabelled. */

import { sizeOf } from "../core/nd-array.js";
import type { Label } from "./head.js";

/** Views into the batch's arrays, one a name, in which one sample's label is written. */
export type LabelRows = Readonly<Record<string, Float32Array>>;

/**
 * @param write fills one sample's rows, zeros before, and returns whether it is labelled; where it returns false it
 *   must have written nothing.
 * @returns each array `[batch, ...shapes[name]]`, `labelled` (`[batch]`, 1 or 0) among them.
 */
export function encodeLabels(
  labels: readonly Label[],
  shapes: Readonly<Record<string, readonly number[]>>,
  write: (label: NonNullable<Label>, rows: LabelRows) => boolean,
): Record<string, Float32Array> {
  const sizes = Object.entries(shapes).map(([name, shape]) => [name, sizeOf(shape)] as const);
  const arrays = Object.fromEntries(sizes.map(([name, size]) => [name, new Float32Array(size * labels.length)]));
  labels.forEach((label, i) => {
    if (!label) return;
    const rows = Object.fromEntries(
      sizes.map(([name, size]) => [name, arrays[name].subarray(i * size, (i + 1) * size)]),
    );
    if (write(label, rows)) rows.labelled[0] = 1;
  });
  return arrays;
}
