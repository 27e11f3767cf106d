/** The classifier of an imported network: whatever follows the last layer that heads can read, as the file has it. */

import * as tf from "@tensorflow/tfjs";
import { ConfigError } from "../core/errors.js";
import { classifier } from "../heads/classifier.js";
import type { Head } from "../heads/head.js";
import type { ClassifierSpec } from "../heads/head-spec.js";
import type { Trunk } from "../trunk/trunk.js";

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
