/** How one operation over several branches is recorded. */

import { sizeOf } from "../../core/nd-array.js";
import {
  ABSENT,
  addNode,
  type Graph,
  type GraphNode,
  integerConstants,
  reshape,
  transpose,
  type Value,
} from "./graph.js";
import { NCHWC } from "./onnx-encoding.js";
import { broadcastSizes, padSizes } from "./traced-tensor.js";

/** The values of all branches in one, `[outer, branches, inner]` in memory, whatever shape it is declared with. */
export interface SideBySide {
  readonly value: Value;
  /** Of one branch. */
  readonly shape: readonly number[];
  /** Product of the first axes of `shape`, before which the branches lie. */
  readonly outer: number;
}

/** What alike nodes read at one place. */
export type Operand<Of extends SideBySide = SideBySide> =
  | { readonly kind: "merged"; readonly of: Of }
  | { readonly kind: "shared"; readonly value: Value }
  /** One a branch, made of constants alone. */
  | { readonly kind: "constants"; readonly values: readonly Value[] };

type Rule = (graph: Graph, node: GraphNode, operands: readonly Operand[], branches: number) => SideBySide | null;

/** Whether branches may begin with such a node: one that weighs what all of them share, by more than one number. */
export function isSeed({ shapes }: Graph, { operator }: GraphNode, operands: readonly Operand[]): boolean {
  if (operator === "Conv" || operator === `${NCHWC}Conv`) return true;
  const isWeight = (operand: Operand) =>
    operand.kind === "constants" && operand.values.every((value) => sizeOf(shapes.get(value) ?? []) > 1);
  return ["Add", "Sub", "Mul"].includes(operator) && operands.some(isWeight);
}

/**
 * Records what a node does, for all branches.
 *
 * @param node of the first branch.
 * @returns `null` where it cannot be recorded, or would cost more than it saves.
 */
export const sideBySide: Rule = (graph, node, operands, branches) =>
  RULES.get(node.operator)?.(graph, node, operands, branches) ?? null;

/** Each element by itself. */
const unary: Rule = (graph, { operator, attributes }, [first, ...rest]) => {
  if (first.kind !== "merged") return null;
  const extra = sharedValues(rest);
  if (!extra) return null;
  const { value, shape, outer } = first.of;
  return { value: like(graph, addNode(graph, operator, [value, ...extra], attributes), value), shape, outer };
};

const reshaping: Rule = (graph, node, [first]) => {
  const shape = graph.shapes.get(node.outputs[0]);
  return first.kind === "merged" && shape ? { ...first.of, shape } : null;
};

/** An operand of an elementwise operation, with its shape. */
interface Term {
  readonly operand: Operand;
  readonly shape: readonly number[];
}

const elementwise: Rule = (graph, node, operands, branches) => {
  const terms = operands.flatMap((operand): Term[] => {
    const shape = shapeOf(graph, operand);
    return shape ? [{ operand, shape }] : [];
  });
  if (terms.length < operands.length) return null;
  const shape = terms.map((term) => term.shape).reduce<readonly number[]>((a, b) => broadcastSizes(a, b), []);
  const outer = Math.max(1, ...operands.flatMap((operand) => (operand.kind === "merged" ? operand.of.outer : [])));
  const alike = terms.map((term) => ({ ...term, operand: withOuter(graph, term.operand, { outer, branches }) }));
  const given = { terms: alike, shape, outer, branches };
  return onThreeAxes(graph, node, given) ?? withAnAxisMore(graph, node, given);
};

/** An operand whose branches lie before all axes, with its images before them; others as they are. */
function withOuter(graph: Graph, operand: Operand, { outer, branches }: { outer: number; branches: number }): Operand {
  if (operand.kind !== "merged" || operand.of.outer !== 1 || outer === 1 || operand.of.shape[0] !== outer)
    return operand;
  const { value, shape } = operand.of;
  const parts = [branches, outer, sizeOf(shape) / outer];
  const turned = transpose(graph, reshape(graph, value, parts), parts, [1, 0, 2]);
  return { kind: "merged", of: { value: shaped(graph, turned, [outer, branches, parts[2]]), shape, outer } };
}

