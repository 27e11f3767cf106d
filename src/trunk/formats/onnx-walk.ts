/** Steps through an ONNX graph: which node computes a given layer, and what is wrong with it. */

import type { Layer } from "../architecture.js";
import type { TrunkSpec } from "../trunk-spec.js";
import { constantInput, type OnnxGraph, type OnnxNode } from "./onnx-graph.js";
import { NO_PADS, type Padding, type Pads, paddingOf, padsOfNode } from "./onnx-padding.js";
import type { OnnxTensor } from "./onnx-tensor.js";

/** A layer with a kernel, and the constants of its nodes. */
export interface MatchedLayer {
  readonly layer: Layer;
  readonly node: OnnxNode;
  readonly padding: Padding;
  /** `[out, in / groups, h, w]`. */
  readonly kernel: OnnxTensor;
  readonly bias?: OnnxTensor;
  readonly norm?: {
    readonly gamma: OnnxTensor;
    readonly beta: OnnxTensor;
    readonly mean: OnnxTensor;
    readonly variance: OnnxTensor;
    readonly epsilon: number;
  };
}

/** A tensor of the walk. */
export interface Features {
  readonly layer: string;
  readonly tensor: string;
  readonly channels: number;
}

/** What may follow a trunk that is cut short. */
const ENDS =
  /^(Global(Average|Max)Pool|AveragePool|Reduce\w+|Flatten|Reshape|Gemm|MatMul|Shape|Squeeze|Transpose|Softmax)$/;
const CHANGES_NOTHING = /^(Identity|Dropout)$/;
const BOUNDS = /^(Relu|Clip|Max|Min)$/;

/** Says why a graph is another network; `matchTrunk` catches it, since other trunks are tried after it. */
export class Mismatch extends Error {}

/** Finds the nodes of layers, one after the other. What it gives throws Mismatch. */
export function walker(graph: OnnxGraph, name: TrunkSpec["name"]) {
  const { readers, convolutionsOf } = readersOf(graph);

  const unexpected = (tensor: string, wanted: string): Mismatch => {
    const [node] = readers(tensor);
    if (!node) return new Mismatch(`the graph ends at ${tensor}, where ${name} goes on with ${wanted}`);
    return new Mismatch(`node ${node.name} (${node.operator}) stands where ${name} has ${wanted}`);
  };

  const walk: Walk = { graph, name, readers, unexpected };

  return {
    /** Whether nothing but a classifier follows. */
    endsAt(tensor: string, layers: readonly MatchedLayer[]): boolean {
      const next = readers(tensor);
      const convolutions = graph.nodes.filter(({ operator }) => operator === "Conv");
      return next.every(({ operator }) => ENDS.test(operator)) && convolutions.length === layers.length;
    },

    convolution(layer: Layer, x: Features): { readonly matched: MatchedLayer; readonly output: string } {
      const found = convolutionsOf(x.tensor);
      const [first] = found;
      if (!first) throw unexpected(x.tensor, described(layer));
      const { node, pads } = found.find((each) => !problem(graph, layer, x, each)) ?? first;
      const wrong = problem(graph, layer, x, { node, pads });
      if (wrong) throw new Mismatch(`node ${node.name} (Conv) ${wrong} where ${name} has ${described(layer)}`);
      // `problem` is undefined only where the kernel is a constant and the padding one of ours.
      const [kernel, padding] = [graph.constants.get(node.inputs[1]), paddingOf(node, layer, pads)];
      if (!kernel || !padding) throw new Mismatch(`node ${node.name} (Conv) has no kernel`);
      const bias = node.inputs[2] ? graph.constants.get(node.inputs[2]) : undefined;
      if (node.inputs[2] && !bias) throw new Mismatch(`node ${node.name} (Conv) computes its bias`);
      let output = node.outputs[0];
      const norms = readers(output).filter(({ operator }) => operator === "BatchNormalization");
      const norm = norms.length > 0 ? normOf(graph, norms[0]) : undefined;
      if (norm) output = norms[0].outputs[0];
      return {
        matched: { layer, node, padding, kernel, ...(bias && { bias }), ...(norm && { norm }) },
        output: activated(layer, output, walk),
      };
    },

    activated: (layer: Layer, tensor: string) => activated(layer, tensor, walk),

    maxPool(layer: Layer, x: Features): string {
      const node = readers(x.tensor).find(({ operator }) => operator === "MaxPool");
      if (!node) throw unexpected(x.tensor, described(layer));
      if (poolsAs(layer, node)) return node.outputs[0];
      throw new Mismatch(`node ${node.name} (MaxPool) pools otherwise where ${name} has ${described(layer)}`);
    },

    addition(layer: string, [entrance, x]: readonly [Features, Features]): string {
      const isBoth = ({ operator, inputs }: OnnxNode) =>
        operator === "Add" && inputs.some((input) => readsFrom(input, entrance.tensor, graph));
      const node = readers(x.tensor).find(isBoth);
      if (node) return node.outputs[0];
      throw unexpected(x.tensor, `${layer}, the sum of a block and what it reads`);
    },
  };
}

