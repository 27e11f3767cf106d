/** The training step as one pure tensor function: forward, masked losses, gradients, Adam, moving statistics. */

import * as tf from "@tensorflow/tfjs";
import { ownValue } from "../core/own-value.js";
import { shapeOf } from "../core/size.js";
import type { CompileOptions, TensorFunction, Tensors } from "../engine/engine.js";
import { imageShapes } from "../model/image-inputs.js";
import { answer, features, type Model, predict } from "../model/model.js";
import type { BatchNorm } from "../trunk/trunk.js";
import { movingAverage } from "./state-names.js";
import { type Teacher, teacherLoss } from "./teacher.js";
import { addGradients, applyGradients, averageWith } from "./update.js";

export { firstMoment, secondMoment } from "./state-names.js";

/** Share of the old moving statistics that a step keeps (the complement of PyTorch's momentum 0.03). */
const MOMENTUM = 0.97;

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
  /** Which batch of a group this is: its `only` one (default), its `last`, or one after which `more` follow. */
  readonly accumulation?: "only" | "last" | "more";
  /** Keep moving averages of the parameters that learn. */
  readonly isAveraged?: boolean;
  /** Large losses of heads count less: see `balanced`. */
  readonly isBalanced?: boolean;
  /** Share of the classifier's pooled features that a step drops; 0 (default) drops none. */
  readonly dropout?: number;
  /**
   * Share of each label that is given to all classes alike (Szegedy et al. 2016, arXiv:1512.00567); 0 (default) none.
   */
  readonly labelSmoothing?: number;
  readonly teacher?: Teacher;
}

/**
 * One batch. Inputs: the model's, `label/<head>/<what>` for each head, and the scalars `rate/trunk` and `rate/heads`
 * (learning rate with Adam's bias correction), `gradient/share` (1 / batches in the group), `average/decay`, `seed` (of
 * the dropout), as far as the options need them. Outputs: `loss` (the weighted sum), `loss/<head>` and, with a teacher,
 * `loss/teacher`. State: parameters,
 * moments, and as far as needed sums of gradients and averages. A batch after which more follow moves no parameter.
 */
export function trainingStep(model: Model, options: StepOptions): TensorFunction {
  const {
    input,
    trainable,
    batchNorm,
    weights,
    accumulation = "only",
    isAveraged = false,
    isBalanced = false,
    dropout: rate = 0,
    teacher,
  } = options;
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
      const parameters = { ...constants, ...state, ...learning };
      const given = modelValues(inputs, input);
      const { output } = model.trunk;
      const taps = teacher && !model.taps.includes(output) ? [...model.taps, output] : model.taps;
      const read = features(model, parameters, given, { taps, batchNorm: mode });
      const dropout = rate > 0 ? { rate, seed: inputs.seed } : undefined;
      const losses = model.heads.map((head) => {
        const { name } = head.spec;
        const labels = Object.fromEntries(
          Object.keys(head.labelShapes).map((what) => [what, inputs[`label/${name}/${what}`]]),
        );
        if (head === model.classifier) labels.target = smoothed(labels.target, model, options);
        const loss = tf.keep(head.loss(answer(head, parameters, read, { dropout }), labels));
        outputs[`loss/${name}`] = loss;
        return tf.mul(isBalanced ? balanced(loss) : loss, ownValue(weights, name) ?? 1);
      });
      if (teacher) {
        const loss = tf.keep(teacherLoss(teacher, parameters, { features: read[output], image: given.input }));
        outputs["loss/teacher"] = loss;
        losses.push(tf.mul(loss, teacher.weight));
      }
      return tf.addN(losses).asScalar();
    };
    const { value, grads } = tf.valueAndGrads(total)(trainable.map((name) => state[name]));
    outputs.loss = value;
    const gradients = Object.fromEntries(trainable.map((name, index) => [name, grads[index]]));
    const updated =
      accumulation === "more"
        ? addGradients(gradients, { state })
        : applyGradients(gradients, { inputs, state, isAccumulated: accumulation === "last", isAveraged });
    const averages = isAveraged && accumulation !== "more" ? averagesOf(changed, { inputs, state }) : {};
    return { outputs, state: { ...changed, ...updated, ...averages } };
  };
}