type Elementwise = (
  graph: Graph,
  node: GraphNode,
  given: { terms: readonly Term[]; shape: readonly number[]; outer: number; branches: number },
) => SideBySide | null;

/** Where each operand has the size of the result or one number: before the branches, the branches, after them. */
const onThreeAxes: Elementwise = (graph, { operator, attributes }, { terms, shape, outer, branches }) => {
  const size = sizeOf(shape);
  const isSimple = terms.every(({ operand, shape }) => {
    const own = sizeOf(shape);
    if (operand.kind === "merged") return own === size && operand.of.outer === outer;
    return own === 1 || (own === size && (operand.kind === "shared" || outer === 1));
  });
  if (!isSimple) return null;
  const inner = size / outer;
  const declared = terms.flatMap(({ operand }) =>
    operand.kind === "merged" ? [graph.shapes.get(operand.of.value) ?? []] : [],
  );
  const isRepeated = terms.some(
    ({ operand, shape }) => operand.kind === "constants" || (operand.kind === "shared" && sizeOf(shape) > 1),
  );
  const view = isRepeated ? [outer, branches, inner] : declared[0];
  const inputs = terms.map(({ operand, shape }) => {
    const own = sizeOf(shape);
    if (operand.kind === "merged") return reshape(graph, operand.of.value, view);
    if (operand.kind === "constants") return joined(graph, operand.values, [1, own]);
    return reshape(graph, operand.value, own === 1 ? [] : [outer, 1, inner]);
  });
  return { value: shaped(graph, addNode(graph, operator, inputs, attributes), view), shape, outer };
};

/** The branches as an axis of their own, first or after the images. */
const withAnAxisMore: Elementwise = (graph, { operator, attributes }, { terms, shape, outer, branches }) => {
  const padded = terms.map((term) => ({ ...term, shape: padSizes(term.shape, shape.length) }));
  const isByImage = padded.every(({ operand, shape: [first] }) => first === (operand.kind === "merged" ? outer : 1));
  if (outer !== 1 && !(isByImage && shape[0] === outer)) return null;
  const [images, rest] = outer === 1 ? [[], shape] : [[outer], shape.slice(1)];
  const inputs = padded.map(({ operand, shape }) => {
    const own = shape.slice(images.length);
    if (operand.kind === "merged") return reshape(graph, operand.of.value, [...images, branches, ...own]);
    if (operand.kind === "constants") return joined(graph, operand.values, [1, ...own]);
    return operand.value;
  });
  const value = addNode(graph, operator, inputs, attributes);
  return { value: shaped(graph, value, [...images, branches, ...rest]), shape, outer };
};

const convolution: Rule = (graph, node, operands, branches) => {
  const [features, filter, bias, sum] = operands;
  const shape = graph.shapes.get(node.outputs[0]);
  if (!shape) return null;
  if (filter.kind === "shared") {
    if (!bias || bias.kind === "shared") return alongImages(graph, node, operands, branches);
    return node.operator === "Conv" ? withBiases(graph, node, operands, branches) : null;
  }
  if (filter.kind !== "constants") return null;
  const sizes = shapeOf(graph, features);
  const filterSizes = shapeOf(graph, filter);
  if (sizes?.length !== 4 || !filterSizes) return null;
  const [batch, channels, height, width] = sizes;
  const group = Number(node.attributes.group ?? 1);
  const groups = features.kind === "merged" ? group * branches : group;
  if (features.kind === "constants" || (features.kind === "merged" && features.of.outer !== batch)) return null;
  if (features.kind === "shared" && group !== 1) return null;
  const isBlocked = node.operator !== "Conv";
  if (isBlocked && (channels % graph.block || shape[1] % graph.block)) return null;
  const inputs = [
    features.kind === "merged"
      ? reshape(graph, features.of.value, [batch, branches * channels, height, width])
      : features.value,
    joined(graph, filter.values, filterSizes),
  ];
  if (bias) {
    const isAbsent = bias.kind === "shared" && bias.value === ABSENT;
    if (bias.kind === "merged") return null;
    if (isAbsent) inputs.push(ABSENT);
    else inputs.push(joined(graph, valuesOf(bias, branches), [shape[1]]));
  }
  if (sum) {
    if (sum.kind !== "merged" || sum.of.outer !== shape[0]) return null;
    inputs.push(reshape(graph, sum.of.value, [shape[0], branches * shape[1], ...shape.slice(2)]));
  }
  const value = addNode(graph, node.operator, inputs, { ...node.attributes, group: groups });
  return {
    value: shaped(graph, value, [shape[0], branches * shape[1], ...shape.slice(2)]),
    shape,
    outer: shape[0],
  };
};

