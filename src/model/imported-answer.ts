/** The answer of an imported network: whatever follows the last layer that heads can read, as the file has it. */

import * as tf from "@tensorflow/tfjs";
import { ConfigError } from "../core/errors.js";
import { classifier } from "../heads/classifier.js";
import type { Head } from "../heads/head.js";
import type { ClassifierSpec, PresenceSpec } from "../heads/head-spec.js";
import { presence } from "../heads/presence.js";
import type { Trunk } from "../trunk/trunk.js";
import type { Network } from "./network.js";

/**
 * Its parameters are the network's. Labels are encoded, and the loss computed, as of any classifier.
 *
 * @throws ConfigError where the trunk is not an imported network, or the head reads another layer than its last.
 */
export function importedClassifier(spec: ClassifierSpec, trunk: Trunk): Head<ClassifierSpec> {
  const { network } = trunk.spec;
  const [tap] = spec.taps;
  if (!network || spec.taps.length !== 1 || tap !== trunk.output)
    throw new ConfigError(`head "${spec.name}": is imported, and reads the last layer of an imported network alone.`);
  const ordinary = classifier(spec, {
    inputSize: trunk.spec.inputSize,
    taps: trunk.taps.filter((one) => one.name === tap),
  });
  return {
    ...ordinary,
    parameters: [],
    forward: (parameters, [features]) =>
      tf.tidy(() => {
        const { [network.answer]: answer } = trunk.run(parameters, { [tap]: features }, [network.answer]);
        return tf.reshape(answer, [answer.shape[0], ...ordinary.outputShape]);
      }),
  };
}

/**
 * The presence of a class of an imported network: its logit, or, of a softmax, its log-odds against the other classes.
 *
 * @throws ConfigError where the network was not imported, or the head reads another layer than its last.
 */
export function importedPresence(spec: PresenceSpec, network: Network): Head<PresenceSpec> {
  const { output } = spec;
  const { trunk } = network;
  const table = trunk.spec.network;
  const [tap] = spec.taps;
  if (!output || !table || spec.taps.length !== 1 || tap !== trunk.output)
    throw new ConfigError(`head "${spec.name}": a class of a network reads the last layer of an imported one alone.`);
  const ordinary = presence(spec, {
    inputSize: trunk.spec.inputSize,
    taps: trunk.taps.filter((one) => one.name === tap),
  });
  return {
    ...ordinary,
    parameters: [],
    forward: (parameters, [features]) =>
      tf.tidy(() => {
        const own = network.ownParameters(parameters);
        const { [table.answer]: answer } = trunk.run(own, { [tap]: features }, [table.answer]);
        const logits = tf.reshape(answer, [answer.shape[0], output.of]); // [batch, classes]
        const asked = tf.slice(logits, [0, output.index], [-1, 1]);
        if (output.is === "alone") return asked;
        const isAsked = Float32Array.from({ length: output.of }, (_, index) => (index === output.index ? 1 : 0));
        const others = tf.sub(logits, tf.mul(tf.tensor2d(isAsked, [1, output.of]), FAR_BELOW));
        return tf.sub(asked, tf.logSumExp(others, 1, true));
      }),
  };
}

/** Below any logit, so that a class drops out of a logsumexp. */
const FAR_BELOW = 1e9;
