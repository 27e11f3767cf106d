/** Walks an ONNX graph along the table of a trunk: which node is which layer, or which node is none. */

import { architectureOf } from "../architecture-of.js";
import { hasKernel } from "../layer-parameters.js";
import type { TrunkSpec } from "../trunk-spec.js";
import type { OnnxGraph } from "./onnx-graph.js";
import { type Features, type MatchedLayer, Mismatch, walker } from "./onnx-walk.js";

export interface Match {
  readonly name: TrunkSpec["name"];
  readonly layers: readonly MatchedLayer[];
  /** The last layer of the trunk that the graph has, pooling and addition included, and its tensor. */
  readonly lastLayer: string;
  readonly lastTensor: string;
  /** Why the graph is not this trunk, naming the node. */
  readonly failure?: string;
}

/** Layers of an inverted residual block. */
const BLOCK = /^(\w+)_(expand|depthwise|project)$/;

/**
 * @param start the tensor that the first layer reads, `[batch, 3, h, w]`.
 * @returns how far the graph follows the table. A trunk that ends before its table does is one still, if no convolution
 * comes after.
 */
export function matchTrunk(graph: OnnxGraph, start: string, name: TrunkSpec["name"]): Match {
  const walk = walker(graph, name);
  const layers: MatchedLayer[] = [];
  /** What each inverted residual block reads, and whether its residual can be added. */
  const entrances = new Map<string, Features>();
  const strides = new Map<string, number>();
  let x: Features = { layer: "input", tensor: start, channels: 3 };
  // Which blocks have a residual depends on widths, so it is read off the kernels and not off the table.
  const table = architectureOf({ name, alpha: 1, inputSize: 32 }).layers.filter(({ op }) => op !== "add");
  try {
    for (const layer of table) {
      if (walk.endsAt(x.tensor, layers)) break;
      const [, block, role] = BLOCK.exec(layer.name) ?? [];
      if (block && !entrances.has(block)) entrances.set(block, x);
      if (role === "depthwise") strides.set(block, layer.stride);
      if (hasKernel(layer)) {
        const { matched, output } = walk.convolution(layer, x);
        layers.push(matched);
        x = { layer: layer.name, tensor: output, channels: matched.kernel.shape[0] };
      } else x = { ...x, layer: layer.name, tensor: walk.maxPool(layer, x) };
      const entrance = entrances.get(block);
      if (role === "project" && entrance?.channels === x.channels && strides.get(block) === 1)
        x = { ...x, layer: `${block}_add`, tensor: walk.addition(`${block}_add`, [entrance, x]) };
    }
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error;
    return { name, layers, lastLayer: x.layer, lastTensor: x.tensor, failure: error.message };
  }
  return { name, layers, lastLayer: x.layer, lastTensor: x.tensor };
}
