/** Finds the weights of a MobileNet in a tfjs graph-model (as TF-Hub's) by the names of its nodes. */

import { WeightsError } from "../../core/errors.js";
import type { NdArray, NdArrays } from "../../core/nd-array.js";
import { ownValue } from "../../core/own-value.js";
import { clip } from "../../core/terminal.js";
import { BATCH_NORM_EPSILON } from "../layer-parameters.js";
import { TRUNKS } from "../trunks.js";

interface Attribute {
  readonly f?: number;
  /** Text, in base64 as JSON of protobuf has bytes. */
  readonly s?: string;
}

interface GraphNode {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly string[];
  readonly attr?: Readonly<Record<string, Attribute>>;
}

const CONVOLUTIONS = ["Conv2D", "DepthwiseConv2dNative", "_FusedConv2D", "FusedDepthwiseConv2dNative"];
const ADDITIONS = ["BiasAdd", "Add", "AddV2"];

/** TF-slim's scopes of all trunks. The classifier's own convolution is none. */
const SCOPES = TRUNKS.flatMap(({ weights }) => weights.slimScopes ?? []);

/**
 * Weights under Keras' names. Batch norm that the converter folded arrives as a bias.
 *
 * TF-Hub's modules take pixels in [0, 1] and scale them to [-1, 1] inside the graph: the trunk's own scaling, so these
 * nodes are left out.
 *
 * @param topology `modelTopology` of the file.
 * @param weights by the names of the file's constants.
 * @param path named in errors.
 * @throws WeightsError where the graph is not one of a MobileNet, naming the node.
 */
export function graphWeights(topology: unknown, weights: NdArrays, path: string): Record<string, NdArray> {
  const nodes = (topology as { node?: readonly GraphNode[] } | undefined)?.node;
  if (!Array.isArray(nodes) || !nodes.every(isNode))
    throw new WeightsError(`${path}: a graph-model without nodes.`, { cure: "Fetch the file again." });
  const graph = nodes as readonly GraphNode[];
  const byName = new Map(graph.map((node) => [node.name, node]));
  /** The numbers that an input stands for, seen through nodes that pass on what they get. */
  const constant = (name: string | undefined): NdArray | undefined => {
    const plain = plainName(name);
    return ownValue(weights, plain) ?? ownValue(weights, originOf(plain, byName));
  };
  const readers = new Map(graph.toReversed().map((node) => [node.input?.[0], node] as const)); // the first of several
  const found: Record<string, NdArray> = {};
  for (const node of graph) {
    if (!CONVOLUTIONS.includes(node.op)) continue;
    const layer = layerOf(node.name);
    if (!layer) continue;
    const { input = [] } = node;
    const kernel = constant(input[1]);
    if (!kernel)
      throw new WeightsError(`${path}: ${node.name}: its kernel is no constant.`, { cure: "Freeze the graph first." });
    if (textOf(node.attr?.padding) === "EXPLICIT" || textOf(node.attr?.padding) === "VALID")
      throw new WeightsError(`${path}: ${node.name}: pads ${textOf(node.attr?.padding)}; the trunk pads "SAME".`);
    found[`${layer}/kernel`] = kernel;
    const fused = node.op.includes("Fused") ? constant(input[2]) : undefined;
    Object.assign(
      found,
      fused ? { [`${layer}/bias`]: fused } : afterwards(readers.get(node.name), { node, layer, constant, path }),
    );
  }
  if (Object.keys(found).length === 0)
    throw new WeightsError(
      `${path}: a graph-model, but no node is named as a MobileNet's (Conv2d_1_depthwise, expanded_conv_1/expand).`,
      { cure: "Give a MobileNet, or convert yours to a layers-model." },
    );
  return found;
}

/** Bias or batch norm of a convolution that is not fused with it. */
function afterwards(
  reader: GraphNode | undefined,
  {
    node,
    layer,
    constant,
    path,
  }: { node: GraphNode; layer: string; constant: (name: string | undefined) => NdArray | undefined; path: string },
): Record<string, NdArray> {
  const { input = [], op = "nothing", attr } = reader ?? {};
  const arrays = input.slice(1).map(constant);
  if (ADDITIONS.includes(op) && arrays[0]) return { [`${layer}/bias`]: arrays[0] };
  const [gamma, beta, mean, variance] = arrays;
  if (op.startsWith("FusedBatchNorm") && gamma && beta && mean && variance) {
    const shift = (attr?.epsilon?.f ?? 1e-4) - BATCH_NORM_EPSILON; // another epsilon is a change of the variance
    const data = Float32Array.from(variance.data, (value) => value + shift);
    return {
      [`${layer}/gamma`]: gamma,
      [`${layer}/beta`]: beta,
      [`${layer}/moving_mean`]: mean,
      [`${layer}/moving_variance`]: { shape: variance.shape, data },
    };
  }
  throw new WeightsError(`${path}: ${node.name} is followed by ${op}, not by a bias or batch norm.`, {
    cure: "The graph is not one of a MobileNet.",
  });
}