/** What the steps of a walk share. */
interface Walk {
  readonly graph: OnnxGraph;
  readonly name: TrunkSpec["name"];
  readonly readers: (tensor: string) => readonly OnnxNode[];
  /** That something else follows a tensor than is wanted. */
  readonly unexpected: (tensor: string, wanted: string) => Mismatch;
}

/** The tensor after an activation, of however many nodes it is made: a ReLU6 may be a `Max` and a `Min`. */
function activated(
  { name: layer, activation }: Layer,
  tensor: string,
  { graph, name, readers, unexpected }: Walk,
): string {
  if (activation === "none") return tensor;
  const wanted = activation === "relu6" ? 6 : Number.POSITIVE_INFINITY;
  let [low, high, output] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, tensor];
  for (;;) {
    const node = readers(output).find(({ operator }) => BOUNDS.test(operator));
    const bounds = node && boundsOf(graph, node);
    if (!node || !bounds || (low === 0 && high === wanted)) break;
    [low, high, output] = [Math.max(low, bounds[0]), Math.min(high, bounds[1]), node.outputs[0]];
  }
  if (low === 0 && high === wanted) return output;
  const title = activation === "relu6" ? "ReLU6" : "ReLU";
  if (low === Number.NEGATIVE_INFINITY && high === -low) throw unexpected(tensor, `the ${title} of ${layer}`);
  const [node] = readers(tensor);
  throw new Mismatch(
    `node ${node.name} (${node.operator}) bounds to ${low}..${high} where ${name} has the ${title} of ${layer}`,
  );
}

/** The nodes that come after a tensor. */
function readersOf(graph: OnnxGraph) {
  const byInput = new Map<string, OnnxNode[]>();
  for (const node of graph.nodes)
    for (const input of new Set(node.inputs)) byInput.set(input, [...(byInput.get(input) ?? []), node]);

  /** The nodes that read a tensor, seen through those that change nothing. */
  const readers = (tensor: string): readonly OnnxNode[] =>
    (byInput.get(tensor) ?? []).flatMap((node) => {
      return CHANGES_NOTHING.test(node.operator) ? readers(node.outputs[0]) : [node];
    });

  /** Convolutions that read a tensor, and the zeros that stand between. */
  const convolutionsOf = (tensor: string): readonly { readonly node: OnnxNode; readonly pads: Pads }[] =>
    readers(tensor).flatMap((node) => {
      if (node.operator === "Conv") return [{ node, pads: NO_PADS }];
      const pads = node.operator === "Pad" ? padsOfNode(graph, node) : undefined;
      const next = pads ? readers(node.outputs[0]).filter(({ operator }) => operator === "Conv") : [];
      return next.map((conv) => ({ node: conv, pads: pads ?? NO_PADS }));
    });

  return { readers, convolutionsOf };
}

