/** Tells from layer names and widths which trunk a weights file is for. */

import { WeightsError } from "../../core/errors.js";
import { LIMITS } from "../../core/limits.js";
import { architectureOf, TRUNK_NAMES } from "../architecture.js";
import { layerParameters, parameterName } from "../layer-parameters.js";
import type { TrunkSpec } from "../trunk.js";
import { type LayerWeights, weightsByLayer } from "./layer-names.js";
import { readWeights, type WeightsFile } from "./read-weights.js";
import { topologyInputSize } from "./topology.js";

/** What a file is, as far as it says so itself; fills the defaults of a configuration. */
export interface WeightsDescription {
  readonly name: TrunkSpec["name"];
  readonly alpha: number;
  /** Of the model that was saved; the weights work at others too. */
  readonly inputSize?: number;
  readonly convention?: TrunkSpec["convention"];
  /** False where batch norm is folded into biases, or the network has none. */
  readonly hasBatchNorm: boolean;
  /** The last layer that the file has weights for. */
  readonly lastLayer: string;
}

const LARGEST = LIMITS.weightsInputSize;
const FIRST_LAYERS = ["conv1", "Conv1", "block1_conv1"];

/** Published widths first, since several can round to the same channels; then twentieths, then hundredths. */
const ALPHAS = [
  1,
  0.25,
  0.35,
  0.5,
  0.75,
  1.3,
  1.4,
  ...Array.from({ length: 40 }, (_, index) => (index + 1) / 20),
  ...Array.from({ length: 97 }, (_, index) => (index + 4) / 100),
];

/**
 * @param source as `readWeights` takes it, or what it returned.
 * @throws WeightsError where the file cannot be read or fits no trunk.
 */
export async function inspectWeights(source: string | URL | WeightsFile): Promise<WeightsDescription> {
  const file = isRead(source) ? source : await readWeights(source);
  const layers = weightsByLayer(file.weights, file.path);
  const name = trunkName(layers);
  const fit = name && fittingAlpha(name, layers);
  if (!name || !fit)
    throw new WeightsError(
      `${file.path}: fits no trunk by its layer names and widths. Known are ${TRUNK_NAMES.join(", ")}, named as in keras-applications.`,
    );
  const inputSize = file.inputSize ?? topologyInputSize(file.topology);
  if (inputSize !== undefined && !(Number.isInteger(inputSize) && inputSize >= 32 && inputSize <= LARGEST))
    throw new WeightsError(
      `${file.path}: says that its images are ${inputSize} pixels wide; needs a whole number from 32 to ${LARGEST}. Correct its description of the input, or save the weights alone.`,
    );
  const order = architectureOf({ name, alpha: fit, inputSize: 32 }).layers.map((layer) => layer.name);
  return {
    name,
    alpha: fit,
    ...(inputSize === undefined ? {} : { inputSize }),
    ...(file.convention === undefined ? {} : { convention: file.convention }),
    hasBatchNorm: [...layers.values()].some((layer) => layer.moving_variance),
    lastLayer: order.findLast((layer) => layers.has(layer)) ?? "input",
  };
}

/** Whether a source has been read already. */
export function isRead(source: string | URL | WeightsFile): source is WeightsFile {
  return typeof source === "object" && !(source instanceof URL);
}

/** The width whose kernels have the shapes of the file, all of them. */
export function fittingAlpha(name: TrunkSpec["name"], layers: ReadonlyMap<string, LayerWeights>): number | undefined {
  const first = FIRST_LAYERS.map((layer) => layers.get(layer)?.kernel).find((kernel) => kernel?.shape.length === 4);
  const candidates = [...ALPHAS, ...(first ? [first.shape[3] / (name.startsWith("vgg") ? 64 : 32)] : [])];
  return candidates.find((alpha) => {
    const specs = layerParameters(architectureOf({ name, alpha, inputSize: 32 }), { isFolded: true });
    const shapes = new Map(specs.map((spec) => [spec.name, String(spec.shape)]));
    return [...layers].every(([layer, { kernel }]) => {
      return !kernel || shapes.get(parameterName(layer, "kernel")) === String(kernel.shape);
    });
  });
}

function trunkName(layers: ReadonlyMap<string, unknown>): TrunkSpec["name"] | undefined {
  if (layers.has("conv_dw_1")) return "mobilenet-v1";
  if (layers.has("expanded_conv_depthwise")) return "mobilenet-v2";
  if (!layers.has("block1_conv1")) return undefined;
  return layers.has("block3_conv4") ? "vgg19" : "vgg16";
}
