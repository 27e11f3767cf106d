/** A network that was imported as a trunk: the same promises as one of this package's own tables. */

import * as tf from "@tensorflow/tfjs";
import { ConfigError, ShapeError } from "../../core/errors.js";
import type { ParameterSpec } from "../../core/parameters.js";
import { shapeOf } from "../../core/size.js";
import { byChannel } from "../../ops/by-channel.js";
import type { Tap, Trunk } from "../trunk.js";
import type { TrunkSpec } from "../trunk-spec.js";
import type { NetworkTable, PixelScaling } from "./network-table.js";
import { networkTaps } from "./network-taps.js";
import { operate } from "./operate.js";
import type { Operation } from "./operation.js";
import { rowsBehind } from "./rows-behind.js";

/**
 * @param spec of an imported network, with its table.
 * @returns a trunk up to `output`; `run` computes later rows too, up to the answer.
 */
export function networkTrunk(spec: TrunkSpec, table: NetworkTable): Trunk {
  const { operations, scaling, source, output } = table;
  const taps = networkTaps(table, spec.inputSize);
  const names = operations.map(({ name }) => name);
  const last = names.indexOf(output);
  const parameters = parametersOf(operations);
  return {
    ...{ spec, taps, output, source, parameters },
    foldedParameters: parameters,
    layersFrom: (first) => {
      const index = first === "input" ? 0 : names.indexOf(first);
      if (index < 0 || index > last)
        throw new ConfigError(`${spec.name} has no layer "${first}".`, { cure: `Its layers: ${shownNames(taps)}.` });
      return names.slice(index, last + 1);
    },
    leadsTo: (from, to) => {
      const needed = rowsBehind(operations, { given: new Set([from]), want: [to] });
      return needed !== undefined;
    },
    run: (parameters, values, want, { rectifier } = {}) => {
      checkValues(taps, values, spec.name);
      const rows = rowsBehind(operations, { given: new Set(Object.keys(values)), want });
      if (!rows)
        throw new ShapeError(
          `${spec.name}: ${want.join(", ")} cannot be computed from ${Object.keys(values).join(", ") || "nothing"}. ` +
            'Give "input", or features of an earlier layer.',
        );
      return tf.tidy(() => {
        const results: Record<string, tf.Tensor> = { ...values };
        // The image is kept as it is; the first rows read it scaled.
        let scaled: tf.Tensor | undefined;
        const read = (name: string) => {
          if (name !== "input") return results[name];
          scaled ??= scalePixels(values.input, scaling);
          return scaled;
        };
        for (const row of rows) results[row.name] = operate(row, row.inputs.map(read), { parameters, rectifier });
        const given = (name: string) => (Object.hasOwn(values, name) ? tf.clone(results[name]) : results[name]);
        return Object.fromEntries(want.map((name) => [name, given(name) as tf.Tensor4D]));
      });
    },
  };
}

function checkValues(taps: readonly Tap[], values: Readonly<Record<string, tf.Tensor>>, network: string): void {
  for (const [name, { shape }] of Object.entries(values)) {
    const tap = taps.find((one) => one.name === name);
    if (!tap) throw new ShapeError(`${network}: no layer "${name}". Its layers: ${shownNames(taps)}.`);
    const wanted = [...shapeOf(tap.size), tap.channels].join(", ");
    if (shape.slice(1).join(", ") === wanted) continue;
    throw new ShapeError(
      `${network}: expected ${name} [batch, ${wanted}], got [${shape.join(", ")}]. ` +
        "Resize the image to the network's input size.",
    );
  }
}

function shownNames(taps: readonly Tap[]): string {
  return taps.map(({ name }) => name).join(", ");
}

/** @param image `[batch, height, width, 3]`, RGB 0..255. @returns the same shape, scaled. */
function scalePixels(image: tf.Tensor4D, { mean, deviation, channels }: PixelScaling): tf.Tensor {
  const factor = deviation.map((value) => 1 / (255 * value));
  const shift = mean.map((value, channel) => value / deviation[channel]);
  // A 1x1 convolution turns RGB into BGR: it is exact, and its gradient runs on every engine.
  const swap = () => tf.tensor4d([0, 0, 1, 0, 1, 0, 1, 0, 0], [1, 1, 3, 3]);
  const ordered = channels === "rgb" ? image : tf.conv2d(image, swap(), 1, "valid");
  return byChannel(ordered, (planes, column) => tf.sub(tf.mul(planes, column(factor)), column(shift)));
}

/** As they come from the file; initial values are those of networks that are randomized to explain nothing. */
function parametersOf(operations: readonly Operation[]): readonly ParameterSpec[] {
  const shapes = new Map<string, readonly number[]>(operations.map(({ name, shape }) => [name, shape]));
  const channelsOf = (name: string) => (name === "input" ? 3 : (shapes.get(name)?.at(-1) ?? 1));
  return operations.flatMap((row) => {
    const depth = channelsOf(row.inputs[0]);
    const fanIn = fanInOf(row, depth);
    return Object.entries(partsOf(row, depth)).map(([part, shape]) => ({
      name: `trunk/${row.name}/${part}`,
      ...{ shape, isTrainable: true },
      ...(part === "kernel" ? { initializer: "he" as const, fanIn } : { initializer: 0 }),
    }));
  });
}

/** Values that feed one output element of a kernel. @param depth channels of the input. */
function fanInOf(row: Operation, depth: number): number {
  if (row.op === "dense") return depth;
  if (row.op === "convolution") return (row.kernel[0] * row.kernel[1] * depth) / row.groups;
  return row.op === "transposedConvolution" ? row.kernel[0] * row.kernel[1] * depth : 1;
}

/** Shapes by part. @param depth channels of the input. */
function partsOf(row: Operation, depth: number): Readonly<Record<string, readonly number[]>> {
  const channels = row.shape.at(-1) ?? 1;
  switch (row.op) {
    case "convolution": {
      const isDepthwise = row.groups === depth && channels === depth;
      const filters = isDepthwise ? [depth, 1] : [depth / row.groups, channels];
      return { kernel: [...row.kernel, ...filters], bias: [channels] };
    }
    case "transposedConvolution":
      return { kernel: [...row.kernel, channels / (row.groups ?? 1), depth], bias: [channels] };
    case "dense":
      return { kernel: [depth, channels], bias: [channels] };
    case "affine":
      return { scale: [channels], shift: [channels] };
    default:
      return "value" in row && row.value ? { value: row.value } : {};
  }
}
