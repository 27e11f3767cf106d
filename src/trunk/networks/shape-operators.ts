/** Readers of operators that move elements, cut them out or put them together, and compute nothing. */

import { sizeOf } from "../../core/nd-array.js";
import type { Rounding } from "../../ops/resize-by-factors.js";
import { finite } from "./elementwise-operators.js";
import {
  channelsLast,
  type Features,
  type GraphValue,
  isSameList,
  memoryShape,
  natural,
  type Segment,
  segments,
  sliceIndices,
  wholeAxis,
} from "./graph-values.js";
import {
  featuresAt,
  floatOf,
  integerOf,
  listOf,
  type NodeReading,
  numbersAt,
  type OperatorTable,
} from "./node-reading.js";
import type { Operation } from "./operation.js";
import { Refusal } from "./refusal.js";

const KEEPS_THE_BATCH = "Export it for a batch of 1, whose images are computed apart.";

function reshape(reading: NodeReading): GraphValue {
  const x = featuresAt(reading, 0);
  const wanted = listOf(reading, "shape", 1) ?? [];
  const copiesZeros = integerOf(reading, "allowzero", 0) === 0;
  const known = wanted.map((size, axis) => (size === 0 && copiesZeros ? x.shape[axis] : size));
  const rest = known.filter((size) => size !== -1).reduce((product, size) => product * size, 1);
  return reshaped(
    reading,
    x,
    known.map((size) => (size === -1 ? sizeOf(x.shape) / rest : size)),
  );
}

/**
 * The same elements under another shape. Rows have their axes in another order than ONNX, so runs of axes that hold the
 * same elements (`segments`) are brought together first where they are not.
 */
function reshaped({ table, name }: NodeReading, x: Features, shape: readonly number[]): Features {
  if (!shape.every((size) => Number.isSafeInteger(size) && size > 0))
    throw new Refusal(`makes ${shape.join(" x ")} of ${x.shape.join(" x ")}`);
  if (shape[0] !== x.shape[0]) throw new Refusal(`makes ${shape.join(" x ")} of a batch`, KEEPS_THE_BATCH);
  const runs = segments(x.shape.slice(1), shape.slice(1))?.map(afterBatch);
  if (!runs) throw new Refusal(`makes ${shape.join(" x ")} of ${x.shape.join(" x ")}`);
  const place = (axes: readonly number[]) =>
    Math.min(...axes.filter((axis) => x.shape[axis] !== 1).map((axis) => x.order.indexOf(axis)), x.shape.length);
  // In the order in which the runs begin in memory; runs of one element anywhere.
  const sorted = runs.toSorted((a, b) => place(a.from) - place(b.from));
  const together = [0, ...sorted.flatMap(({ from }) => from)];
  const isWide = (axis: number) => x.shape[axis] !== 1;
  const isTogether = isSameList(x.order.filter(isWide), together.filter(isWide));
  const source = isTogether ? x : table.arranged(x, together);
  const output = { shape, order: [0, ...sorted.flatMap(({ to }) => to)] };
  const isSame = isSameList(memoryShape(source), memoryShape(output));
  return isSame ? { ...source, ...output } : table.add(name, { op: "reshape" }, [source], output);
}

function afterBatch({ from, to }: Segment): Segment {
  return { from: from.map((axis) => axis + 1), to: to.map((axis) => axis + 1) };
}

function flatten(reading: NodeReading): GraphValue {
  const x = featuresAt(reading, 0);
  const axis = wholeAxis(integerOf(reading, "axis", 1), x.shape.length);
  if (axis !== 1) throw new Refusal(`flattens from axis ${axis} on`, KEEPS_THE_BATCH);
  return reshaped(reading, x, [x.shape[0], sizeOf(x.shape.slice(1))]);
}

