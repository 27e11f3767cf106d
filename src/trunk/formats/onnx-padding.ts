/** How an ONNX convolution pads: by attributes of its own, by name, or by a node before it. */

import type { Layer } from "../architecture.js";
import { constantInput, type OnnxGraph, type OnnxNode } from "./onnx-graph.js";

/** Rows and columns of zeros. */
export interface Pads {
  readonly top: number;
  readonly left: number;
  readonly bottom: number;
  readonly right: number;
}

/** `centred` with stride 1, where there is only one way; else as `Architecture.padding` says. */
export type Padding = "centred" | "same" | "symmetric";

export const NO_PADS: Pads = { top: 0, left: 0, bottom: 0, right: 0 };

/** What a `Pad` node adds, or `undefined` where it does not add zeros around the image. */
export function padsOfNode(graph: OnnxGraph, node: OnnxNode): Pads | undefined {
  const { mode, pads, value } = node.attributes;
  const amounts = pads?.integers ?? constantInput(graph, node, 1);
  const filling = value?.float ?? (node.inputs[2] ? constantInput(graph, node, 2)?.[0] : 0);
  const axes = node.inputs[3] ? constantInput(graph, node, 3) : [0, 1, 2, 3];
  if ((mode?.text ?? "constant") !== "constant" || filling !== 0 || amounts?.length !== 2 * (axes?.length ?? 0))
    return undefined;
  const before = new Map(axes?.map((axis, index) => [axis, amounts[index]]));
  const after = new Map(axes?.map((axis, index) => [axis, amounts[index + (axes?.length ?? 0)]]));
  const at = (sides: ReadonlyMap<number, number>, axis: number) => sides.get(axis) ?? sides.get(axis - 4) ?? 0;
  if ([0, 1].some((axis) => at(before, axis) !== 0 || at(after, axis) !== 0)) return undefined;
  return { top: at(before, 2), left: at(before, 3), bottom: at(after, 2), right: at(after, 3) };
}

/** The padding of a convolution, that of a `Pad` before it included; `undefined` where it is neither way of ours. */
export function paddingOf(node: OnnxNode, { kernel, stride }: Layer, before: Pads): Padding | undefined {
  const { auto_pad: automatic, pads } = node.attributes;
  const name = automatic?.text ?? "NOTSET";
  const isPadded = Object.values(before).some((amount) => amount !== 0);
  if (name.startsWith("SAME")) {
    if (isPadded || (stride > 1 && name === "SAME_LOWER")) return undefined;
    return stride > 1 ? "same" : "centred";
  }
  const [top, left, bottom, right] = name === "NOTSET" ? (pads?.integers ?? [0, 0, 0, 0]) : [0, 0, 0, 0];
  const first = [top + before.top, left + before.left];
  const last = [bottom + before.bottom, right + before.right];
  const all = (amounts: readonly number[], amount: number) => amounts.every((each) => each === amount);
  const half = (kernel - 1) / 2;
  if (all([...first, ...last], half)) return stride > 1 ? "symmetric" : "centred";
  // TensorFlow's "same" of a 3x3 window with stride 2 on an even size.
  return stride === 2 && all(first, half - 1) && all(last, half) ? "same" : undefined;
}
