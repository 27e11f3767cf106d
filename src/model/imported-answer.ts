/** The answer of an imported network: whatever follows the last layer that heads can read, as the file has it. */

import * as tf from "@tensorflow/tfjs";
import { ConfigError } from "../core/errors.js";
import { type Size, shapeOf } from "../core/size.js";
import { classifier } from "../heads/classifier.js";
import { createHead } from "../heads/create-head.js";
import type { Head } from "../heads/head.js";
import type { AspectSpec, ClassifierSpec, HeadBase, ImportedOutput } from "../heads/head-spec.js";
import { resizeBilinear } from "../ops/resize-bilinear.js";
import { answersByPlace } from "../trunk/networks/network-table.js";
import type { Parameters, Trunk } from "../trunk/trunk.js";
import type { Network } from "./network.js";

/**
 * Its parameters are the network's; of a map it is the mean over all places. Labels are encoded, and the loss computed, as of any classifier.
 *
 * @throws ConfigError where the trunk is not an imported network, or the head reads another layer than its last.
 */
export function importedClassifier(spec: ClassifierSpec, trunk: Trunk): Head<ClassifierSpec> {
  const { taps, answer, isMap } = importedAnswer(spec, trunk);
  const ordinary = classifier(spec, { inputSize: trunk.spec.inputSize, taps });
  return {
    ...ordinary,
    parameters: [],
    forward: (parameters, [features]) =>
      tf.tidy(() => {
        const found = answer(parameters, features);
        return isMap ? tf.mean(found, [1, 2]) : tf.reshape(found, [found.shape[0], ...ordinary.outputShape]);
      }),
  };
}

/**
 * An output of an imported network as an aspect: its logit, or, of a softmax, its log-odds against the others; of a map
 * that at each place, resized to the classifier's image.
 *
 * @param options.inputSize of the classifier's image.
 * @throws ConfigError where the network was not imported, the head reads another layer than its last, or is of a kind
 *   that the output cannot be.
 */
export function importedAspect<Spec extends AspectSpec>(
  spec: Spec,
  output: ImportedOutput,
  { network: { trunk, ownParameters }, inputSize }: { readonly network: Network; readonly inputSize: Size },
): Head {
  const { taps, answer, isMap } = importedAnswer(spec, trunk);
  const isOfMap = spec.kind === "segmentation" || (spec.kind === "amount" && spec.form === "map");
  if (spec.kind === "boxes" || isMap !== isOfMap)
    throw new ConfigError(`head "${spec.name}": what its network ends in is no ${spec.kind}.`);
  return {
    ...createHead(spec, { inputSize, taps }),
    parameters: [],
    forward: (parameters, [features]) =>
      tf.tidy(() => {
        const found = answer(ownParameters(parameters), features);
        const [batch] = found.shape;
        if (isMap) return resizeBilinear(asked(found as tf.Tensor4D, output), shapeOf(inputSize));
        return tf.reshape(asked(tf.reshape(found, [batch, 1, 1, output.of]), output), [batch, 1]);
      }),
  };
}

/**
 * One of the outputs along the last axis, `[batch, height, width, of]`. Weights choose it, not places in memory: heads of
 * one network then differ in constants alone, and the engine computes them, with their gradients, side by side.
 */
function asked(logits: tf.Tensor4D, { index, of, is }: ImportedOutput): tf.Tensor4D {
  const weights = (asked: number, other: number) =>
    Float32Array.from({ length: of }, (_, at) => (at === index ? asked : other));
  const one = tf.conv2d(logits, tf.tensor4d(weights(1, 0), [1, 1, of, 1]), 1, "valid");
  if (is === "alone") return one;
  const others = tf.add(logits, tf.tensor1d(weights(-FAR_BELOW, 0)));
  return tf.sub(one, tf.logSumExp(others, 3, true));
}

/** From features of the last layer of an imported network to its answer, and that layer. */
function importedAnswer({ name, taps }: HeadBase, trunk: Trunk) {
  const { network } = trunk.spec;
  const [tap] = taps;
  if (!network || taps.length !== 1 || tap !== trunk.output)
    throw new ConfigError(`head "${name}": is imported, and reads the last layer of an imported network alone.`);
  return {
    isMap: answersByPlace(network),
    taps: trunk.taps.filter((one) => one.name === tap),
    answer: (parameters: Parameters, features: tf.Tensor4D): tf.Tensor =>
      trunk.run(parameters, { [tap]: features }, [network.answer])[network.answer],
  };
}

/** Below any logit, so that a class drops out of a logsumexp. */
const FAR_BELOW = 1e9;
