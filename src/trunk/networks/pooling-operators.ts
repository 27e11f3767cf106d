/** Readers of operators that make one number of many: pooling, means and other reductions, normalisation over positions. */

import { sizeOf } from "../../core/nd-array.js";
import { padsOf, pair, pairOf } from "./convolution-operators.js";
import { combined } from "./elementwise-operators.js";
import { channelsLast, type Features, type GraphValue, wholeAxis } from "./graph-values.js";
import {
  featuresAt,
  floatOf,
  integerOf,
  listOf,
  type NodeReading,
  numbersAt,
  type OperatorTable,
} from "./node-reading.js";
import type { Operation, Pads } from "./operation.js";
import { Refusal } from "./refusal.js";

function pool(op: "maxPool" | "averagePool") {
  return (reading: NodeReading): GraphValue => {
    const { table, name, node } = reading;
    const given = featuresAt(reading, 0);
    const kernel = node.attributes.kernel_shape?.integers ?? [];
    if (given.shape.length !== 4 || kernel.length !== 2) throw new Refusal("does not pool two dimensions");
    if (!kernel.every((size) => size >= 1)) throw new Refusal(`has a window of ${kernel.join(" x ")}`);
    if (pairOf(reading, "dilations", 1).some((step) => step !== 1)) throw new Refusal("pools with dilations");
    if (node.outputs.filter((output) => output !== "").length > 1) throw new Refusal("gives the places of its maxima");
    const [batch, channels, ...sizes] = given.shape;
    const [window, strides] = [pair((axis) => kernel[axis]), pairOf(reading, "strides", 1)];
    const pads = padsOf(reading, { sizes, window, strides });
    const before = [pads.top, pads.left];
    const after = [pads.bottom, pads.right];
    if (before.some((amount, axis) => amount >= window[axis]) || after.some((amount, axis) => amount >= window[axis]))
      throw new Refusal("pads by more than its window");
    const isCeil = integerOf(reading, "ceil_mode", 0) !== 0;
    const out = pair((axis) => {
      const steps = (sizes[axis] + before[axis] + after[axis] - window[axis]) / strides[axis];
      const count = (isCeil ? Math.ceil(steps) : Math.floor(steps)) + 1;
      // A window that would begin behind the image and its padding before is left out, as PyTorch does.
      return isCeil && (count - 1) * strides[axis] >= sizes[axis] + before[axis] ? count - 1 : count;
    });
    if (Math.min(...out) < 1) throw new Refusal("leaves nothing of its input", "Take a larger input size.");
    // The last window may reach beyond what pads say: those places do not count.
    const needed = pair((axis) => (out[axis] - 1) * strides[axis] + window[axis] - sizes[axis] - before[axis]);
    const order = channelsLast(4);
    let x = table.arranged(given, order);
    let own: Pads = { ...pads, bottom: Math.max(0, needed[0]), right: Math.max(0, needed[1]) };
    const countsZeros = op === "averagePool" && integerOf(reading, "count_include_pad", 0) !== 0;
    if (countsZeros && Math.max(...before, ...after) > 0) {
      const wide = [batch, channels, sizes[0] + before[0] + after[0], sizes[1] + before[1] + after[1]];
      const paddings = [[before[0], after[0]], [before[1], after[1]], [0, 0]] as const; // biome-ignore format: a table
      x = table.add(`${name}.padded`, { op: "pad", paddings, mode: "constant", number: 0 }, [x], {
        shape: wide,
        order,
      });
      own = { top: 0, left: 0, bottom: Math.max(0, needed[0] - after[0]), right: Math.max(0, needed[1] - after[1]) };
    }
    const row = { op, kernel: window, strides, pads: own };
    return table.add(name, row, [x], { shape: [batch, channels, ...out], order });
  };
}

type Reduction = Extract<Operation, { op: "mean" | "maximum" | "minimum" | "sum" }>["op"];

function globalPool(op: Reduction) {
  return (reading: NodeReading): GraphValue => {
    const x = featuresAt(reading, 0);
    return reduced(reading, op, { x, axes: x.shape.map((_, axis) => axis).slice(2), keepsAxes: true });
  };
}

function reduction(op: Reduction) {
  return (reading: NodeReading): GraphValue => {
    const x = featuresAt(reading, 0);
    const listed = listOf(reading, "axes", 1);
    if (!listed?.length && integerOf(reading, "noop_with_empty_axes", 0) !== 0) return x;
    const axes = listed?.length ? listed : x.shape.map((_, axis) => axis);
    return reduced(reading, op, {
      x,
      axes: axes.map((axis) => wholeAxis(axis, x.shape.length)),
      keepsAxes: integerOf(reading, "keepdims", 1) !== 0,
    });
  };
}

function reduced(
  { table, name }: NodeReading,
  op: Reduction,
  { x, axes, keepsAxes }: { x: Features; axes: readonly number[]; keepsAxes: boolean },
): Features {
  if (axes.includes(0)) throw new Refusal("computes over the images of a batch");
  const inMemory = axes.map((axis) => x.order.indexOf(axis)).sort((a, b) => a - b);
  const row = { op, axes: inMemory, keepsAxes };
  if (keepsAxes) {
    const shape = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
    return table.add(name, row, [x], { shape, order: x.order });
  }
  const left = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const order = x.order.filter((axis) => !axes.includes(axis)).map((axis) => left.indexOf(axis));
  return table.add(name, row, [x], { shape: left.map((axis) => x.shape[axis]), order });
}

/** Over the last axes of ONNX, then a scale and a shift for each number. */
function layerNorm(reading: NodeReading): GraphValue {
  const x = featuresAt(reading, 0);
  const rank = x.shape.length;
  const first = wholeAxis(integerOf(reading, "axis", -1), rank);
  const axes = x.shape.map((_, axis) => axis).filter((axis) => axis >= first);
  const result = normalized(reading, x, axes);
  const scaled = combined(reading, "mul", result, numbersAt(reading, 1, "scale"));
  return reading.input(2) ? combined(reading, "add", scaled, numbersAt(reading, 2, "shift")) : scaled;
}

/** Over all positions of each channel. */
function instanceNorm(reading: NodeReading): GraphValue {
  const x = featuresAt(reading, 0);
  const rank = x.shape.length;
  const result = normalized(reading, x, x.shape.map((_, axis) => axis).slice(2));
  const wide = (index: number, what: string) => {
    const numbers = numbersAt(reading, index, what);
    return { ...numbers, shape: [sizeOf(numbers.shape), ...new Array(rank - 2).fill(1)] };
  };
  return combined(reading, "add", combined(reading, "mul", result, wide(1, "scale")), wide(2, "shift"));
}

function normalized(reading: NodeReading, x: Features, axes: readonly number[]): Features {
  if (axes.includes(0)) throw new Refusal("normalises over the images of a batch");
  const inMemory = axes.map((axis) => x.order.indexOf(axis)).sort((a, b) => a - b);
  const row = { op: "normalize" as const, axes: inMemory, epsilon: floatOf(reading, "epsilon", 1e-5) };
  return reading.table.add(reading.name, row, [x], x);
}

export const poolingOperators: OperatorTable = {
  MaxPool: pool("maxPool"),
  AveragePool: pool("averagePool"),
  GlobalAveragePool: globalPool("mean"),
  GlobalMaxPool: globalPool("maximum"),
  ReduceMean: reduction("mean"),
  ReduceMax: reduction("maximum"),
  ReduceMin: reduction("minimum"),
  ReduceSum: reduction("sum"),
  LayerNormalization: layerNorm,
  InstanceNormalization: instanceNorm,
};
