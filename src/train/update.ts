/** From gradients to new parameters, as pure tensor operations: gradient accumulation, Adam, moving averages. */

import * as tf from "@tensorflow/tfjs";
import type { Tensors } from "../engine/engine.js";
import { adam } from "./adam.js";
import { multiTensor } from "./multi-tensor.js";
import { firstMoment, gradientSum, movingAverage, secondMoment } from "./state-names.js";

/** Elements up to which a parameter is updated in one vector with others. */
const SMALL = 4096;

/** Where each array of a parameter lies in the state. */
const NAMES = {
  parameter: (name: string) => name,
  first: firstMoment,
  second: secondMoment,
  sum: gradientSum,
  average: movingAverage,
};
type Kind = keyof typeof NAMES;

export interface UpdateOptions {
  readonly inputs: Tensors;
  readonly state: Tensors;
  /** This batch is the last of a group, whose other gradients lie in the state. */
  readonly isAccumulated: boolean;
  /** Moving averages of the parameters are kept. */
  readonly isAveraged: boolean;
}

/**
 * Adam on the gradients, or on the mean of the group's (`gradient/share`: 1 / its batches), whose sums start again at
 * zero. The average becomes `decay * average + (1 - decay) * parameter` (`average/decay`).
 *
 * @param gradients by parameter.
 * @returns new state by name; the caller disposes it.
 */
export function applyGradients(
  gradients: Tensors,
  { inputs, state, isAccumulated, isAveraged }: UpdateOptions,
): Record<string, tf.Tensor> {
  const kinds: Kind[] = ["parameter", "first", "second"];
  if (isAccumulated) kinds.push("sum");
  if (isAveraged) kinds.push("average");
  return updated(gradients, { state, kinds }, ({ parameter, gradient, first, second, sum, average }, rate) => {
    const total = isAccumulated ? tf.add(sum, gradient) : gradient;
    const mean = isAccumulated ? tf.mul(total, inputs["gradient/share"]) : gradient;
    const moved = adam(parameter, mean, { first, second, rate: inputs[rate] });
    const made: Partial<Record<Kind, tf.Tensor>> = { ...moved };
    // Not a constant, which would stand in the graph at its full size.
    if (isAccumulated) made.sum = tf.sub(total, total);
    if (isAveraged) made.average = averageWith(moved.parameter, average, inputs);
    return made;
  });
}

/** The average once a value has come. In this form a value that does not move has itself as its average, to the bit. */
export function averageWith(value: tf.Tensor, average: tf.Tensor, inputs: Tensors): tf.Tensor {
  return tf.add(value, tf.mul(inputs["average/decay"], tf.sub(average, value)));
}

/** Gradients of a batch that is not the last of its group. @returns new state by name; the caller disposes it. */
export function addGradients(gradients: Tensors, { state }: { state: Tensors }): Record<string, tf.Tensor> {
  return updated(gradients, { state, kinds: ["sum"] }, ({ sum, gradient }) => ({ sum: tf.add(sum, gradient) }));
}

type Given = Readonly<Record<Kind | "gradient", tf.Tensor>>;
type Rate = "rate/trunk" | "rate/heads";

/** Runs an elementwise update of the given kinds of arrays over every parameter. */
function updated(
  gradients: Tensors,
  { state, kinds }: { state: Tensors; kinds: readonly Kind[] },
  update: (given: Given, rate: Rate) => Partial<Record<Kind, tf.Tensor>>,
): Record<string, tf.Tensor> {
  const changed: Record<string, tf.Tensor> = {};
  for (const { names, rate } of updates(gradients)) {
    const parts = names.map((name) => ({
      gradient: gradients[name],
      ...Object.fromEntries(kinds.map((kind) => [kind, state[NAMES[kind](name)]])),
    })) as unknown as Given[]; // `update` reads and makes just the kinds that were asked for
    const results = multiTensor(parts, (joined) => update(joined, rate) as Record<Kind, tf.Tensor>);
    for (const [index, result] of results.entries()) {
      for (const kind of kinds) changed[NAMES[kind](names[index])] = result[kind];
    }
  }
  return changed;
}

/** Parameters that one update serves: the small ones of a rate in one, each large one alone, since joining copies. */
function updates(gradients: Tensors): { names: readonly string[]; rate: Rate }[] {
  const rates: readonly Rate[] = ["rate/trunk", "rate/heads"];
  return rates.flatMap((rate) => {
    const own = Object.keys(gradients).filter((name) => name.startsWith("trunk/") === (rate === "rate/trunk"));
    const small = own.filter((name) => gradients[name].size <= SMALL);
    const large = own.filter((name) => gradients[name].size > SMALL);
    return [small, ...large.map((name) => [name])]
      .filter((names) => names.length > 0)
      .map((names) => ({ names, rate }));
  });
}
