/** Reads a whole network that Keras saved: a `.h5` of Keras 2 or 3, or a `.keras` archive. */

import { WeightsError } from "../../core/errors.js";
import { parseJson } from "../../core/json.js";
import { isRecord } from "../../core/json-values.js";
import { LIMITS } from "../../core/limits.js";
import type { NdArray } from "../../core/nd-array.js";
import { type H5File, readH5Bytes } from "./h5-file.js";
import { readInputFile } from "./input-file.js";
import { namedWeights, topology, variables } from "./keras-h5.js";
import type { VariableGroup } from "./keras-vars.js";
import { unzipParts } from "./unzip-parts.js";
import type { WeightsFile } from "./weights-file.js";

const CURE = 'Save the whole model: model.save("model.keras").';

/**
 * @param path of a `.keras`, or of a `.h5` that holds a whole model.
 * @returns its description, and the arrays of all its layers by the names of models, layer and array, such as
 *   `mobilenet/Conv1/kernel`.
 * @throws WeightsError where it is absent, cut off, damaged, or has no description of its layers.
 */
export async function readKerasModel(path: string): Promise<WeightsFile> {
  const bytes = await readInputFile(path, CURE);
  if (bytes.subarray(0, 2).toString("latin1") === "PK") return readArchive(path, bytes);
  return readH5Bytes(path, bytes, (file) => {
    const { root } = file;
    const model = file.get(root, "model_weights");
    const layerNames = file.isGroup(model) ? file.strings(model, "layer_names") : undefined;
    if (!file.isGroup(model) || !layerNames)
      throw new WeightsError(`${path}: holds weights alone, and does not say how its layers hang together.`, {
        ...{ cure: CURE, file: path },
      });
    const weights = namedWeights(path, file, { top: model, layerNames, isWanted: isRead });
    return { path, weights, topology: topology(path, file), ...versionOf(file.strings(root, "keras_version")?.[0]) };
  });
}

/** How many images a `Normalization` saw is a whole number, which nothing needs. */
function isRead(name: string): boolean {
  return !name.endsWith("/count");
}

function versionOf(kerasVersion: unknown): { kerasVersion?: string } {
  return typeof kerasVersion === "string" ? { kerasVersion } : {};
}

const DESCRIPTION = "config.json";
const METADATA = "metadata.json";
const WEIGHTS = "model.weights.h5";

async function readArchive(path: string, bytes: Buffer): Promise<WeightsFile> {
  const files = unpacked(path, bytes);
  const part = (name: string) => {
    if (Object.hasOwn(files, name)) return Buffer.from(files[name].buffer, files[name].byteOffset, files[name].length);
    throw new WeightsError(`${path}: lacks its ${name}.`, { cure: CURE, file: path });
  };
  const json = (name: string) =>
    parseJson(part(name), { where: `${path}: its ${name}`, error: WeightsError, cure: CURE });
  const description = json(DESCRIPTION);
  const metadata = Object.hasOwn(files, METADATA) ? json(METADATA) : {};
  const weights = await readH5Bytes(path, part(WEIGHTS), (file) => layerWeights(path, file, description));
  return {
    ...{ path, weights, topology: description },
    ...versionOf(isRecord(metadata) ? metadata.keras_version : undefined),
  };
}

function unpacked(path: string, bytes: Buffer): Readonly<Record<string, Uint8Array>> {
  return unzipParts(bytes, {
    mostOf: (name, size) => {
      if (name === WEIGHTS) return Math.min(LIMITS.weightsExpansion * size, LIMITS.weightsFileBytes);
      return name === DESCRIPTION || name === METADATA ? LIMITS.jsonFileBytes : undefined;
    },
    tooLarge: (name, own, most) =>
      new WeightsError(`${path}: its ${name} would unpack to ${own} bytes, more than the ${most} allowed.`, {
        ...{ cure: CURE, file: path },
      }),
    damaged: (cause) =>
      new WeightsError(`${path}: is a damaged archive, it cannot be unpacked.`, {
        ...{ cure: "Copy or save it again.", file: path, cause },
      }),
  });
}

