/** Layers of an imported network that heads can read, without a type of TensorFlow.js. */

import { type Size, sidesOf, sizeFrom } from "../../core/size.js";
import type { Tap } from "../trunk.js";
import type { NetworkTable } from "./network-table.js";
import { isLikeImage, type Operation } from "./operation.js";
import { placesOf } from "./places.js";

/** Layers up to `output` that heads can read, the image first. */
export function networkTaps({ operations, output }: NetworkTable, inputSize: Size): readonly Tap[] {
  const places = placesOf(operations);
  const taps: Tap[] = [{ name: "input", stride: 1, channels: 3, size: inputSize, isLinear: false }];
  const linear = new Map<string, boolean>();
  for (const row of operations) {
    linear.set(row.name, isLinear(row, linear));
    const { name, shape } = row;
    if (isLikeImage(shape, sidesOf(inputSize))) {
      const stride = Math.max(1, Math.round(places.get(name)?.step ?? 1));
      taps.push({
        name,
        stride,
        channels: shape[2],
        size: sizeFrom(shape[0], shape[1]),
        isLinear: linear.get(name) ?? true,
      });
    }
    if (name === output) break;
  }
  return taps;
}

/** Whether values of either sign are sums that no activation follows. */
function isLinear(row: Operation, before: ReadonlyMap<string, boolean>): boolean {
  if (row.op === "function") return false;
  if ("activation" in row && row.activation !== "none") return false;
  const keeps = ["maxPool", "averagePool", "concat", "slice", "pad", "resize", "reshape", "transpose"];
  // A gate of 0..1 leaves an activation what it is.
  const isGate = row.op === "mul" && row.inputs.length === 2;
  if (isGate) return row.inputs.every((input) => before.get(input) ?? true);
  return keeps.includes(row.op) ? row.inputs.some((input) => before.get(input) ?? true) : true;
}
