/** A trunk in plain loops and float64, from the layer table: what `Trunk.run` must give. */

import type { NdArrays } from "../../src/core/nd-array.js";
import type { Architecture, Layer } from "../../src/trunk/architecture.js";

/** Row-major `[batch, size, size, channels]`. */
export interface Volume {
  readonly batch: number;
  readonly size: number;
  readonly channels: number;
  readonly data: Float64Array;
}

/** Parameters as float64, so that finite differences can nudge them by little. */
export type Numbers = Readonly<Record<string, Float64Array>>;

export function toNumbers(parameters: NdArrays): Record<string, Float64Array> {
  return Object.fromEntries(Object.entries(parameters).map(([name, { data }]) => [name, Float64Array.from(data)]));
}

export function loopTrunk(
  { layers, scaling, padding }: Architecture,
  parameters: Numbers,
  image: Volume,
  { mode = "moving" }: { mode?: "moving" | "batch" } = {},
): Map<string, Volume> {
  const results = new Map<string, Volume>([["input", SCALINGS[scaling](image)]]);
  for (const layer of layers) {
    const [first, second] = layer.inputs.map((name) => results.get(name) as Volume);
    if (layer.op === "add") results.set(layer.name, { ...first, data: first.data.map((v, i) => v + second.data[i]) });
    else if (layer.op === "maxPool") results.set(layer.name, maxPool(layer, first));
    else
      results.set(
        layer.name,
        activate(layer, affine(layer, convolve(layer, first, { parameters, padding }), parameters, mode)),
      );
  }
  return results;
}

const SCALINGS = { unit, caffe, imagenet };

function unit(image: Volume): Volume {
  return { ...image, data: image.data.map((v) => v / 127.5 - 1) };
}

function caffe(image: Volume): Volume {
  const mean = [103.939, 116.779, 123.68];
  const data = image.data.map((_, i) => image.data[i - (i % 3) + 2 - (i % 3)] - mean[i % 3]);
  return { ...image, data };
}

function imagenet(image: Volume): Volume {
  const [mean, deviation] = [
    [0.485, 0.456, 0.406],
    [0.229, 0.224, 0.225],
  ];
  return { ...image, data: image.data.map((v, i) => (v / 255 - mean[i % 3]) / deviation[i % 3]) };
}

function convolve(
  { name, op, kernel, stride, channels }: Layer,
  x: Volume,
  { parameters, padding }: { parameters: Numbers; padding: Architecture["padding"] },
): Volume {
  const size = Math.ceil(x.size / stride);
  // "same": what the windows overhang in total, the larger half at the bottom and right.
  const overhang = Math.floor(Math.max(0, (size - 1) * stride + kernel - x.size) / 2);
  const before = padding === "symmetric" ? (kernel - 1) / 2 : overhang;
  const weights = parameters[`trunk/${name}/kernel`];
  const data = new Float64Array(x.batch * size * size * channels);
  for (let b = 0, at = 0; b < x.batch; b++)
    for (let row = 0; row < size; row++)
      for (let column = 0; column < size; column++)
        for (let o = 0; o < channels; o++, at++)
          for (let i = 0; i < kernel; i++)
            for (let j = 0; j < kernel; j++) {
              const [y, z] = [row * stride + i - before, column * stride + j - before];
              if (y < 0 || z < 0 || y >= x.size || z >= x.size) continue;
              const pixel = ((b * x.size + y) * x.size + z) * x.channels;
              const tap = (i * kernel + j) * x.channels;
              if (op === "depthwise") data[at] += x.data[pixel + o] * weights[tap + o];
              else
                for (let c = 0; c < x.channels; c++) data[at] += x.data[pixel + c] * weights[(tap + c) * channels + o];
            }
  return { batch: x.batch, size, channels, data };
}

function affine({ name }: Layer, x: Volume, parameters: Numbers, mode: "moving" | "batch"): Volume {
  const bias = parameters[`trunk/${name}/bias`];
  if (bias) return { ...x, data: x.data.map((v, i) => v + bias[i % x.channels]) };
  const [gamma, beta] = [parameters[`trunk/${name}/gamma`], parameters[`trunk/${name}/beta`]];
  let [mean, variance] = [parameters[`trunk/${name}/moving_mean`], parameters[`trunk/${name}/moving_variance`]];
  if (mode === "batch") ({ mean, variance } = moments(x));
  const data = x.data.map((v, i) => {
    const c = i % x.channels;
    return ((v - mean[c]) / Math.sqrt(variance[c] + 1e-3)) * gamma[c] + beta[c];
  });
  return { ...x, data };
}

/** Mean and mean squared difference of each channel. */
export function moments({ data, channels }: Volume) {
  const count = data.length / channels;
  const [mean, variance] = [new Float64Array(channels), new Float64Array(channels)];
  for (let i = 0; i < data.length; i++) mean[i % channels] += data[i] / count;
  for (let i = 0; i < data.length; i++) variance[i % channels] += (data[i] - mean[i % channels]) ** 2 / count;
  return { mean, variance };
}

function activate({ activation }: Layer, x: Volume): Volume {
  if (activation === "none") return x;
  const limit = activation === "relu6" ? 6 : Number.POSITIVE_INFINITY;
  return { ...x, data: x.data.map((v) => Math.min(Math.max(v, 0), limit)) };
}

function maxPool({ kernel, stride }: Layer, x: Volume): Volume {
  const size = Math.floor((x.size - kernel) / stride) + 1;
  const data = new Float64Array(x.batch * size * size * x.channels).fill(Number.NEGATIVE_INFINITY);
  for (let b = 0, at = 0; b < x.batch; b++)
    for (let row = 0; row < size; row++)
      for (let column = 0; column < size; column++)
        for (let c = 0; c < x.channels; c++, at++)
          for (let i = 0; i < kernel; i++)
            for (let j = 0; j < kernel; j++) {
              const pixel = (b * x.size + row * stride + i) * x.size + column * stride + j;
              data[at] = Math.max(data[at], x.data[pixel * x.channels + c]);
            }
  return { batch: x.batch, size, channels: x.channels, data };
}