/** Of one filter and a bias a branch: the bias is added afterwards. */
const withBiases: Rule = (graph, node, [features, filter, bias], branches) => {
  const isByBranch = bias.kind !== "merged" || bias.of.outer === 1;
  const found = isByBranch ? alongImages(graph, node, [features, filter], branches) : null;
  if (!found) return null;
  const [channels] = shapeOf(graph, bias) ?? [];
  const added = bias.kind === "merged" ? bias.of.value : joined(graph, valuesOf(bias, branches), [1, channels]);
  const view = [found.outer, branches, ...found.shape.slice(1)];
  const terms = [reshape(graph, found.value, view), reshape(graph, added, [branches, channels, 1, 1])];
  return { ...found, value: shaped(graph, addNode(graph, "Add", terms), view) };
};

/** What treats image after image alike takes the branches as further images. */
const alongImages: Rule = (graph, node, [first, ...rest], branches) => {
  const shape = graph.shapes.get(node.outputs[0]);
  const extra = sharedValues(rest);
  const source = first.kind === "merged" && asImages(graph, first.of, branches);
  if (!shape || !extra || !source) return null;
  if (node.operator === `${NCHWC}ReorderInput` && shape[1] % graph.block) return null;
  const value = addNode(graph, node.operator, [source, ...extra], node.attributes);
  return asImagesOf(graph, value, shape, branches);
};

const concatenation: Rule = (graph, node, operands, branches) => {
  const axis = Number(node.attributes.axis);
  const shape = graph.shapes.get(node.outputs[0]) ?? concatenated(operands, axis);
  if (!shape || axis < 1) return null;
  const sources = operands.map((operand) => operand.kind === "merged" && asImages(graph, operand.of, branches));
  if (sources.some((source) => !source)) return null;
  const value = addNode(graph, node.operator, sources as Value[], node.attributes);
  return asImagesOf(graph, value, shape, branches);
};

/** Maps of several images lie in one as its channels. */
const resizing: Rule = (graph, node, [first, ...rest], branches) => {
  const shape = graph.shapes.get(node.outputs[0]);
  if (first.kind !== "merged" || shape?.length !== 4 || shape[0] !== 1) return null;
  const [, maps, height, width] = first.of.shape;
  const extra = sharedValues(rest.slice(0, -1));
  if (!extra || maps !== shape[1] || maps % first.of.outer) return null;
  const wide = [1, branches * maps, ...shape.slice(2)];
  const source = reshape(graph, first.of.value, [1, branches * maps, height, width]);
  const value = addNode(graph, node.operator, [source, ...extra, integerConstants(graph, wide)], node.attributes);
  return { value: shaped(graph, value, wide), shape, outer: first.of.outer };
};

const transposing: Rule = (graph, node, [first], branches) => {
  const perm = node.attributes.perm as readonly number[];
  const shape = graph.shapes.get(node.outputs[0]);
  if (first.kind !== "merged" || !shape) return null;
  const images = perm[0] === 0 ? asImages(graph, first.of, branches) : null;
  if (images) {
    const value = addNode(graph, node.operator, [images], node.attributes);
    return asImagesOf(graph, value, shape, branches);
  }
  const source = withBranchesFirst(graph, first.of, branches);
  if (!source) return null;
  const value = addNode(graph, node.operator, [source], { perm: [0, ...perm.map((axis) => axis + 1)] });
  return withBranchesBefore(graph, value, shape, branches);
};