/** Whether a `MaxPool` has the window and stride of a layer, and no padding. */
function poolsAs(layer: Layer, { attributes }: OnnxNode): boolean {
  const { kernel_shape: window, strides, pads, ceil_mode: ceil, dilations, auto_pad: padding } = attributes;
  const all = (amounts: readonly number[] | undefined, amount: number) => amounts?.every((each) => each === amount);
  return Boolean(
    all(window?.integers, layer.kernel) &&
      all(strides?.integers ?? [1], layer.stride) &&
      all(pads?.integers ?? [], 0) &&
      all(dilations?.integers ?? [], 1) &&
      !ceil?.integer &&
      !padding?.text?.startsWith("SAME"),
  );
}

/** Whether a tensor is another one, seen through nodes that change nothing. */
function readsFrom(tensor: string, origin: string, { nodes }: Pick<OnnxGraph, "nodes">): boolean {
  if (tensor === origin) return true;
  const maker = nodes.find(({ outputs }) => outputs.includes(tensor));
  return maker !== undefined && CHANGES_NOTHING.test(maker.operator) && readsFrom(maker.inputs[0], origin, { nodes });
}

/** What is wrong with a convolution that stands where a layer should, or nothing. */
function problem(
  graph: OnnxGraph,
  layer: Layer,
  { channels }: Features,
  { node, pads }: { node: OnnxNode; pads: Pads },
): string | undefined {
  const kernel = graph.constants.get(node.inputs[1]);
  if (!kernel) return "computes its kernel";
  const [filters, depth, ...window] = kernel.shape;
  const groups = node.attributes.group?.integer ?? 1;
  const strides = node.attributes.strides?.integers ?? [1, 1];
  if (window.length !== 2) return `has ${window.length} dimensions`;
  if (window.some((size) => size !== layer.kernel)) return `has a window of ${window.join("x")}`;
  if (strides.some((stride) => stride !== layer.stride)) return `has stride ${strides.join("x")}`;
  if (depth * groups !== channels) return `reads ${depth * groups} channels, not ${channels},`;
  const isDepthwise = layer.op === "depthwise";
  if (groups !== (isDepthwise ? channels : 1) || (isDepthwise && filters !== channels))
    return `has ${groups} group${groups === 1 ? "" : "s"} of ${filters} filters`;
  if ((node.attributes.dilations?.integers ?? []).some((dilation) => dilation !== 1)) return "is dilated";
  if (!paddingOf(node, layer, pads)) return "pads in a way that is neither PyTorch's nor TensorFlow's";
  return undefined;
}

function described({ name, op, kernel, stride }: Layer): string {
  const kind = { conv: "convolution", depthwise: "depthwise convolution", maxPool: "max-pooling", add: "sum" }[op];
  return `${name}, a ${kind} of ${kernel}x${kernel}, stride ${stride}`;
}

/** What an activation bounds its input to, or `undefined` where that is no constant. */
function boundsOf(graph: OnnxGraph, node: OnnxNode): readonly [low: number, high: number] | undefined {
  const [lowest, highest] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  if (node.operator === "Relu") return [0, highest];
  if (node.operator === "Clip") {
    const bound = (index: number, attribute: string, otherwise: number) =>
      node.inputs[index] ? constantInput(graph, node, index)?.[0] : (node.attributes[attribute]?.float ?? otherwise);
    const [low, high] = [bound(1, "min", lowest), bound(2, "max", highest)];
    return low === undefined || high === undefined ? undefined : [low, high];
  }
  const constants = node.inputs.flatMap((_, index) => constantInput(graph, node, index) ?? []);
  if (constants.length !== 1 || node.inputs.length !== 2) return undefined;
  return node.operator === "Max" ? [constants[0], highest] : [lowest, constants[0]];
}

function normOf(graph: OnnxGraph, { name, inputs, attributes }: OnnxNode): MatchedLayer["norm"] {
  const part = (index: number) => {
    const found = graph.constants.get(inputs[index]);
    if (found) return found;
    throw new Mismatch(`node ${name} (BatchNormalization) computes its parameters`);
  };
  if (attributes.training_mode?.integer)
    throw new Mismatch(`node ${name} (BatchNormalization) is in training mode: call model.eval() before the export`);
  const epsilon = attributes.epsilon?.float ?? 1e-5;
  return { gamma: part(1), beta: part(2), mean: part(3), variance: part(4), epsilon };
}