function squeeze(reading: NodeReading): GraphValue {
  const x = featuresAt(reading, 0);
  const listed = listOf(reading, "axes", 1);
  const axes = listed?.map((axis) => wholeAxis(axis, x.shape.length));
  const isKept = (size: number, axis: number) => (axes ? !axes.includes(axis) : size !== 1 || axis === 0);
  if (axes?.includes(0)) throw new Refusal("drops the batch", KEEPS_THE_BATCH);
  return reshaped(reading, x, x.shape.filter(isKept));
}

function unsqueeze(reading: NodeReading): GraphValue {
  const x = featuresAt(reading, 0);
  const axes = listOf(reading, "axes", 1) ?? [];
  const rank = x.shape.length + axes.length;
  const whole = axes.map((axis) => wholeAxis(axis, rank));
  const rest = [...x.shape];
  return reshaped(
    reading,
    x,
    Array.from({ length: rank }, (_, axis) => (whole.includes(axis) ? 1 : Number(rest.shift()))),
  );
}

/** Only renames axes; elements move where an operator wants them elsewhere. */
function transpose(reading: NodeReading): GraphValue {
  const x = featuresAt(reading, 0);
  const rank = x.shape.length;
  const turn = reading.node.attributes.perm?.integers ?? natural(rank).toReversed();
  if (
    !isSameList(
      turn.toSorted((a, b) => a - b),
      natural(rank),
    )
  )
    throw new Refusal(`moves axes ${turn.join(", ")} of ${rank}`);
  if (turn[0] !== 0) throw new Refusal("moves the batch", KEEPS_THE_BATCH);
  return turned(x, turn);
}

function turned(x: Features, turn: readonly number[]): Features {
  const shape = turn.map((axis) => x.shape[axis]);
  return { ...x, shape, order: x.order.map((axis) => turn.indexOf(axis)) };
}

function concat(reading: NodeReading): GraphValue {
  const all = reading.node.inputs.map((_, index) => featuresAt(reading, index));
  const [{ order, shape }] = all;
  const axis = wholeAxis(integerOf(reading, "axis", 1), shape.length);
  if (axis === 0) throw new Refusal("puts images together in a batch");
  const inputs = all.map((one) => reading.table.arranged(one, order));
  const total = all.reduce((sum, one) => sum + one.shape[axis], 0);
  const output = { shape: shape.map((size, at) => (at === axis ? total : size)), order };
  return reading.table.add(reading.name, { op: "concat", axis: order.indexOf(axis) }, inputs, output);
}

/** @param cut first index, count and step along one axis. */
function sliced(
  { table, name }: NodeReading,
  x: Features,
  cuts: ReadonlyMap<number, { begin: number; count: number; step: number }>,
): Features {
  if (cuts.has(0)) throw new Refusal("cuts the batch", KEEPS_THE_BATCH);
  const shape = x.shape.map((size, axis) => cuts.get(axis)?.count ?? size);
  if (shape.some((size) => size < 1)) throw new Refusal("leaves nothing of its input");
  const isWhole = shape.every((size, axis) => size === x.shape[axis]);
  if (isWhole) return x;
  const inMemory = x.order.slice(1).map((axis) => cuts.get(axis) ?? { begin: 0, step: 1 });
  const row = {
    op: "slice" as const,
    begin: inMemory.map(({ begin }) => begin),
    steps: inMemory.map(({ step }) => step),
  };
  return table.add(name, row, [x], { shape, order: x.order });
}

function split(reading: NodeReading): readonly GraphValue[] {
  const x = featuresAt(reading, 0);
  const axis = wholeAxis(integerOf(reading, "axis", 0), x.shape.length);
  const count = reading.node.outputs.length;
  const even = Math.ceil(x.shape[axis] / count);
  const sizes =
    listOf(reading, "split", 1) ??
    Array.from({ length: count }, (_, index) => Math.min(even, x.shape[axis] - index * even));
  if (sizes.reduce((sum, size) => sum + size, 0) !== x.shape[axis])
    throw new Refusal(`splits ${x.shape[axis]} into ${sizes.join(", ")}`);
  let begin = 0;
  return sizes.map((size) => {
    const part = sliced(reading, x, new Map([[axis, { begin, count: size, step: 1 }]]));
    begin += size;
    return part;
  });
}

