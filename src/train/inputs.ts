/** Engine inputs from samples: images as floats, padded to the batch, and every head's encoded answers. */

import type { Sample } from "../core/annotation.js";
import type { NdArray, NdArrays } from "../core/nd-array.js";
import { ownValue } from "../core/own-value.js";
import type { Answer, Head } from "../heads/head.js";

/** Model inputs of `batchSize` rows; in the last batch of an evaluation fewer samples, and rows of zeros behind them. */
export interface Batch {
  readonly inputs: NdArrays;
  readonly samples: readonly Sample[];
}

/**
 * Images of a batch, `[batchSize, side, side, 3]` RGB 0..255; rows past the samples are zeros.
 */
export function imageInput(
  samples: readonly Sample[],
  { side, batchSize }: { side: number; batchSize: number },
): NdArray {
  const data = new Float32Array(batchSize * side * side * 3);
  for (const [row, sample] of samples.entries()) data.set(sample.image, row * side * side * 3);
  return { shape: [batchSize, side, side, 3], data };
}

/** What a sample says to a head; `undefined` is unlabelled. */
export function answerOf(sample: Sample, head: Head): Answer {
  return head.spec.kind === "classifier" ? sample.target : ownValue(sample.aspects, head.spec.name);
}

/** `answer/<head>/<what>` for every head, `[batch, ...]`. */
export function answerInputs(samples: readonly Sample[], heads: readonly Head[]): NdArrays {
  const inputs: Record<string, NdArray> = {};
  for (const head of heads) {
    const encoded = head.encode(samples.map((sample) => answerOf(sample, head)));
    for (const [what, shape] of Object.entries(head.answerShapes)) {
      inputs[`answer/${head.spec.name}/${what}`] = { shape: [samples.length, ...shape], data: encoded[what] };
    }
  }
  return inputs;
}

/** A number as an engine input. */
export function scalarInput(value: number): NdArray {
  return { shape: [], data: Float32Array.of(value) };
}