/** The arrays of a layer in the order in which Keras makes them; of a batch norm those that its description asks for. */
const PARTS: Readonly<Record<string, readonly string[]>> = {
  Conv2D: ["kernel", "bias"],
  Conv2DTranspose: ["kernel", "bias"],
  Dense: ["kernel", "bias"],
  DepthwiseConv2D: ["depthwise_kernel", "bias"],
  SeparableConv2D: ["depthwise_kernel", "pointwise_kernel", "bias"],
  BatchNormalization: ["gamma", "beta", "moving_mean", "moving_variance"],
  Normalization: ["mean", "variance"],
  PReLU: ["alpha"],
};

function partsOf(className: string, config: Readonly<Record<string, unknown>>): readonly string[] {
  const parts = Object.hasOwn(PARTS, className) ? PARTS[className] : [];
  const left = [
    ...(config.scale === false ? ["gamma"] : []),
    ...(config.center === false ? ["beta"] : []),
    ...(config.use_bias === false ? ["bias"] : []),
  ];
  return parts.filter((part) => !left.includes(part));
}

/** Where the arrays of a model's layers lie, and what those models are called. */
interface Container {
  readonly groups: ReadonlyMap<string, VariableGroup>;
  readonly path: string;
  readonly names: readonly string[];
}

/**
 * Keras 3 calls a layer's group by its class and how many of that class came before it in the same model, whatever its
 * name is; newer versions write the name beside it.
 */
function layerWeights(path: string, file: H5File, description: unknown): Record<string, NdArray> {
  // Keras of Windows joins names with backslashes; that of TensorFlow 2.13 had another word for layers.
  const plain = (place: string) =>
    place.replaceAll("\\", "/").replaceAll("_layer_checkpoint_dependencies", "layers").replace(/^\/+/, "");
  const groups = new Map(variables(path, file).map((group) => [plain(group.path), group]));
  const weights: Record<string, NdArray> = Object.create(null); // names may be those that objects inherit
  collect(description, { groups, path: "", names: [] }, weights);
  return weights;
}

function collect(model: unknown, { groups, path, names }: Container, weights: Record<string, NdArray>): void {
  if (names.length > LIMITS.h5Depth) return; // who reads the description refuses it
  const config = isRecord(model) && isRecord(model.config) ? model.config : {};
  const layers = (Array.isArray(config.layers) ? config.layers : []).filter(isRecord);
  const folder = `${path}layers/`;
  const inside = [...groups].filter(([place]) => place.startsWith(folder) && !place.slice(folder.length).includes("/"));
  const named = new Map(inside.flatMap(([place, { layer }]) => (layer === undefined ? [] : [[layer, place]])));
  const counts = new Map<string, number>();
  for (const one of layers) {
    const className = String(one.class_name);
    const own = isRecord(one.config) ? one.config : {};
    const name = String(own.name ?? one.name);
    const kind = snakeCase(className);
    const count = counts.get(kind) ?? 0;
    counts.set(kind, count + 1);
    const place = named.get(name) ?? folder + (count === 0 ? kind : `${kind}_${count}`);
    if (Array.isArray(own.layers)) {
      collect(one, { groups, path: `${place}/`, names: [...names, name] }, weights);
      continue;
    }
    const group = groups.get(place);
    for (const [index, part] of partsOf(className, own).entries())
      if (group && index < group.shapes.length) weights[[...names, name, part].join("/")] = group.read(index);
  }
}

/** As Keras does: `DepthwiseConv2D` to `depthwise_conv2d`. */
function snakeCase(name: string): string {
  return name
    .replace(/\W+/g, "")
    .replace(/(.)([A-Z][a-z]+)/g, "$1_$2")
    .replace(/([a-z])([A-Z])/g, "$1_$2")
    .toLowerCase();
}
