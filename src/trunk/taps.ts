/** The stride, width and size of each layer's output, read off the table. */

import type { Architecture } from "./architecture.js";
import type { Tap } from "./trunk.js";

/** In order of computation, the input first. */
export function tapsOf({ layers }: Architecture, inputSize: number): readonly Tap[] {
  const taps = new Map<string, Tap>();
  taps.set("input", { name: "input", stride: 1, channels: 3, size: inputSize, isLinear: false });
  for (const { name, op, inputs, stride, channels, activation } of layers) {
    const before = taps.get(inputs[0]);
    if (!before) throw new Error(`layer table: ${name} stands before its input ${inputs[0]}`);
    const size = op === "maxPool" ? Math.floor(before.size / stride) : Math.ceil(before.size / stride);
    // A pooled activation is an activation still.
    const isLinear = op === "maxPool" ? before.isLinear : activation === "none";
    taps.set(name, { name, stride: before.stride * stride, channels, size, isLinear });
  }
  return [...taps.values()];
}
