/** Laying out a batch of answers as plain arrays, zeros where a sample is unlabelled. */

import { sizeOf } from "../core/nd-array.js";
import type { Answer } from "./head.js";

/** Views into the batch's arrays, one a name, in which one sample's answer is written. */
export type AnswerRows = Readonly<Record<string, Float32Array>>;

/**
 * @param write fills one sample's rows, zeros before, and returns whether it is labelled; where it returns false it
 *   must have written nothing.
 * @returns each array `[batch, ...shapes[name]]`, `labelled` (`[batch]`, 1 or 0) among them.
 */
export function encodeAnswers(
  answers: readonly Answer[],
  shapes: Readonly<Record<string, readonly number[]>>,
  write: (answer: NonNullable<Answer>, rows: AnswerRows) => boolean,
): Record<string, Float32Array> {
  const sizes = Object.entries(shapes).map(([name, shape]) => [name, sizeOf(shape)] as const);
  const arrays = Object.fromEntries(sizes.map(([name, size]) => [name, new Float32Array(size * answers.length)]));
  answers.forEach((answer, i) => {
    if (!answer) return;
    const rows = Object.fromEntries(
      sizes.map(([name, size]) => [name, arrays[name].subarray(i * size, (i + 1) * size)]),
    );
    if (write(answer, rows)) rows.labelled[0] = 1;
  });
  return arrays;
}
