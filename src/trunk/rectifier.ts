/** The activation of a layer, and the rule by which a gradient goes back through it. */

import * as tf from "@tensorflow/tfjs";

/**
 * `gradient`: the derivative. `guided`: only where both the layer was active and the gradient is positive (Springenberg
 * et al. 2014, arXiv:1412.6806). `deconvnet`: wherever the gradient is positive, whatever the layer did (Zeiler and
 * Fergus 2013, arXiv:1311.2901).
 */
export type Rectifier = "gradient" | "guided" | "deconvnet";

/**
 * `relu(x)`, or `min(relu(x), 6)`, of which the papers know nothing: `guided` counts the upper end as inactive too, as
 * the derivative does.
 *
 * @returns the shape of `x`; the caller disposes it.
 */
export function rectify(
  x: tf.Tensor4D,
  { activation, rectifier = "gradient" }: { activation: "relu" | "relu6"; rectifier?: Rectifier },
): tf.Tensor4D {
  const forward = activation === "relu" ? tf.relu : tf.relu6;
  if (rectifier === "gradient") return forward(x);
  const ruled = tf.customGrad((...given) => {
    const [input, save] = given as unknown as [tf.Tensor, tf.GradSaveFunc];
    const value = forward(input);
    save([value]);
    const gradFunc = (dy: tf.Tensor, [output]: tf.Tensor[]) => {
      const positive = tf.relu(dy);
      return rectifier === "deconvnet" ? positive : tf.mul(positive, isActive(output, activation));
    };
    return { value, gradFunc };
  });
  return ruled(x) as tf.Tensor4D;
}

/** 1 where the derivative of the activation is 1, else 0, read off its output. */
function isActive(output: tf.Tensor, activation: "relu" | "relu6"): tf.Tensor {
  const isPositive = tf.cast(tf.greater(output, 0), "float32");
  return activation === "relu" ? isPositive : tf.mul(isPositive, tf.cast(tf.less(output, 6), "float32"));
}
