/** Evaluates a table of layers: just what is wanted, each layer once, in ordinary TensorFlow.js. */

import * as tf from "@tensorflow/tfjs";
import { ShapeError, WeightsError } from "../core/errors.js";
import { shapeOf } from "../core/size.js";
import type { Architecture, Layer } from "./architecture.js";
import { movingScaleAndBias, normaliseByBatch } from "./batch-norm.js";
import { type ParameterPart, parameterName } from "./layer-parameters.js";
import { type Rectifier, rectify } from "./rectifier.js";
import { scaleImage } from "./scaling.js";
import type { BatchNorm, Parameters, Tap } from "./trunk.js";

interface Request {
  readonly taps: readonly Tap[];
  readonly parameters: Parameters;
  readonly values: Readonly<Record<string, tf.Tensor4D>>;
  readonly want: readonly string[];
  readonly batchNorm?: BatchNorm;
  readonly rectifier?: Rectifier;
}

/** New moving statistics, `[channels]`, by parameter name. */
type Updates = Record<string, tf.Tensor>;

/**
 * What `Trunk.run` promises. New moving statistics go to `batchNorm.update` when all is computed, as tensors of the
 * caller's scope: the caller disposes them, as it does the outputs.
 */
export function runLayers(architecture: Architecture, request: Request): Record<string, tf.Tensor4D> {
  const { taps, values, want, batchNorm = { mode: "moving" } } = request;
  checkValues(taps, values);
  const needed = layersBehind(architecture.layers, { values, want });
  const updates: Updates = {};
  const scope = tf.tidy(() => {
    const results: Record<string, tf.Tensor4D> = { ...values };
    let scaled: tf.Tensor4D | undefined;
    const read = (name: string) => {
      if (name !== "input") return results[name];
      scaled ??= scaleImage(values.input, architecture.scaling);
      return scaled;
    };
    for (const layer of needed) {
      results[layer.name] = apply(layer, layer.inputs.map(read), {
        ...request,
        padding: architecture.padding,
        batchNorm,
        updates,
      });
    }
    const outputs: Record<string, tf.Tensor4D> = {};
    // A value that is wanted back is cloned, so that disposing the outputs leaves the caller's values alone.
    for (const name of want) outputs[name] = Object.hasOwn(values, name) ? tf.clone(values[name]) : results[name];
    return { outputs, updates };
  });
  if (batchNorm.mode === "batch")
    for (const [name, value] of Object.entries(scope.updates)) batchNorm.update(name, value);
  return scope.outputs;
}

/** True where a layer can be computed from another one's values alone: no path leads around it. */
export function leadsTo(architecture: Architecture, from: string, to: string): boolean {
  try {
    layersBehind(architecture.layers, { values: { [from]: true }, want: [to] });
    return true;
  } catch (error) {
    if (error instanceof ShapeError) return false;
    throw error;
  }
}

/** The layers to compute, in order: those that `want` needs and no value replaces. */
function layersBehind(
  layers: readonly Layer[],
  { values, want }: { values: Readonly<Record<string, unknown>>; want: readonly string[] },
): readonly Layer[] {
  const needed = new Set(want);
  const ordered: Layer[] = [];
  // Every layer stands after its inputs, so one walk from the end meets each after all that read it.
  for (const layer of layers.toReversed()) {
    if (!needed.delete(layer.name) || Object.hasOwn(values, layer.name)) continue;
    for (const input of layer.inputs) needed.add(input);
    ordered.push(layer);
  }
  if (needed.delete("input") && !Object.hasOwn(values, "input"))
    throw new ShapeError(
      `trunk: ${want.join(", ")} cannot be computed from ${Object.keys(values).join(", ") || "nothing"}. ` +
        'Give "input", or features of an earlier layer.',
    );
  for (const name of needed) throw unknownLayer(name, layers);
  return ordered.reverse();
}

function checkValues(taps: readonly Tap[], values: Request["values"]): void {
  for (const [name, value] of Object.entries(values)) {
    const tap = taps.find((candidate) => candidate.name === name);
    if (!tap) throw unknownLayer(name, taps.slice(1));
    const wanted = [...shapeOf(tap.size), tap.channels].join(", ");
    const [, ...shape] = value.shape;
    if (shape.join(", ") === wanted) continue;
    throw new ShapeError(
      `trunk: expected ${name} [batch, ${wanted}], got [${value.shape.join(", ")}]. ` +
        "Resize the image to the trunk's input size.",
    );
  }
}

function unknownLayer(name: string, layers: readonly { readonly name: string }[]): ShapeError {
  return new ShapeError(`trunk: no layer "${name}". Its layers: input, ${layers.map((l) => l.name).join(", ")}.`);
}

type Context = Pick<Request, "parameters" | "rectifier"> &
  Pick<Architecture, "padding"> & { readonly batchNorm: BatchNorm; readonly updates: Updates };

function apply(layer: Layer, inputs: readonly tf.Tensor4D[], context: Context): tf.Tensor4D {
  const { op, kernel, stride, activation } = layer;
  if (op === "add") return tf.add(inputs[0], inputs[1]);
  if (op === "maxPool") return tf.maxPool(inputs[0], kernel, stride, "valid");
  const output = convolve(layer, inputs[0], context); // [batch, size, size, channels]
  return activation === "none" ? output : rectify(output, { activation, rectifier: context.rectifier });
}

/**
 * Convolution with its bias or batch norm. Plain `conv2d`: the fused one computes both gradients even if one is used.
 */
function convolve(layer: Layer, x: tf.Tensor4D, { parameters, padding, batchNorm, updates }: Context): tf.Tensor4D {
  const parameter = (what: ParameterPart) => {
    const found = parameters[parameterName(layer.name, what)];
    if (found) return found;
    throw new WeightsError(`trunk: parameter ${parameterName(layer.name, what)} is absent.`, {
      cure: "A layer has a kernel and either a bias or gamma, beta, moving_mean and moving_variance.",
    });
  };
  const kernel = parameter("kernel") as tf.Tensor4D;
  const isDepthwise = layer.op === "depthwise";
  const pad = padding === "same" ? "same" : (layer.kernel - 1) / 2;
  const filtered = (filter: tf.Tensor4D) =>
    isDepthwise ? tf.depthwiseConv2d(x, filter, layer.stride, pad) : tf.conv2d(x, filter, layer.stride, pad);
  const bias = parameters[parameterName(layer.name, "bias")];
  if (bias) return tf.add(filtered(kernel), bias);
  const statistics = {
    gamma: parameter("gamma"),
    beta: parameter("beta"),
    movingMean: parameter("moving_mean"),
    movingVariance: parameter("moving_variance"),
  };
  if (batchNorm.mode === "moving") {
    const { scale, bias: shift } = movingScaleAndBias(statistics);
    // A depthwise kernel is [h, w, channels, 1], any other [h, w, in, channels].
    const factor = isDepthwise ? tf.reshape(scale, [layer.channels, 1]) : scale;
    return tf.add(filtered(tf.mul(kernel, factor)), shift);
  }
  const { output, movingMean, movingVariance } = normaliseByBatch(filtered(kernel), statistics, batchNorm);
  updates[parameterName(layer.name, "moving_mean")] = movingMean;
  updates[parameterName(layer.name, "moving_variance")] = movingVariance;
  return output;
}