function slice(reading: NodeReading): GraphValue {
  const x = featuresAt(reading, 0);
  const [starts, ends] = [listOf(reading, "starts", 1), listOf(reading, "ends", 2)];
  if (!starts || !ends) throw new Refusal("lacks its bounds");
  const axes = listOf(reading, "axes", 3) ?? starts.map((_, index) => index);
  const steps = listOf(reading, "steps", 4) ?? starts.map(() => 1);
  let result = x;
  for (const [index, given] of axes.entries()) {
    const step = steps[index];
    if (step === 0) throw new Refusal("has a step of 0");
    const axis = wholeAxis(given, x.shape.length);
    const indices = sliceIndices(x.shape[axis], { start: starts[index], end: ends[index], step });
    result = picked(reading, result, axis, indices);
  }
  return result;
}

/** Elements of one axis: as a slice where they are evenly apart. */
function picked(reading: NodeReading, x: Features, axis: number, indices: readonly number[]): Features {
  const [begin = 0, second = begin + 1] = indices;
  const step = second - begin;
  const isEven = step > 0 && indices.every((index, at) => index === begin + at * step);
  const isWhole = isEven && step === 1 && indices.length === x.shape[axis];
  // The batch may be named where it is kept whole.
  if (isWhole) return x;
  if (isEven) return sliced(reading, x, new Map([[axis, { begin, count: indices.length, step }]]));
  if (axis === 0) throw new Refusal("picks images of a batch", KEEPS_THE_BATCH);
  const row = { op: "gather" as const, axis: x.order.indexOf(axis), indices };
  return reading.table.add(reading.name, row, [x], { shape: x.shape.with(axis, indices.length), order: x.order });
}

function gather(reading: NodeReading): GraphValue {
  const x = featuresAt(reading, 0);
  const axis = wholeAxis(integerOf(reading, "axis", 0), x.shape.length);
  const { shape, data } = numbersAt(reading, 1, "indices");
  const size = x.shape[axis];
  const indices = Array.from(data, (index) => wholeAxis(index, size));
  if (shape.length > 1) throw new Refusal("picks elements by a table");
  const part = picked(reading, x, axis, indices);
  return shape.length === 0
    ? reshaped(
        reading,
        part,
        part.shape.filter((_, at) => at !== axis),
      )
    : part;
}

/** Channels become blocks of pixels: `DCR` has the block before the channel, `CRD` behind it. */
function depthToSpace(reading: NodeReading): GraphValue {
  const x = featuresAt(reading, 0);
  const size = integerOf(reading, "blocksize", 0);
  const [batch, channels, height, width] = x.shape;
  const depth = channels / size ** 2;
  if (x.shape.length !== 4 || !(size >= 1) || !Number.isInteger(depth))
    throw new Refusal(`makes blocks of ${size} x ${size} pixels of ${x.shape.join(" x ")}`);
  const isChannelFirst = reading.node.attributes.mode?.text === "CRD";
  const split = isChannelFirst ? [depth, size, size] : [size, size, depth];
  const apart = reshaped(reading, x, [batch, ...split, height, width]);
  const turn = isChannelFirst ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2];
  return reshaped(reading, turned(apart, turn), [batch, depth, height * size, width * size]);
}

/** Blocks of pixels become channels, the block before the channel. */
function spaceToDepth(reading: NodeReading): GraphValue {
  const x = featuresAt(reading, 0);
  const size = integerOf(reading, "blocksize", 0);
  const [batch, channels, height, width] = x.shape;
  const [rows, columns] = [height / size, width / size];
  if (x.shape.length !== 4 || !(size >= 1) || !Number.isInteger(rows) || !Number.isInteger(columns))
    throw new Refusal(`makes channels of blocks of ${size} x ${size} pixels of ${x.shape.join(" x ")}`);
  const apart = reshaped(reading, x, [batch, channels, rows, size, columns, size]);
  return reshaped(reading, turned(apart, [0, 3, 5, 1, 2, 4]), [batch, channels * size ** 2, rows, columns]);
}

