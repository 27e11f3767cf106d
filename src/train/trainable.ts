/** Which parameters learn in a stage, and which stay byte for byte as they are. */

import { nearest } from "../core/check-keys.js";
import { ConfigError } from "../core/errors.js";
import type { NdArrays } from "../core/nd-array.js";
import type { Model } from "../model/model.js";
import { layerOfParameter } from "../trunk/layer-parameters.js";

/**
 * Names of the parameters that learn, in a fixed order.
 *
 * @param train `heads`, `all`, or the first trunk layer that learns.
 * @param heads only these heads learn, and nothing of the trunk: for heads added to a finished model.
 * @param isTaught a teacher's features are learned from the trunk's last layer; without it, layers that no head needs do
 *   not learn.
 * @throws ConfigError where the trunk has no such layer.
 */
export function trainableNames(
  model: Model,
  parameters: NdArrays,
  { train, heads, isTaught = false }: { train: string; heads?: readonly string[]; isTaught?: boolean },
): string[] {
  const specs = [...model.trunk.parameters, ...model.trunk.foldedParameters];
  const names = model.trunk.taps.map((tap) => tap.name);
  const needed = isTaught ? names : names.slice(0, names.indexOf(model.taps[model.taps.length - 1]) + 1);
  const learning = new Set(heads ? [] : trunkLayers(model, train));
  const layers = new Set(needed.filter((name) => learning.has(name)));
  const ofTrunk = specs.filter(
    (spec) => spec.isTrainable && spec.name in parameters && layers.has(layerOfParameter(spec.name)),
  );
  const ofHeads = model.heads
    .filter((head) => !heads || heads.includes(head.spec.name))
    .flatMap((head) => head.parameters);
  return [...new Set([...ofTrunk, ...ofHeads].map((spec) => spec.name))];
}

/** Layers of the trunk that learn in a stage. */
function trunkLayers(model: Model, train: string): readonly string[] {
  if (train === "all") return model.trunk.taps.map((tap) => tap.name);
  const names = model.trunk.taps.map((tap) => tap.name);
  if (train === "heads") return names.slice(names.indexOf(deepestAspectTap(model)) + 1);
  if (!names.includes(train)) {
    const near = nearest(train, names);
    throw new ConfigError(
      `stages: train "${train}" is neither "heads" nor "all" nor a layer of ${model.spec.trunk.name}.`,
      { cure: `${near ? `Did you mean "${near}"? ` : ""}Layers: ${names.slice(1).join(", ")}.` },
    );
  }
  return model.trunk.layersFrom(train);
}

/** The last layer that an aspect head reads; the layers after it belong to the classifier alone. */
export function deepestAspectTap(model: Model): string {
  return model.aspectTaps[model.aspectTaps.length - 1] ?? model.spec.source;
}

/** Whether any of a head's own parameters learns. @param trainable names of the parameters that learn. */
export function isLearning(
  { parameters }: Pick<Model["heads"][number], "parameters">,
  trainable: readonly string[],
): boolean {
  return parameters.some(({ name }) => trainable.includes(name));
}