/** Axes are the second input. */
const reduction: Rule = (graph, node, [first, axes], branches) => {
  const shape = graph.shapes.get(node.outputs[0]);
  const given = axes?.kind === "shared" ? integersOf(graph, axes.value) : null;
  if (first.kind !== "merged" || !shape || !given) return null;
  const images = given.every((axis) => axis > 0) ? asImages(graph, first.of, branches) : null;
  if (images && shape.length > 0) {
    const value = addNode(graph, node.operator, [images, integerConstants(graph, given)], node.attributes);
    return asImagesOf(graph, value, shape, branches);
  }
  const source = withBranchesFirst(graph, first.of, branches);
  if (!source) return null;
  const later = given.map((axis) => axis + 1);
  const value = addNode(graph, node.operator, [source, integerConstants(graph, later)], node.attributes);
  return withBranchesBefore(graph, value, shape, branches);
};

/** Starts, ends, axes and steps are the further inputs. */
const slicing: Rule = (graph, node, [first, ...rest], branches) => {
  const shape = graph.shapes.get(node.outputs[0]);
  const extra = sharedValues(rest);
  const axes = extra?.[2] === undefined ? null : integersOf(graph, extra[2]);
  if (first.kind !== "merged" || !shape || !extra || !axes) return null;
  const { value: given, shape: from, outer } = first.of;
  const sliced = (source: Value, positions: readonly number[]) =>
    addNode(graph, node.operator, [source, extra[0], extra[1], integerConstants(graph, positions), ...extra.slice(3)]);
  if (axes.every((axis) => axis === 0) && outer === from[0]) {
    const view = reshape(graph, given, [outer, branches, ...from.slice(1)]);
    return {
      value: shaped(graph, sliced(view, axes), [shape[0], branches, ...shape.slice(1)]),
      shape,
      outer: shape[0],
    };
  }
  const images = axes.every((axis) => axis > 0) ? asImages(graph, first.of, branches) : null;
  if (images) {
    return asImagesOf(graph, sliced(images, axes), shape, branches);
  }
  const source = withBranchesFirst(graph, first.of, branches);
  if (!source) return null;
  const later = axes.map((axis) => axis + 1);
  return withBranchesBefore(graph, sliced(source, later), shape, branches);
};

const product: Rule = (graph, node, [left, right], branches) => {
  const [a, b] = [shapeOf(graph, left), shapeOf(graph, right)];
  if (!a || !b || a.length < 2 || b.length < 2) return null;
  const shape = [...(a.length > b.length ? a.slice(0, -2) : b.slice(0, -2)), a[a.length - 2], b[b.length - 1]];
  const record = (inputs: readonly Value[], declared: readonly number[], outer: number): SideBySide => ({
    value: shaped(graph, addNode(graph, node.operator, inputs), declared),
    shape,
    outer,
  });
  // One matrix for all branches: rows are rows, whichever branch they are of.
  if (left.kind === "merged" && right.kind === "shared" && b.length === 2) {
    const rows = sizeOf(a.slice(0, -1));
    if (rows % left.of.outer) return null;
    const wide = reshape(graph, left.of.value, [branches * rows, a[a.length - 1]]);
    return record([wide, right.value], [branches * rows, b[1]], left.of.outer);
  }
  if (right.kind === "merged" && left.kind === "shared" && a.length === 2 && b.length > 2) {
    const images = asImages(graph, right.of, branches);
    return images === null ? null : record([left.value, images], [branches * shape[0], ...shape.slice(1)], shape[0]);
  }
  // A matrix a branch.
  if (left.kind === "merged" && right.kind === "constants" && a.length === 2 && b.length === 2) {
    const { value, outer } = left.of;
    if (outer !== a[0] && outer !== 1) return null;
    const rows = reshape(graph, value, [outer, branches, a[0] / outer, a[1]]);
    return record([rows, joined(graph, right.values, [1, ...b])], [outer, branches, a[0] / outer, b[1]], outer);
  }
  const [first, second] = [left, right].map((operand) =>
    operand.kind === "merged"
      ? withBranchesFirst(graph, operand.of, branches)
      : operand.kind === "constants"
        ? joined(graph, operand.values, [1, ...(shapeOf(graph, operand) ?? [])])
        : operand.value,
  );
  if (!first || !second || a.length !== b.length) return null;
  return record([first, second], [branches, ...shape], 1);
};

