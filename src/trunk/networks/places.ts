/** Where the cells of a row lie on the image. */

import { isSpatial, type Operation } from "./operation.js";

/** Pixels of the image; both axes alike, by the first. */
export interface Place {
  /** Centre of the receptive field of the first cell. */
  readonly centre: number;
  /** From cell to cell. */
  readonly step: number;
}

/**
 * By row, by the recurrence of Araujo et al. 2019 (Distill, "Computing Receptive Fields of CNNs"). A row of several inputs
 * lies where its first does.
 *
 * @param operations in order of computation.
 */
export function placesOf(operations: readonly Operation[]): ReadonlyMap<string, Place> {
  const places = new Map<string, Place>([["input", { centre: 0.5, step: 1 }]]);
  const heights = new Map<string, number>();
  for (const row of operations) {
    const [input] = row.inputs;
    const before = places.get(input) ?? { centre: 0.5, step: 1 };
    const height = heights.get(input);
    places.set(row.name, placeAfter(row, before, height));
    const isMoved = row.op === "transpose" || (row.op === "reshape" && !isSpatial(row.shape));
    // Pixels that are taken apart may be put together as more or fewer.
    if (isMoved && height !== undefined) heights.set(row.name, height);
    else if (isSpatial(row.shape)) heights.set(row.name, row.shape[0]);
  }
  return places;
}

function placeAfter(row: Operation, { centre, step }: Place, height?: number): Place {
  switch (row.op) {
    case "convolution": {
      const window = (row.kernel[0] - 1) * row.dilations[0];
      return { centre: centre + (window / 2 - row.pads.top) * step, step: step * row.strides[0] };
    }
    case "maxPool":
    case "averagePool":
      return { centre: centre + ((row.kernel[0] - 1) / 2 - row.pads.top) * step, step: step * row.strides[0] };
    case "transposedConvolution": {
      const fine = step / row.strides[0];
      const window = (row.kernel[0] - 1) * (row.dilations?.[0] ?? 1);
      return { centre: centre - (window / 2 - row.pads.top) * fine, step: fine };
    }
    case "reshape":
    case "resize": {
      const whole = height && isSpatial(row.shape) ? row.shape[0] / height : 1;
      const fine = step / ((row.op === "resize" && row.factors?.[0]) || whole);
      return { centre: centre - (step - fine) / 2, step: fine };
    }
    case "pad":
      return { centre: centre - row.paddings[0][0] * step, step };
    default:
      return { centre, step };
  }
}
