/** A layers-model that ends in its logits: without the softmax or sigmoid that its last layer has or is. */

import { isRecord } from "../core/json-values.js";

/**
 * @param topology as a `model.json` has it; it is not changed.
 * @returns `undefined` where the last layer has none, or what is last cannot be told.
 */
export function withoutEnding(topology: unknown): object | undefined {
  const changed: unknown = structuredClone(topology);
  let model = isRecord(changed) && isRecord(changed.model_config) ? changed.model_config : changed;
  // Models inside models, of which the last ends all.
  while (isRecord(model) && MODELS.includes(String(model.class_name))) model = lastOf(model);
  if (!isRecord(changed) || !isRecord(model) || !isRecord(model.config)) return undefined;
  const { config } = model;
  if (model.class_name === "Softmax") {
    Object.assign(model, { class_name: "Activation", config: { name: config.name, activation: "linear" } });
    return changed;
  }
  if (config.activation !== "softmax" && config.activation !== "sigmoid") return undefined;
  config.activation = "linear";
  return changed;
}

const MODELS = ["Sequential", "Model", "Functional"];

function lastOf({ class_name: name, config }: Record<string, unknown>): unknown {
  const layers: unknown = Array.isArray(config) ? config : isRecord(config) ? config.layers : undefined;
  if (!Array.isArray(layers)) return undefined;
  if (name === "Sequential" || !isRecord(config)) return layers.at(-1);
  const [output] = Array.isArray(config.output_layers) ? config.output_layers.flat() : [];
  return layers.find((layer) => isRecord(layer) && layer.name === output);
}
