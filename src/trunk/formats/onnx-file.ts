/** Reads the weights of an ONNX model, PyTorch's or TensorFlow's, by what its graph computes and not by its names. */

import { WeightsError } from "../../core/errors.js";
import { type NdArray, ndArray } from "../../core/nd-array.js";
import { checkOnnxGraph } from "../../core/onnx-check.js";
import { architectureOf } from "../architecture-of.js";
import { BATCH_NORM_EPSILON } from "../layer-parameters.js";
import type { TrunkSpec } from "../trunk-spec.js";
import { TRUNK_NAMES } from "../trunks.js";
import { readInputFile } from "./input-file.js";
import { GraphFault, graphOf, MODEL, type OnnxGraph, type OnnxNode } from "./onnx-graph.js";
import { type Match, matchTrunk } from "./onnx-layers.js";
import { modelFields } from "./onnx-model.js";
import { pathBeside, tensorFloats, withFileBeside } from "./onnx-tensor.js";
import type { MatchedLayer } from "./onnx-walk.js";
import type { WeightsFile } from "./weights-file.js";

export interface OnnxWeights extends WeightsFile {
  /** The trunk's last layer in the graph, such as `block5_pool`, also where it has no weights. */
  readonly lastLayer: string;
  /** The tensor after that layer and its activation: what `withOutput` takes. */
  readonly lastTensor: string;
}

/**
 * Weights come under Keras names, kernels as `[h, w, in, out]` or `[h, w, channels, 1]`. The epsilon of batch
 * normalisation is brought to ours in gamma, exactly but for one rounding: variances stay as they are. In a VGG it is
 * folded.
 *
 * `convention` is torchvision's where strided convolutions pad all around, or, without any (VGG), where the image has
 * its channels first.
 *
 * @param path of an `.onnx` file; its external data must lie in the same folder.
 * @throws WeightsError where the file cannot be read or is another network, naming the node that no trunk has.
 */
export async function readOnnx(path: string): Promise<OnnxWeights> {
  const bytes = await readOnnxFile(path);
  const graph = parseOnnx(path, bytes);
  const image = imageOf(path, graph);
  const match = bestMatch(
    path,
    TRUNK_NAMES.map((name) => matchTrunk(graph, image.tensor, name)),
  );
  const weights: Record<string, NdArray> = {};
  for (const layer of match.layers) Object.assign(weights, await layerWeights(path, match.name, layer));
  const { lastLayer, lastTensor } = match;
  const convention = conventionOf(path, match, image);
  const shape = [null, image.size ?? null, image.size ?? null, 3];
  const topology = { class_name: "InputLayer", config: { name: "input", batch_input_shape: shape } };
  return { path, weights, topology, ...(convention && { convention }), lastLayer, lastTensor };
}

/** The bytes of a model that names no file but those beside it. @throws WeightsError as `readOnnx`. */
export async function readOnnxFile(path: string): Promise<Buffer> {
  const bytes = await readInputFile(path, "Give the path of an .onnx file.");
  modelFields(path, bytes);
  checkOnnxGraph(bytes, {
    file: path,
    ErrorClass: WeightsError,
    cure: "Export the network again, with its numbers inside or in a file beside it.",
    isExternal: (location) => pathBeside(path, location) !== undefined,
  });
  return bytes;
}

/**
 * The files beside a model that hold its numbers, whole: the `externalData` of an ONNX Runtime session made of bytes.
 *
 * @throws WeightsError where one is absent, or outside the model's folder.
 */
export async function externalData(
  model: Uint8Array,
  path: string,
): Promise<{ readonly path: string; readonly data: Uint8Array }[]> {
  const { constants } = parseOnnx(path, model);
  const locations = new Set([...constants.values()].flatMap(({ external }) => external?.location ?? []));
  const files: { readonly path: string; readonly data: Uint8Array }[] = [];
  for (const location of locations) {
    const data = await withFileBeside(path, location, (file) => file.readFile());
    files.push({ path: location, data });
  }
  return files;
}

/** @throws WeightsError where the graph cannot be read. */
export function parseOnnx(path: string, bytes: Uint8Array): OnnxGraph {
  const fields = modelFields(path, bytes);
  const graph = fields.find(({ number }) => number === MODEL.graph);
  try {
    return graphOf(graph?.value ?? new Uint8Array());
  } catch (cause) {
    const fault = cause instanceof GraphFault ? cause : new GraphFault("is damaged: its graph cannot be read");
    throw new WeightsError(`${path}: ${fault.message}.`, { cure: fault.cure, cause });
  }
}

/** The image as the first layer reads it. */
interface Image {
  readonly tensor: string;
  /** Height and width, where they are fixed and equal. */
  readonly size?: number;
  /** Whether the graph itself puts the channels first. */
  readonly isTransposed: boolean;
}

