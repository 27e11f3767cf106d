/**
 * The mapping of colour to grey, for aspect heads that were trained on grey images: a given mapping that is no
 * identity.
 */

import * as tf from "@tensorflow/tfjs";
import { ConfigError } from "../../../core/errors.js";
import { LUMA } from "../../../core/luma.js";
import type { MappingOf } from "./mapping.js";

/** @throws ConfigError where another layer than the image is masked. */
export const grey: MappingOf =
  ({ trunk }, parameters) =>
  (features, from, to) => {
    if (from !== "input")
      throw new ConfigError(`mapping: grey leads from the image, got layer "${from}".`, {
        cure: 'Explain at the tap "input".',
      });
    return tf.tidy(() => {
      const luma = tf.sum(tf.mul(features, [...LUMA]), 3, true); // [batch, S, S, 1]
      return trunk.run(parameters, { input: tf.tile(luma, [1, 1, 1, 3]) as tf.Tensor4D }, [to])[to];
    });
  };
