/** Tells from layer names and widths which trunk a weights file is for. */

import { inFile, WeightsError } from "../../core/errors.js";
import { LIMITS } from "../../core/limits.js";
import { architectureOf } from "../architecture-of.js";
import type { TrunkSpec } from "../trunk-spec.js";
import { TRUNK_NAMES, TRUNKS } from "../trunks.js";
import { weightsByLayer } from "./layer-names.js";
import { readWeights } from "./read-weights.js";
import { topologyInputSize } from "./topology.js";
import { isRead, type WeightsFile } from "./weights-file.js";
import { fittingAlpha } from "./width.js";

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
/**
 * Says which trunk a file of weights fits: its name, width, input size and layers.
 *
 * @param source as `readWeights` takes it, or what it returned.
 * @throws WeightsError where the file cannot be read or fits no trunk.
 */
export async function inspectWeights(source: string | URL | WeightsFile): Promise<WeightsDescription> {
  const file = isRead(source) ? source : await readWeights(source);
  return inFile({ file: file.path }, () => describe(file));
}

function describe(file: WeightsFile): WeightsDescription {
  const layers = weightsByLayer(file.weights, file.path);
  const name = trunkName(layers);
  const fit = name && fittingAlpha(name, layers);
  if (!name || !fit)
    throw new WeightsError(`${file.path}: fits no trunk by its layer names and widths.`, {
      cure: `Known are ${TRUNK_NAMES.join(", ")}, named as in keras-applications.`,
    });
  const inputSize = file.inputSize ?? topologyInputSize(file.topology);
  if (inputSize !== undefined && !(Number.isInteger(inputSize) && inputSize >= 32 && inputSize <= LARGEST))
    throw new WeightsError(
      `${file.path}: says that its images are ${inputSize} pixels wide; needs a whole number from 32 to ${LARGEST}.`,
      { cure: "Correct its description of the input, or save the weights alone." },
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

function trunkName(layers: ReadonlyMap<string, unknown>): TrunkSpec["name"] | undefined {
  const isThere = (layer: string) => layers.has(layer);
  return TRUNKS.find(({ weights }) => weights.present.every(isThere) && !weights.absent?.some(isThere))?.name;
}