function imageOf(path: string, { inputs, nodes }: OnnxGraph): Image {
  const [input] = inputs;
  if (inputs.length !== 1 || (input.shape && input.shape.length !== 4))
    throw new WeightsError(
      `${path}: wants ${inputs.map(({ name }) => name).join(", ") || "nothing"}, a trunk wants one image.`,
      { cure: "Export the image network alone." },
    );
  let [tensor, isTransposed] = [input.name, false];
  const reader = (): OnnxNode | undefined => nodes.find((node) => node.inputs.includes(tensor));
  for (let node = reader(); node && !/^(Conv|Pad)$/.test(node.operator); node = reader()) {
    const turns = node.operator === "Transpose" && String(node.attributes.perm?.integers) === "0,3,1,2";
    if (!turns && !/^(Identity|Cast)$/.test(node.operator))
      throw new WeightsError(
        `${path}: node ${node.name} (${node.operator}) changes the image before the first convolution, ` +
          "which the trunk does itself.",
        { cure: "Export the network without its preprocessing." },
      );
    isTransposed ||= turns;
    tensor = node.outputs[0];
  }
  const [height, width] = input.shape?.slice(isTransposed ? 1 : 2) ?? [];
  return { tensor, isTransposed, ...(height && height === width ? { size: height } : {}) };
}

function bestMatch(path: string, matches: readonly Match[]): Match {
  const fits = matches.find(({ failure, layers }) => !failure && layers.length > 0);
  if (fits) return fits;
  const [nearest] = matches.toSorted((a, b) => b.layers.length - a.layers.length);
  throw new WeightsError(`${path}: fits no trunk: ${nearest.failure ?? "it has no convolution"}.`, {
    cure: `Known are ${TRUNK_NAMES.join(", ")}.`,
  });
}

async function layerWeights(
  path: string,
  name: TrunkSpec["name"],
  { layer, kernel, bias, norm }: MatchedLayer,
): Promise<Record<string, NdArray>> {
  const weights: Record<string, NdArray> = {};
  const filters = await tensorFloats(kernel, path);
  weights[`${layer.name}/kernel`] = toChannelsLast(filters, kernel.shape, layer.op === "depthwise");
  const vector = (data: Float32Array<ArrayBuffer>) => ndArray([data.length], data);
  if (bias) weights[`${layer.name}/bias`] = vector(await tensorFloats(bias, path));
  if (!norm) {
    if (!bias) weights[`${layer.name}/bias`] = ndArray([kernel.shape[0]]);
    return weights;
  }
  const [gamma, beta, mean, variance] = await Promise.all(
    [norm.gamma, norm.beta, norm.mean, norm.variance].map((tensor) => tensorFloats(tensor, path)),
  );
  if (!architectureOf({ name, alpha: 1, inputSize: 32 }).hasBatchNorm) {
    const scale = gamma.map((g, c) => g / Math.sqrt(variance[c] + norm.epsilon));
    const { shape, data } = weights[`${layer.name}/kernel`];
    const before = weights[`${layer.name}/bias`]?.data;
    return {
      [`${layer.name}/kernel`]: ndArray(
        shape,
        Float32Array.from(data, (value, i) => value * scale[i % scale.length]),
      ),
      [`${layer.name}/bias`]: vector(beta.map((b, c) => b + ((before?.[c] ?? 0) - mean[c]) * scale[c])),
    };
  }
  const scaled = gamma.map((g, c) => {
    return g * Math.sqrt((variance[c] + BATCH_NORM_EPSILON) / (variance[c] + norm.epsilon));
  });
  const parts = { gamma: scaled, beta, moving_mean: mean, moving_variance: variance };
  for (const [part, data] of Object.entries(parts)) weights[`${layer.name}/${part}`] = vector(data);
  return weights;
}

/** `[out, in, h, w]` to `[h, w, in, out]`; `[channels, 1, h, w]` to `[h, w, channels, 1]`. */
function toChannelsLast(data: Float32Array, shape: readonly number[], isDepthwise: boolean): NdArray {
  const [filters, depth, height, width] = shape;
  const turned = new Float32Array(data.length);
  let from = 0;
  for (let o = 0; o < filters; o++)
    for (let i = 0; i < depth; i++)
      for (let at = 0; at < height * width; at++) turned[(at * depth + i) * filters + o] = data[from++];
  // With one channel a group, `[h, w, 1, out]` and `[h, w, out, 1]` are the same numbers in the same order.
  return ndArray(isDepthwise ? [height, width, filters, 1] : [height, width, depth, filters], turned);
}

/** Both ways of padding are one where a size is odd, so a convolution there tells nothing. */
function conventionOf(path: string, { layers }: Match, { size, isTransposed }: Image): WeightsFile["convention"] {
  const strided = layers.filter(({ layer }) => layer.stride > 1);
  const told = new Map<string, OnnxNode>();
  let side = size;
  for (const { node, padding } of strided) {
    if (padding === "same" || side === undefined || side % 2 === 0) told.set(padding, node);
    side = side && Math.ceil(side / 2);
  }
  const [same, symmetric] = [told.get("same"), told.get("symmetric")];
  if (same && symmetric)
    throw new WeightsError(
      `${path}: node ${same.name} pads below and right alone, node ${symmetric.name} all around.`,
      { cure: "Export the network for images of a fixed size that is a multiple of 32." },
    );
  if (same || symmetric) return same ? undefined : "torchvision";
  return isTransposed ? undefined : "torchvision";
}
