/** Narrow trunks on small inputs, with weights that leave no parameter without effect. */

import * as tf from "@tensorflow/tfjs";
import type { NdArray, NdArrays } from "../../src/core/nd-array.js";
import { random } from "../../src/core/random.js";
import type { Architecture } from "../../src/trunk/architecture.js";
import { assembleTrunk } from "../../src/trunk/create-trunk.js";
import { randomWeights } from "../../src/trunk/random-weights.js";
import type { Trunk } from "../../src/trunk/trunk.js";
import type { TrunkSpec } from "../../src/trunk/trunk-spec.js";
import { TRUNKS, trunkDefinition } from "../../src/trunk/trunks.js";
import type { Volume } from "../reference/trunk.js";

export interface Narrow {
  readonly name: string;
  readonly architecture: Architecture;
  readonly trunk: Trunk;
  /** A layer from which runs start again, and up to which gradients are checked. */
  readonly middle: string;
}

/** 37 pixels: odd sizes at most strides, where padding is easily wrong. */
export const NARROW_SIZE = 37;

/** Where runs start again; of a trunk that is not here, at its first layer of stride 4. */
const MIDDLES: Readonly<Record<string, string>> = {
  "mobilenet-v1, same": "conv_pw_3",
  "mobilenet-v2, same": "block_2_add",
  "vgg16, same": "block2_conv2",
  "vgg19, same": "block2_pool",
  "mobilenet-v1, symmetric": "conv_pw_3",
  "vgg16, symmetric": "block1_conv2",
};

/** Every trunk, and those that files have with the other padding too. */
export const NARROW: readonly Narrow[] = [
  ...TRUNKS.map(({ name }) => narrow(name, narrowTable(name))),
  narrow("mobilenet-v1", torchvision(narrowTable("mobilenet-v1"))),
  narrow("vgg16", torchvision(narrowTable("vgg16"))),
];

/** A tenth of the width, or a thirty-second where the first layer is wider than a MobileNet's. */
function narrowTable(name: TrunkSpec["name"]): Architecture {
  const { architecture } = trunkDefinition(name);
  return architecture(architecture(1).layers[0].channels > 32 ? 1 / 32 : 0.1);
}

function torchvision(architecture: Architecture): Architecture {
  return { ...architecture, scaling: "imagenet", padding: "symmetric" };
}

function narrow(name: TrunkSpec["name"], architecture: Architecture): Narrow {
  const trunk = assembleTrunk({ name, alpha: 0.1, inputSize: NARROW_SIZE }, architecture);
  const key = `${name}, ${architecture.padding}`;
  return {
    name: `${key} padding`,
    architecture,
    trunk,
    middle: MIDDLES[key] ?? trunk.taps.find((tap) => tap.stride === 4)?.name ?? trunk.output,
  };
}

/** Random weights whose batch norm and biases are not at their neutral values. */
export function unevenWeights(trunk: Trunk, { seed }: { seed: number }): Record<string, NdArray> {
  const weights = randomWeights(trunk, { seed });
  for (const [name, { data }] of Object.entries(weights)) {
    if (name.endsWith("/kernel")) continue;
    const stream = random(seed, "uneven", name);
    for (let i = 0; i < data.length; i++) data[i] += stream.uniform(-0.3, 0.3);
  }
  return weights;
}

/** Pixels 0..255. */
export function noiseImage(size: number, { batch = 1, seed = 1 }: { batch?: number; seed?: number } = {}): Volume {
  const stream = random(seed, "image");
  const data = Float64Array.from({ length: batch * size * size * 3 }, () => stream.integer(256));
  return { batch, size, channels: 3, data };
}

export function toTensor({ batch, size, channels, data }: Volume): tf.Tensor4D {
  return tf.tensor4d(Float32Array.from(data), [batch, size, size, channels]);
}

export function toTensors(parameters: NdArrays): Record<string, tf.Tensor> {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, { data, shape }]) => [name, tf.tensor(data, [...shape], "float32")]),
  );
}

/** Largest difference, relative to the largest number expected, or to `floor` where that is larger. */
export function worstDifference(got: ArrayLike<number>, expected: ArrayLike<number>, { floor = 0 } = {}): number {
  if (got.length !== expected.length) return Number.POSITIVE_INFINITY;
  let [worst, largest] = [0, floor];
  for (let i = 0; i < got.length; i++) {
    worst = Math.max(worst, Math.abs(got[i] - expected[i]));
    largest = Math.max(largest, Math.abs(expected[i]));
  }
  return worst / largest;
}
