/** Engine inputs from samples: every head's encoded labels, and single numbers. */

import type { Sample } from "../core/annotation.js";
import type { NdArray, NdArrays } from "../core/nd-array.js";
import { ownValue } from "../core/own-value.js";
import type { Head, Label } from "../heads/head.js";

/**
 * Model inputs of `batchSize` rows; in the last batch of an evaluation fewer samples, followed by rows of zeros.
 */
export interface Batch {
  readonly inputs: NdArrays;
  readonly samples: readonly Sample[];
}

/** What a sample says to a head; `undefined` is unlabelled. */
export function labelOf(sample: Sample, head: Head): Label {
  return head.spec.kind === "classifier" ? sample.target : ownValue(sample.aspects, head.spec.name);
}

/** `label/<head>/<what>` for every head, `[batch, ...]`. */
export function labelInputs(samples: readonly Sample[], heads: readonly Head[]): NdArrays {
  const inputs: Record<string, NdArray> = {};
  for (const head of heads) {
    const encoded = head.encode(samples.map((sample) => labelOf(sample, head)));
    for (const [what, shape] of Object.entries(head.labelShapes)) {
      inputs[`label/${head.spec.name}/${what}`] = { shape: [samples.length, ...shape], data: encoded[what] };
    }
  }
  return inputs;
}

/** A number as an engine input. */
export function scalarInput(value: number): NdArray {
  return { shape: [], data: Float32Array.of(value) };
}
