/**
 * Learning from a trained trunk: a linear map of the last features predicts the teacher's, at every place of every view
 * (FitNets, Romero et al. 2015, arXiv:1412.6550, at the last layer). The teacher sees the very view that the pupil
 * sees.
 */

import * as tf from "@tensorflow/tfjs";
import type { NdArrays } from "../core/nd-array.js";
import type { ParameterSpec } from "../core/parameters.js";
import type { Model } from "../model/model.js";
import type { Parameters, Trunk } from "../trunk/trunk.js";

export interface Teacher {
  /** Of the pupil's input size; its weights come folded. */
  readonly trunk: Trunk;
  /** Share of its loss in the sum. */
  readonly weight: number;
}

/** Before the names of everything that serves teaching alone, and that no finished model keeps. */
const PREFIX = "teacher/";
const KERNEL = `${PREFIX}kernel`;
const BIAS = `${PREFIX}bias`;
/** Keeps the deviation of a channel that is always zero from dividing by zero. */
const TINY = 1e-3;

/** The linear map from the pupil's channels to the teacher's. */
export function teacherParameters(model: Model, { trunk }: Teacher): ParameterSpec[] {
  const [from, to] = [outputOf(model.trunk).channels, outputOf(trunk).channels];
  return [
    { name: KERNEL, shape: [1, 1, from, to], initializer: "glorot", fanIn: from, fanOut: to, isTrainable: true },
    { name: BIAS, shape: [to], initializer: 0, isTrainable: true },
  ];
}

/** The teacher's own parameters under names that the pupil's do not have. */
export function asTeacher(parameters: NdArrays): NdArrays {
  return Object.fromEntries(Object.entries(parameters).map(([name, array]) => [PREFIX + name, array]));
}

export function isTeachers(name: string): boolean {
  return name.startsWith(PREFIX);
}

/**
 * Mean squared difference between the map of the pupil's features and the teacher's, each of whose channels is first
 * brought to mean 0 and deviation 1 over the batch, so that strong channels do not drown the others: 1 says nothing is
 * known.
 *
 * @param parameters with those of `asTeacher` and `teacherParameters`.
 * @param features the pupil's last, `[batch, size, size, channels]`.
 * @param image what it saw, `[batch, S, S, 3]`.
 * @returns a scalar; the caller disposes it.
 */
export function teacherLoss(
  { trunk }: Teacher,
  parameters: Parameters,
  { features, image }: { features: tf.Tensor4D; image: tf.Tensor4D },
): tf.Scalar {
  return tf.tidy(() => {
    const own = Object.entries(parameters).filter(([name]) => isTeachers(name));
    const unprefixed = Object.fromEntries(own.map(([name, value]) => [name.slice(PREFIX.length), value]));
    const wanted = trunk.run(unprefixed, { input: image }, [trunk.output])[trunk.output];
    const centred = tf.sub(wanted, tf.mean(wanted, [0, 1, 2], true));
    const variance = tf.mean(tf.square(centred), [0, 1, 2], true);
    const target = tf.div(centred, tf.sqrt(tf.add(variance, TINY)));
    const said = tf.add(tf.conv2d(features, parameters[KERNEL] as tf.Tensor4D, 1, "same"), parameters[BIAS]);
    return tf.mean(tf.square(tf.sub(said, target))) as tf.Scalar;
  });
}

function outputOf(trunk: Trunk): Trunk["taps"][number] {
  return trunk.taps[trunk.taps.length - 1];
}