function pad(reading: NodeReading): GraphValue {
  const { table, name, node } = reading;
  const x = featuresAt(reading, 0);
  const rank = x.shape.length;
  const mode: string = node.attributes.mode?.text ?? "constant";
  if (mode !== "constant" && mode !== "reflect" && mode !== "edge") throw new Refusal(`pads by "${mode}"`);
  const listed = listOf(reading, "pads", 1) ?? [];
  const axes = reading.input(3) ? Array.from(numbersAt(reading, 3, "axes").data) : natural(rank);
  const amounts = new Map(
    axes.map((axis, index) => [wholeAxis(axis, rank), [listed[index], listed[index + axes.length]] as const]),
  );
  const both = (axis: number) => amounts.get(axis) ?? ([0, 0] as const);
  if (both(0).some((amount) => amount !== 0)) throw new Refusal("pads the batch");
  if (x.shape.some((_, axis) => both(axis).some((amount) => !(amount >= 0))))
    throw new Refusal("cuts by negative padding");
  if (mode === "reflect" && x.shape.some((size, axis) => both(axis).some((amount) => amount >= size)))
    throw new Refusal("reflects more than the image");
  const number = finite(
    reading.input(2) ? Number(numbersAt(reading, 2, "value").data[0] ?? 0) : floatOf(reading, "value", 0),
  );
  const shape = x.shape.map((size, axis) => size + both(axis)[0] + both(axis)[1]);
  if (isSameList(shape, x.shape)) return x;
  const paddings = x.order.slice(1).map(both);
  return table.add(name, { op: "pad", paddings, mode, number }, [x], { shape, order: x.order });
}

type Places = "halfPixel" | "alignCorners" | "asymmetric";

const PLACES: Readonly<Record<string, Places>> = {
  half_pixel: "halfPixel",
  pytorch_half_pixel: "halfPixel",
  align_corners: "alignCorners",
  asymmetric: "asymmetric",
};
const ROUNDINGS: Readonly<Record<string, Rounding>> = {
  floor: "floor",
  ceil: "ceil",
  round_prefer_floor: "preferFloor",
  round_prefer_ceil: "preferCeil",
};

function resize(reading: NodeReading): GraphValue {
  const { table, name, node } = reading;
  const given = featuresAt(reading, 0);
  if (given.shape.length !== 4) throw new Refusal("does not resize two dimensions");
  const isOld = node.operator === "Upsample" || reading.opset < 11;
  const text = (attribute: string, otherwise: string) => node.attributes[attribute]?.text ?? otherwise;
  const mode = text("mode", "nearest");
  const coordinates = text("coordinate_transformation_mode", isOld ? "asymmetric" : "half_pixel");
  const axes = node.attributes.axes?.integers.map((axis) => wholeAxis(axis, 4)) ?? natural(4);
  const ofAxes = (list: readonly number[] | undefined, otherwise: (axis: number) => number) =>
    list && given.shape.map((_, axis) => (axes.includes(axis) ? list[axes.indexOf(axis)] : otherwise(axis)));
  const sizes = isOld ? undefined : ofAxes(listed(reading, 3), (axis) => given.shape[axis]);
  const scales = sizes ? undefined : ofAxes(listed(reading, isOld ? 1 : 2) ?? node.attributes.scales?.floats, () => 1);
  const shape = sizes ?? scales?.map((scale, axis) => Math.floor(Math.fround(given.shape[axis] * Math.fround(scale))));
  if (!shape?.every((size) => size >= 1) || shape[0] !== given.shape[0] || shape[1] !== given.shape[1])
    throw new Refusal("resizes more than height and width, or to a size that depends on the image");
  const order = channelsLast(4);
  const x = table.arranged(given, order);
  if (isSameList(shape, x.shape)) return x;
  if (integerOf(reading, "antialias", 0) !== 0 || text("keep_aspect_ratio_policy", "stretch") !== "stretch")
    throw new Refusal("resizes with antialias, or keeps the aspect ratio", "Export it with sizes alone.");
  const quotients = shape.map((size, axis) => size / x.shape[axis]);
  const factors = scales ?? quotients;
  // Of one row or column the first is taken.
  const isPointless = coordinates === "pytorch_half_pixel" && Math.min(shape[2], shape[3]) === 1;
  const places = isPointless || !Object.hasOwn(PLACES, coordinates) ? undefined : PLACES[coordinates];
  const isLinear = mode === "linear" || mode === "bilinear";
  if (!places || (mode !== "nearest" && !isLinear))
    throw new Refusal(`resizes by "${mode}" with "${coordinates}"`, "Bilinear and nearest are read.");
  const add = (row: Omit<Extract<Operation, { op: "resize" }>, "op" | "name" | "inputs" | "shape">) =>
    table.add(name, { op: "resize", ...row }, [x], { shape, order });
  const isExact = isSameList(factors, quotients);
  const pair = [factors[2], factors[3]] as const;
  if (isLinear)
    return add({
      method: "bilinear",
      places,
      ...(!isExact && places !== "alignCorners" && { factors: pair }),
    });
  const rounding = roundingOf(reading, { isOld, factors: pair });
  // Where a side grows by a whole number, centres counted by halves repeat each pixel as well.
  const isRepeated =
    pair.every(Number.isInteger) &&
    ((places === "halfPixel" && rounding.startsWith("prefer")) || (places === "asymmetric" && rounding === "floor"));
  return isExact && isRepeated
    ? add({ method: "nearest", places: "asymmetric" })
    : add({ method: "nearest", places, rounding, factors: pair });
}

