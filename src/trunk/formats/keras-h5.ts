/** Reads weights that Keras saved as HDF5: those of keras-applications, whole models, and Keras 3's `.weights.h5`. */

import type { Group } from "h5wasm";
import { WeightsError } from "../../core/errors.js";
import { parseJson } from "../../core/json.js";
import { LIMITS } from "../../core/limits.js";
import type { NdArray } from "../../core/nd-array.js";
import { clip } from "../../core/terminal.js";
import { type H5File, readH5 } from "./h5-file.js";
import { readVariables, type VariableGroup } from "./keras-vars.js";
import { trunkLayer } from "./layer-names.js";
import type { WeightsFile } from "./weights-file.js";

/** Keras 1, as in the published VGG files: `block1_conv1_W_1:0` in place of `block1_conv1/kernel:0`. */
const OLD_PARTS: Readonly<Record<string, string>> = {
  W: "kernel",
  b: "bias",
  gamma: "gamma",
  beta: "beta",
  running_mean: "moving_mean",
  // It held the variance, whatever its name.
  running_std: "moving_variance",
};
const OLD_NAME = /_(W|b|gamma|beta|running_mean|running_std)(?:_\d+)?$/;

/**
 * Arrays of layers that no trunk has, such as the dense layers of a VGG, are not read.
 *
 * @param path of a `.h5` file: weights alone or a whole model, of Keras 1, 2 or 3.
 * @returns weights by Keras names, and the model's description where the file has one.
 * @throws WeightsError where the file is absent, no HDF5 file, cut off, damaged, without weights of a trunk, or holds a
 * weight that is no finite number.
 */
export function readKerasH5(path: string): Promise<WeightsFile> {
  return readH5(path, (file) => {
    const { root } = file;
    const nested = root.keys().includes("model_weights") ? file.get(root, "model_weights") : null;
    const top = file.isGroup(nested) ? nested : root;
    const layerNames = file.strings(top, "layer_names");
    const groups = layerNames ? [] : variables(path, file);
    if (!layerNames && groups.length === 0)
      throw new WeightsError(`${path}: holds no weights of Keras.`, {
        cure: 'Save the model with model.save("trunk.h5").',
      });
    const weights = layerNames
      ? namedWeights(path, file, { top, layerNames, isWanted: ofTrunk })
      : readVariables(path, groups);
    if (Object.keys(weights).length === 0)
      throw new WeightsError(
        `${path}: holds no layer of a trunk${layerNames?.length ? `, but ${brief(layerNames)}` : ""}.`,
        { cure: "Layers must be named as in keras-applications." },
      );
    return { path, weights, topology: topology(path, file) };
  });
}

function ofTrunk(name: string): boolean {
  return name.split("/").some((part) => trunkLayer(part));
}

/**
 * The older layout: lists of names as attributes, arrays under those names.
 *
 * @param options.isWanted of a name such as `conv1/conv1/kernel`; other arrays are not read.
 */
export function namedWeights(
  path: string,
  file: H5File,
  { top, layerNames, isWanted }: { top: Group; layerNames: readonly string[]; isWanted: (name: string) => boolean },
): Record<string, NdArray> {
  const weights: Record<string, NdArray> = Object.create(null); // names may be those that objects inherit
  for (const layerName of layerNames) {
    const group = file.get(top, layerName);
    if (!file.isGroup(group))
      throw new WeightsError(`${path}: lacks the layer ${layerName}.`, { cure: "Fetch or save it again." });
    for (const weightName of file.strings(group, "weight_names") ?? []) {
      const name = `${layerName}/${plainName(weightName)}`;
      if (!isWanted(name)) continue;
      const dataset = file.get(group, weightName);
      if (!file.isDataset(dataset))
        throw new WeightsError(`${path}: lacks ${weightName}.`, { cure: "Fetch or save it again." });
      weights[name] = file.floats(dataset);
    }
  }
  return weights;
}

/** `conv1/kernel` of `conv1/kernel:0`, `block1_conv1/kernel` of `block1_conv1_W_1:0`. */
function plainName(weightName: string): string {
  return weightName
    .replace(/:\d+$/, "")
    .replace(OLD_NAME, (whole, part: string) => (weightName.includes("/") ? whole : `/${OLD_PARTS[part]}`));
}

/** Keras 3's own layout: below each layer a group `vars` with arrays `0`, `1` and so on. */
export function variables(path: string, file: H5File): readonly VariableGroup[] {
  const found: VariableGroup[] = [];
  collectVariables(file, file.root, { path, names: [], seen: new Set(), found });
  return found;
}

interface Walk {
  /** Of the file. */
  readonly path: string;
  /** Of the groups from the root to here. */
  readonly names: readonly string[];
  /** Groups that were visited: links may lead back to them. */
  readonly seen: Set<string>;
  readonly found: VariableGroup[];
}

function collectVariables(file: H5File, group: Group, { path, names, seen, found }: Walk): void {
  const identity = file.identityOf(group);
  if (seen.has(identity)) return;
  seen.add(identity);
  if (names.length > LIMITS.h5Depth)
    throw new WeightsError(`${path}: has groups inside groups, more than ${LIMITS.h5Depth} deep.`, {
      cure: 'Save the trunk alone: model.save("trunk.h5").',
    });
  for (const key of group.keys()) {
    const child = file.get(group, key);
    if (!file.isGroup(child)) continue;
    if (key !== "vars") {
      collectVariables(file, child, { path, names: [...names, key], seen, found });
      continue;
    }
    const datasets = child
      .keys()
      .sort((a, b) => Number(a) - Number(b))
      .map((index) => file.get(child, index))
      .filter((entity) => file.isDataset(entity));
    if (datasets.length === 0) continue;
    found.push({
      path: names.join("/"),
      layer: file.strings(child, "name")?.[0],
      shapes: datasets.map(({ shape }) => shape ?? []),
      read: (index) => file.floats(datasets[index]),
    });
  }
}

/** What the file says of its layers; `undefined` where it holds weights alone. */
export function topology(path: string, file: H5File): unknown {
  const [text] = file.strings(file.root, "model_config") ?? [];
  if (text === undefined) return undefined;
  const options = { where: `${path}: its model_config`, error: WeightsError, cure: "Fetch or save it again." };
  return parseJson(Buffer.from(text), options);
}

function brief(names: readonly string[]): string {
  const shown = clip(names.slice(0, 4).join(", "));
  return names.length > 4 ? `${shown} and ${names.length - 4} more` : shown;
}