function isNode(value: unknown): value is GraphNode {
  const { name, op, input = [], attr = {} } = (value ?? {}) as Record<string, unknown>;
  if (typeof name !== "string" || typeof op !== "string" || typeof attr !== "object" || attr === null) return false;
  const isAttribute = (attribute: unknown) => {
    const { f = 0, s = "" } = (attribute ?? {}) as Record<string, unknown>;
    return typeof f === "number" && typeof s === "string";
  };
  const isName = (one: unknown) => typeof one === "string";
  return Array.isArray(input) && input.every(isName) && Object.values(attr).every(isAttribute);
}

/** Without the marks of control and of the output's number. */
function plainName(name = ""): string {
  return name.replace(/^\^/, "").replace(/:\d+$/, "");
}

function layerOf(node: string): string | undefined {
  if (node.includes("Logits")) return undefined;
  for (const [pattern, name] of SCOPES) {
    const match = pattern.exec(node);
    if (match) return name(...match.slice(1));
  }
  return undefined;
}

function textOf(attribute: Attribute | undefined): string | undefined {
  return attribute?.s === undefined ? undefined : Buffer.from(attribute.s, "base64").toString("utf8");
}

/** Names of the node that takes the image and of the one that gives a layer's output, where the graph has them. */
export function graphEnds(topology: unknown, layer: string): { input?: string; output?: string } {
  const { node = [] } = topology as { node?: readonly GraphNode[] };
  const own = node.filter(({ name }) => layerOf(name) === layer);
  const last = own.find(({ op }) => /^Relu6?$/.test(op)) ?? own.find(({ op }) => op === "_FusedConv2D");
  return { input: node.find(({ op }) => op === "Placeholder")?.name, output: last?.name };
}

/** The node before those that pass on what they get. In a cycle, some node of it. */
function originOf(name: string, byName: ReadonlyMap<string, GraphNode>): string {
  const seen = new Set<string>();
  let origin = name;
  while (byName.get(origin)?.op === "Identity" && !seen.has(origin)) {
    seen.add(origin);
    origin = plainName(byName.get(origin)?.input?.[0]);
  }
  return origin;
}

/** What a graph of a MobileNet is made of, whose results are no larger than a feature. */
const PLAIN = ["Placeholder", "Const", "Identity", "Mul", "Sub", "Add", "AddV2", "BiasAdd", "Relu", "Relu6"];
const MOST_NODES = 2000;

/**
 * What in the way to an output no MobileNet has: a clause that names the node. Graphs of others may compute without
 * end, or features without measure.
 *
 * @param shapes of the constants, by name.
 */
export function graphObstacle(
  topology: unknown,
  { output, shapes }: { output: string; shapes: ReadonlyMap<string, readonly number[]> },
): string | undefined {
  const { node: graph = [] } = topology as { node?: readonly GraphNode[] };
  const byName = new Map(graph.map((node) => [node.name, node]));
  const reached = new Set([output]);
  const convolved = new Set<string>();
  for (const name of reached) {
    if (reached.size > MOST_NODES) return `more than ${MOST_NODES} nodes lead to ${clip(output)}`;
    const node = byName.get(name);
    if (!node) return `its node ${clip(name)} is absent`;
    const layer = CONVOLUTIONS.includes(node.op) ? layerOf(name) : undefined;
    const isNew = layer !== undefined && !convolved.has(layer);
    if (layer) convolved.add(layer);
    if (!isNew && !PLAIN.includes(node.op) && !node.op.startsWith("FusedBatchNorm"))
      return `node ${clip(name)} (${clip(node.op)}) is none of a MobileNet`;
    for (const input of (node.input ?? []).map(plainName)) {
      reached.add(input);
      if (layer || node.op === "Identity") continue;
      const origin = originOf(input, byName);
      // Anything else would make the features larger.
      const isVector = (shapes.get(origin) ?? []).slice(0, -1).every((side) => side === 1);
      if (!isVector) return `node ${clip(name)} (${clip(node.op)}) computes with a constant that is no vector`;
    }
  }
  return undefined;
}
