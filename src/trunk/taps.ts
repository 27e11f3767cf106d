/** The stride, width and size of each layer's output, read off the table. */

import { type Size, sidesOf, sizeFrom } from "../core/size.js";
import type { Architecture } from "./architecture.js";
import { architectureOf } from "./architecture-of.js";
import { networkTaps } from "./networks/network-taps.js";
import type { Tap } from "./trunk.js";
import type { TrunkSpec } from "./trunk-spec.js";

/** Layers that heads can read, the input first. @throws ConfigError where the trunk cannot be built. */
export function trunkTaps(spec: TrunkSpec): readonly Tap[] {
  return spec.network ? networkTaps(spec.network, spec.inputSize) : tapsOf(architectureOf(spec), spec.inputSize);
}

/** In order of computation, the input first. */
export function tapsOf({ layers }: Architecture, inputSize: Size): readonly Tap[] {
  const taps = new Map<string, Tap>();
  taps.set("input", { name: "input", stride: 1, channels: 3, size: inputSize, isLinear: false });
  for (const { name, op, inputs, stride, channels, activation } of layers) {
    const before = taps.get(inputs[0]);
    if (!before) throw new Error(`layer table: ${name} stands before its input ${inputs[0]}`);
    const cells = (side: number) => (op === "maxPool" ? Math.floor(side / stride) : Math.ceil(side / stride));
    const { height, width } = sidesOf(before.size);
    const size = sizeFrom(cells(height), cells(width));
    // A pooled activation is an activation still.
    const isLinear = op === "maxPool" ? before.isLinear : activation === "none";
    taps.set(name, { name, stride: before.stride * stride, channels, size, isLinear });
  }
  return [...taps.values()];
}
