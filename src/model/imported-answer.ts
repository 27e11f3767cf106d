/** The answer of an imported network: whatever follows the last layer that heads can read, as the file has it. */

import * as tf from "@tensorflow/tfjs";
import { ConfigError } from "../core/errors.js";
import { classifier } from "../heads/classifier.js";
import type { Head } from "../heads/head.js";
import type { ClassifierSpec, HeadBase, PresenceSpec } from "../heads/head-spec.js";
import { presence } from "../heads/presence.js";
import type { Parameters, Trunk } from "../trunk/trunk.js";
import type { Network } from "./network.js";

/**
 * Its parameters are the network's. Labels are encoded, and the loss computed, as of any classifier.
 *
 * @throws ConfigError where the trunk is not an imported network, or the head reads another layer than its last.
 */
export function importedClassifier(spec: ClassifierSpec, trunk: Trunk): Head<ClassifierSpec> {
  const { taps, answer } = importedAnswer(spec, trunk);
  const ordinary = classifier(spec, { inputSize: trunk.spec.inputSize, taps });
  return {
    ...ordinary,
    parameters: [],
    forward: (parameters, [features]) =>
      tf.tidy(() => {
        const found = answer(parameters, features);
        return tf.reshape(found, [found.shape[0], ...ordinary.outputShape]);
      }),
  };
}

/**
 * The presence of a class of an imported network: its logit, or, of a softmax, its log-odds against the other classes.
 *
 * @throws ConfigError where the network was not imported, or the head reads another layer than its last.
 */
export function importedPresence(
  spec: PresenceSpec & Required<Pick<PresenceSpec, "output">>,
  { trunk, ownParameters }: Network,
): Head<PresenceSpec> {
  const { output } = spec;
  const { taps, answer } = importedAnswer(spec, trunk);
  return {
    ...presence(spec, { inputSize: trunk.spec.inputSize, taps }),
    parameters: [],
    forward: (parameters, [features]) =>
      tf.tidy(() => {
        const found = answer(ownParameters(parameters), features);
        const logits = tf.reshape(found, [found.shape[0], output.of]); // [batch, classes]
        const asked = tf.slice(logits, [0, output.index], [-1, 1]);
        if (output.is === "alone") return asked;
        const isAsked = Float32Array.from({ length: output.of }, (_, index) => (index === output.index ? 1 : 0));
        const others = tf.sub(logits, tf.mul(tf.tensor2d(isAsked, [1, output.of]), FAR_BELOW));
        return tf.sub(asked, tf.logSumExp(others, 1, true));
      }),
  };
}

/** From features of the last layer of an imported network to its answer, and that layer. */
function importedAnswer({ name, taps }: HeadBase, trunk: Trunk) {
  const { network } = trunk.spec;
  const [tap] = taps;
  if (!network || taps.length !== 1 || tap !== trunk.output)
    throw new ConfigError(`head "${name}": is imported, and reads the last layer of an imported network alone.`);
  return {
    taps: trunk.taps.filter((one) => one.name === tap),
    answer: (parameters: Parameters, features: tf.Tensor4D): tf.Tensor =>
      trunk.run(parameters, { [tap]: features }, [network.answer])[network.answer],
  };
}

/** Below any logit, so that a class drops out of a logsumexp. */
const FAR_BELOW = 1e9;
