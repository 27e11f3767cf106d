/** Writes HDF5 files as Keras does, in each of its layouts. */

import { readFileSync, writeFileSync } from "node:fs";
import { type Zippable, zipSync } from "fflate";
import * as h5 from "h5wasm/node";
import type { NdArray, NdArrays } from "../../src/core/nd-array.js";

/** Arrays of a layer under the names that the file shall have, in order. */
export type KerasLayers = Readonly<Record<string, NdArrays>>;

export interface KerasLayout {
  /** Keras 1 and 2 wrote strings of fixed length, newer versions of variable length. */
  readonly strings?: "fixed" | "variable";
  /** A whole model: weights in `model_weights`, and this as its `model_config`. */
  readonly config?: unknown;
  /** Lists of names as Keras splits those of more than 64 kB: this many an attribute. */
  readonly namesAnAttribute?: number;
}

/** `layer_names` at the top, `weight_names` at each layer, arrays below under those names. */
export async function writeNamed(
  path: string,
  layers: KerasLayers,
  { strings = "variable", config, namesAnAttribute }: KerasLayout = {},
): Promise<string> {
  await h5.ready;
  const file = new h5.File(path, "w");
  const top = config === undefined ? file : file.create_group("model_weights");
  if (config !== undefined) file.create_attribute("model_config", JSON.stringify(config));
  const list = (group: h5.Group, name: string, values: readonly string[]) => {
    const dtype = strings === "fixed" ? `S${Math.max(1, ...values.map((value) => value.length))}` : null;
    if (strings === "fixed" || values.length > 0) group.create_attribute(name, [...values], [values.length], dtype);
    // What h5py makes of an empty list.
    else group.create_attribute(name, new Float64Array(), [0]);
  };
  const names = Object.keys(layers);
  if (namesAnAttribute === undefined) list(top, "layer_names", names);
  else
    for (let index = 0; index * namesAnAttribute < names.length; index++)
      list(top, `layer_names${index}`, names.slice(index * namesAnAttribute, (index + 1) * namesAnAttribute));
  for (const [layer, arrays] of Object.entries(layers)) {
    const group = top.create_group(layer);
    list(group, "weight_names", Object.keys(arrays));
    for (const [name, array] of Object.entries(arrays)) writeArray(group, name.split("/"), array);
  }
  file.close();
  return path;
}

/** Keras 3's `.weights.h5`: groups called by class and count, arrays called `0`, `1`. The name of each layer is optional. */
export async function writeVariables(
  path: string,
  layers: readonly { readonly group: string; readonly name?: string; readonly arrays: readonly NdArray[] }[],
): Promise<string> {
  await h5.ready;
  const file = new h5.File(path, "w");
  const parent = file.create_group("layers");
  for (const { group, name, arrays } of layers) {
    const variables = parent.create_group(group).create_group("vars");
    if (name !== undefined) variables.create_attribute("name", name);
    arrays.forEach((array, index) => {
      writeArray(variables, [String(index)], array);
    });
  }
  file.close();
  return path;
}

/** Arrays of a group, by its place such as `layers/conv2d_1`. */
export type KerasGroups = Readonly<Record<string, { readonly name?: string; readonly arrays: readonly NdArray[] }>>;

/** A `.keras`: what the model is, and the arrays `0`, `1` and so on of each group. `stored`: nothing is compressed. */
export async function writeArchive(
  path: string,
  { config, groups, version = "3.5.0" }: { config: unknown; groups: KerasGroups; version?: string },
): Promise<string> {
  await h5.ready;
  const weights = `${path}.weights.h5`;
  const file = new h5.File(weights, "w");
  for (const [place, { name, arrays }] of Object.entries(groups)) {
    let group: h5.Group = file;
    for (const part of [...place.split("/"), "vars"]) {
      const child = group.get(part);
      group = child instanceof h5.Group ? child : group.create_group(part);
    }
    if (name !== undefined) group.create_attribute("name", name);
    arrays.forEach((array, index) => {
      writeArray(group, [String(index)], array);
    });
  }
  file.close();
  const json = (value: unknown) => Buffer.from(JSON.stringify(value));
  const files: Zippable = {
    "metadata.json": json({ keras_version: version, date_saved: "2026-01-01@00:00:00" }),
    "config.json": json(config),
    "model.weights.h5": [readFileSync(weights), { level: 0 }],
  };
  writeFileSync(path, zipSync(files));
  return path;
}

function writeArray(group: h5.Group, [name, ...rest]: readonly string[], array: NdArray): void {
  if (rest.length === 0) {
    group.create_dataset({ name, data: array.data, shape: [...array.shape] });
    return;
  }
  const child = group.get(name);
  writeArray(child instanceof h5.Group ? child : group.create_group(name), rest, array);
}