const RULES = new Map<string, Rule>([
  ...["Relu", "LeakyRelu", "HardSigmoid", "Sigmoid", "Tanh", "Softplus", "Erf", "Clip", "Cast"].map(named(unary)),
  ...["Abs", "Neg", "Sqrt", "Exp", "Log", "Reciprocal", "Sign", "Floor", "Not"].map(named(unary)),
  ...["Add", "Sub", "Mul", "Div", "Max", "Min", "Pow", "Where", "And", "Or"].map(named(elementwise)),
  ...["Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"].map(named(elementwise)),
  ...["Conv", `${NCHWC}Conv`].map(named(convolution)),
  ...["ConvTranspose", "DepthToSpace", "MaxPool", "AveragePool", "GlobalAveragePool", "Pad"].map(named(alongImages)),
  ...["MaxPool", "AveragePool", "GlobalAveragePool", "ReorderInput", "ReorderOutput"]
    .map((operator) => NCHWC + operator)
    .map(named(alongImages)),
  ...["ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin"].map(named(reduction)),
  ["Concat", concatenation],
  ["MatMul", product],
  ["Reshape", reshaping],
  ["Resize", resizing],
  ["Slice", slicing],
  ["Transpose", transposing],
]);

function named(rule: Rule): (operator: string) => [string, Rule] {
  return (operator) => [operator, rule];
}

/** `[branches * first axis, ...]`, where the branches lie right after the first axis; else `null`. */
function asImages(graph: Graph, { value, shape, outer }: SideBySide, branches: number): Value | null {
  if (shape.length === 0 || shape[0] !== outer) return null;
  return reshape(graph, value, [branches * shape[0], ...shape.slice(1)]);
}

/** `[branches, ...shape]`, where they lie before all axes; else `null`. */
function withBranchesFirst(graph: Graph, { value, shape, outer }: SideBySide, branches: number): Value | null {
  return outer === 1 ? reshape(graph, value, [branches, ...shape]) : null;
}

/** A result that has the branches as further images. */
function asImagesOf(graph: Graph, value: Value, shape: readonly number[], branches: number): SideBySide {
  return { value: shaped(graph, value, [branches * shape[0], ...shape.slice(1)]), shape, outer: shape[0] };
}

/** A result with the branches as an axis before all others. */
function withBranchesBefore(graph: Graph, value: Value, shape: readonly number[], branches: number): SideBySide {
  return { value: shaped(graph, value, [branches, ...shape]), shape, outer: 1 };
}

/** Constants one after the other along a first axis. The runtime folds it when it loads the graph. */
function joined(graph: Graph, values: readonly Value[], shape: readonly number[]): Value {
  const parts = values.map((value) => reshape(graph, value, shape));
  return shaped(graph, addNode(graph, "Concat", parts, { axis: 0 }), [values.length * shape[0], ...shape.slice(1)]);
}

function valuesOf(operand: Exclude<Operand, { kind: "merged" }>, branches: number): readonly Value[] {
  return operand.kind === "constants" ? operand.values : Array.from({ length: branches }, () => operand.value);
}

function sharedValues(operands: readonly Operand[]): Value[] | null {
  const values = operands.flatMap((operand) => (operand.kind === "shared" ? operand.value : []));
  return values.length === operands.length ? values : null;
}

function shapeOf(graph: Graph, operand: Operand): readonly number[] | undefined {
  if (operand.kind === "merged") return operand.of.shape;
  return graph.shapes.get(operand.kind === "shared" ? operand.value : operand.values[0]);
}

function concatenated(operands: readonly Operand[], axis: number): number[] | null {
  const shapes = operands.flatMap((operand) => (operand.kind === "merged" ? [operand.of.shape] : []));
  if (shapes.length !== operands.length) return null;
  const shape = [...shapes[0]];
  shape[axis] = shapes.reduce((sum, one) => sum + one[axis], 0);
  return shape;
}

function integersOf(graph: Graph, value: Value): number[] | null {
  const data = graph.constants.get(value)?.data;
  return data instanceof BigInt64Array ? Array.from(data, Number) : null;
}

function shaped(graph: Graph, value: Value, shape: readonly number[]): Value {
  graph.shapes.set(value, shape);
  return value;
}

/** Declared with the shape of another. */
function like(graph: Graph, value: Value, other: Value): Value {
  const shape = graph.shapes.get(other);
  return shape ? shaped(graph, value, shape) : value;
}
