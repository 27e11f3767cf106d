/** The training step as one pure tensor function: forward, masked losses, gradients, Adam, moving statistics. */

import * as tf from "@tensorflow/tfjs";
import type { CompileOptions, TensorFunction, Tensors } from "../engine/engine.js";
import { features, type Model, predict } from "../model.js";
import type { BatchNorm } from "../trunk/trunk.js";
import { adamTogether } from "./adam.js";

/** Share of the old moving statistics that a step keeps (the complement of PyTorch's momentum 0.03). */
const MOMENTUM = 0.97;

/** Elements up to which a parameter is updated together with others. */
const SMALL = 4096;

/** Names of state arrays beside the parameters. */
export const firstMoment = (name: string) => `adam/first/${name}`;
export const secondMoment = (name: string) => `adam/second/${name}`;

/** What enters the model: images, or features of a frozen trunk that were computed before. */
export type ModelInput = { readonly kind: "image" } | { readonly kind: "features"; readonly taps: readonly string[] };

export interface StepOptions {
  readonly input: ModelInput;
  readonly batchSize: number;
  /** Parameters that learn; they and their moments lie in the state. */
  readonly trainable: readonly string[];
  readonly batchNorm: "batch" | "frozen";
  /** Weight of each head's loss. */
  readonly weights: Readonly<Record<string, number>>;
}

/**
 * Inputs: the model's, `answer/<head>/<what>` for each head, and the scalars `rate/trunk` and `rate/heads` (learning rate
 * with Adam's bias correction). Outputs: `loss` (the weighted sum) and `loss/<head>`. State: parameters and moments.
 */
export function trainingStep(model: Model, { input, trainable, batchNorm, weights }: StepOptions): TensorFunction {
  return ({ inputs, constants, state }) => {
    const outputs: Record<string, tf.Tensor> = {};
    const changed: Record<string, tf.Tensor> = {};
    const mode: BatchNorm =
      batchNorm === "batch"
        ? {
            mode: "batch",
            momentum: MOMENTUM,
            update: (name, value) => Object.assign(changed, { [name]: tf.keep(value) }),
          }
        : { mode: "moving" };
    const total = (...values: tf.Tensor[]): tf.Scalar => {
      const learning = Object.fromEntries(trainable.map((name, index) => [name, values[index]]));
      const logits = predict(model, { ...constants, ...state, ...learning }, modelValues(inputs, input), {
        batchNorm: mode,
      });
      const losses = model.heads.map((head) => {
        const { name } = head.spec;
        const answers = Object.fromEntries(
          Object.keys(head.answerShapes).map((what) => [what, inputs[`answer/${name}/${what}`]]),
        );
        const loss = tf.keep(head.loss(logits[name], answers));
        outputs[`loss/${name}`] = loss;
        return tf.mul(loss, weights[name] ?? 1);
      });
      return tf.addN(losses).asScalar();
    };
    const { value, grads } = tf.valueAndGrads(total)(trainable.map((name) => state[name]));
    outputs.loss = value;
    for (const { names, rate } of updateGroups(trainable, state)) {
      const parts = names.map((name) => ({
        parameter: state[name],
        gradient: grads[trainable.indexOf(name)],
        first: state[firstMoment(name)],
        second: state[secondMoment(name)],
      }));
      adamTogether(parts, { rate: inputs[rate] }).forEach((updated, index) => {
        changed[names[index]] = updated.parameter;
        changed[firstMoment(names[index])] = updated.first;
        changed[secondMoment(names[index])] = updated.second;
      });
    }
    return { outputs, state: changed };
  };
}

/** Parameters that one update serves: the small ones of a rate together, each large one alone, since joining copies. */
function updateGroups(trainable: readonly string[], state: Tensors): { names: readonly string[]; rate: string }[] {
  return ["rate/trunk", "rate/heads"].flatMap((rate) => {
    const own = trainable.filter((name) => name.startsWith("trunk/") === (rate === "rate/trunk"));
    const small = own.filter((name) => state[name].size <= SMALL);
    const large = own.filter((name) => state[name].size > SMALL);
    return [small, ...large.map((name) => [name])]
      .filter((names) => names.length > 0)
      .map((names) => ({ names, rate }));
  });
}

/** Every head's answer with the parameters of the moment; batch normalisation by its moving statistics. */
export function evaluationStep(model: Model, { input }: { input: ModelInput }): TensorFunction {
  return ({ inputs, constants, state }) => ({
    outputs: predict(model, { ...constants, ...state }, modelValues(inputs, input), { batchNorm: { mode: "moving" } }),
  });
}

/** Features of the given layers, `tap/<layer>` each, for the cache of a frozen trunk. */
export function featureStep(model: Model, { taps }: { taps: readonly string[] }): TensorFunction {
  return ({ inputs, constants }) => {
    const read = features(
      model,
      constants,
      { input: inputs.image as tf.Tensor4D },
      { taps, batchNorm: { mode: "moving" } },
    );
    return { outputs: Object.fromEntries(taps.map((tap) => [`tap/${tap}`, read[tap]])) };
  };
}

/** Shapes of the model's inputs for a batch. */
export function modelInputShapes(model: Model, input: ModelInput, batchSize: number): CompileOptions["inputs"] {
  const side = model.spec.trunk.inputSize;
  if (input.kind === "image") return { image: [batchSize, side, side, 3] };
  return Object.fromEntries(
    model.trunk.taps
      .filter((tap) => input.taps.includes(tap.name))
      .map((tap) => [`tap/${tap.name}`, [batchSize, tap.size, tap.size, tap.channels]]),
  );
}

/** Shapes of all answers and rates for a batch. */
export function answerInputShapes(model: Model, batchSize: number): CompileOptions["inputs"] {
  const answers = model.heads.flatMap((head) =>
    Object.entries(head.answerShapes).map(([what, shape]) => [
      `answer/${head.spec.name}/${what}`,
      [batchSize, ...shape],
    ]),
  );
  return { ...Object.fromEntries(answers), "rate/trunk": [], "rate/heads": [] };
}

function modelValues(inputs: Tensors, input: ModelInput): Record<string, tf.Tensor4D> {
  if (input.kind === "image") return { input: inputs.image as tf.Tensor4D };
  return Object.fromEntries(input.taps.map((tap) => [tap, inputs[`tap/${tap}`] as tf.Tensor4D]));
}