/** The loss at which a head's gradient counts half. */
const HALF = 0.5;

/**
 * `h log(1 + loss / h)`: the gradient of a head with a large loss counts less, so that it does not drown the others,
 * and that of a small loss as it is. For large losses this is the weighting by uncertainty of Kendall et al. 2018
 * (arXiv:1705.07115) at its optimum, `log(loss)`, which needs no parameter of its own.
 */
function balanced(loss: tf.Tensor): tf.Tensor {
  return tf.mul(tf.log1p(tf.div(loss, HALF)), HALF);
}

/** Moving averages of statistics, as `applyGradients` keeps them of parameters. */
function averagesOf(
  statistics: Readonly<Record<string, tf.Tensor>>,
  { inputs, state }: { inputs: Tensors; state: Tensors },
): Record<string, tf.Tensor> {
  const names = Object.keys(statistics).map((name) => [movingAverage(name), statistics[name]] as const);
  return Object.fromEntries(names.map(([average, value]) => [average, averageWith(value, state[average], inputs)]));
}

/** Labels of one class each, part of them spread over all classes. */
function smoothed(target: tf.Tensor, { classifier: { spec } }: Model, { labelSmoothing = 0 }: StepOptions): tf.Tensor {
  if (labelSmoothing === 0 || spec.task !== "single") return target;
  return tf.add(tf.mul(target, 1 - labelSmoothing), labelSmoothing / spec.classes.length);
}

/**
 * Every head's answer with the parameters of the moment; batch normalisation by its moving statistics.
 *
 * @param options.averaged parameters of which the moving average is used.
 */
export function evaluationStep(
  model: Model,
  { input, averaged = [] }: { input: ModelInput; averaged?: readonly string[] },
): TensorFunction {
  return ({ inputs, constants, state }) => {
    const averages = Object.fromEntries(averaged.map((name) => [name, state[movingAverage(name)]]));
    const parameters = { ...constants, ...state, ...averages };
    const values = modelValues(inputs, input);
    return { outputs: predict(model, parameters, values, { batchNorm: { mode: "moving" }, images: inputs }) };
  };
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
  if (input.kind === "image") return imageShapes(model.spec, batchSize);
  return Object.fromEntries(
    model.trunk.taps
      .filter((tap) => input.taps.includes(tap.name))
      .map((tap) => [`tap/${tap.name}`, [batchSize, ...shapeOf(tap.size), tap.channels]]),
  );
}

/** Shapes of all labels and learning rates for a batch. */
export function labelInputShapes(model: Model, batchSize: number): CompileOptions["inputs"] {
  const labels = model.heads.flatMap((head) =>
    Object.entries(head.labelShapes).map(([what, shape]) => [`label/${head.spec.name}/${what}`, [batchSize, ...shape]]),
  );
  return { ...Object.fromEntries(labels), "rate/trunk": [], "rate/heads": [] };
}

/** Shapes of everything that a training step with these options reads. */
export function stepInputShapes(model: Model, options: StepOptions): CompileOptions["inputs"] {
  const { input, batchSize, accumulation = "only", isAveraged = false, dropout = 0 } = options;
  return {
    ...modelInputShapes(model, input, batchSize),
    ...labelInputShapes(model, batchSize),
    ...(accumulation === "only" ? {} : { "gradient/share": [] }),
    ...(isAveraged ? { "average/decay": [] } : {}),
    ...(dropout > 0 ? { seed: [] } : {}),
  };
}

function modelValues(inputs: Tensors, input: ModelInput): Record<string, tf.Tensor4D> {
  if (input.kind === "image") return { input: inputs.image as tf.Tensor4D };
  return Object.fromEntries(input.taps.map((tap) => [tap, inputs[`tap/${tap}`] as tf.Tensor4D]));
}