function roundingOf({ node }: NodeReading, { isOld, factors }: { isOld: boolean; factors: readonly number[] }) {
  const text = node.attributes.nearest_mode?.text ?? "round_prefer_floor";
  // As ONNX Runtime does what the first versions leave open.
  if (isOld && factors.every((factor) => factor >= 1)) return "floor";
  if (isOld && factors.every((factor) => factor < 1)) return "ceil";
  if (!isOld && Object.hasOwn(ROUNDINGS, text)) return ROUNDINGS[text];
  throw new Refusal(
    isOld ? "makes one side larger and the other smaller" : `rounds by "${text}"`,
    "Export it with opset 11 or later.",
  );
}

/** Numbers of an input that may be there and empty. */
function listed(reading: NodeReading, index: number): readonly number[] | undefined {
  const value = reading.input(index);
  return value?.kind === "numbers" && value.data.length > 0 ? Array.from(value.data) : undefined;
}

/** Computes the same whatever it is given. */
function same(reading: NodeReading): GraphValue {
  return featuresAt(reading, 0);
}

/** All sizes, or those from `start` on to before `end` (opset 15). */
function shapeOf(reading: NodeReading): GraphValue {
  const { shape } = featuresAt(reading, 0);
  const part = shape.slice(integerOf(reading, "start", 0), integerOf(reading, "end", shape.length));
  return { kind: "numbers", shape: [part.length], data: part, isInteger: true };
}

const FLOATS = [1, 10, 11, 16];

function cast(reading: NodeReading): GraphValue {
  if (FLOATS.includes(integerOf(reading, "to", 1))) return featuresAt(reading, 0);
  throw new Refusal("cuts features to whole numbers", "Export the part before it.");
}

export const shapeOperators: OperatorTable = {
  Reshape: reshape,
  Flatten: flatten,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Transpose: transpose,
  Concat: concat,
  Split: split,
  Slice: slice,
  Gather: gather,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
  Pad: pad,
  Resize: resize,
  Upsample: resize,
  Identity: same,
  Dropout: (reading) => {
    const training = reading.input(2);
    if (training?.kind === "numbers" && training.data[0])
      throw new Refusal("is in training mode", "Call model.eval() before the export.");
    return featuresAt(reading, 0);
  },
  Cast: cast,
  Shape: shapeOf,
};
