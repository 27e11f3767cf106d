/** Reads weights that Keras saved as HDF5: those of keras-applications, whole models, and Keras 3's `.weights.h5`. */

import type { Group } from "h5wasm/node";
import { WeightsError } from "../../core/errors.js";
import type { NdArray } from "../../core/nd-array.js";
import { type H5File, readH5, strings } from "./h5-file.js";
import { readVariables, type VariableGroup } from "./keras-vars.js";
import { trunkLayer } from "./layer-names.js";
import type { WeightsFile } from "./read-weights.js";

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
    const nested = root.keys().includes("model_weights") ? root.get("model_weights") : null;
    const top = file.isGroup(nested) ? nested : root;
    const layerNames = strings(top, "layer_names");
    const weights = layerNames
      ? namedWeights(path, file, { top, layerNames })
      : readVariables(path, variables(path, file));
    if (Object.keys(weights).length === 0)
      throw new WeightsError(
        `${path}: holds no layer of a trunk${layerNames ? `, but ${brief(layerNames)}` : ""}. Layers must be named as in keras-applications.`,
      );
    return { path, weights, topology: topology(path, root) };
  });
}

/** The older layout: lists of names as attributes, arrays under those names. */
function namedWeights(
  path: string,
  file: H5File,
  { top, layerNames }: { top: Group; layerNames: readonly string[] },
): Record<string, NdArray> {
  const weights: Record<string, NdArray> = {};
  for (const layerName of layerNames) {
    const group = top.get(layerName);
    if (!file.isGroup(group)) throw new WeightsError(`${path}: lacks the layer ${layerName}. Fetch or save it again.`);
    for (const weightName of strings(group, "weight_names") ?? []) {
      const name = `${layerName}/${plainName(weightName)}`;
      if (!name.split("/").some((part) => trunkLayer(part))) continue;
      const dataset = group.get(weightName);
      if (!file.isDataset(dataset)) throw new WeightsError(`${path}: lacks ${weightName}. Fetch or save it again.`);
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
function variables(path: string, file: H5File): readonly VariableGroup[] {
  const found = [...variableGroups(file, file.root, [])].filter(({ shapes }) => shapes.length > 0);
  if (found.length > 0) return found;
  throw new WeightsError(`${path}: holds no weights of Keras. Save the model with model.save("trunk.h5").`);
}

function* variableGroups(file: H5File, group: Group, path: readonly string[]): Generator<VariableGroup> {
  for (const key of group.keys()) {
    const child = group.get(key);
    if (!file.isGroup(child)) continue;
    if (key !== "vars") {
      yield* variableGroups(file, child, [...path, key]);
      continue;
    }
    const datasets = child
      .keys()
      .sort((a, b) => Number(a) - Number(b))
      .map((index) => child.get(index))
      .filter((entity) => file.isDataset(entity));
    yield {
      path: path.join("/"),
      layer: strings(child, "name")?.[0],
      shapes: datasets.map(({ shape }) => shape ?? []),
      read: (index) => file.floats(datasets[index]),
    };
  }
}

function topology(path: string, root: Group): unknown {
  const [text] = strings(root, "model_config") ?? [];
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch (cause) {
    throw new WeightsError(`${path}: its model_config is not JSON. Fetch or save it again.`, { cause });
  }
}

function brief(names: readonly string[]): string {
  const shown = names.slice(0, 4).join(", ");
  return names.length > 4 ? `${shown} and ${names.length - 4} more` : shown;
}
