/** The table of a network while it is read: rows so far, their parameters, and the axes of each output in memory. */

import { LIMITS } from "../../core/limits.js";
import { type NdArray, ndArray, sizeOf, withAxes } from "../../core/nd-array.js";
import { type Features, isSameList, memoryShape, type Numbers } from "./graph-values.js";
import type { Activation, Operation } from "./operation.js";
import { Refusal } from "./refusal.js";

/** A row without what the table knows itself. */
export type NewRow = DistributiveOmit<Operation, "name" | "inputs" | "shape">;
type DistributiveOmit<Type, Key extends PropertyKey> = Type extends unknown ? Omit<Type, Key> : never;

export interface Table {
  readonly rows: Map<string, Operation>;
  readonly parameters: Record<string, NdArray>;
  /**
   * Adds a row.
   *
   * @param name of the node; the row's is like it, and unlike any other.
   * @param output shape, as ONNX has it, and the order of its axes in memory.
   */
  add(name: string, row: NewRow, inputs: readonly Features[], output: Pick<Features, "shape" | "order">): Features;
  /** Puts another row in the place of one that nothing else has read yet. */
  replace(features: Features, row: Operation): void;
  /** The same features with their axes in another order in memory; a row of its own only where elements move. */
  arranged(features: Features, order: readonly number[]): Features;
  setParameter(row: string, part: string, array: NdArray): void;
  parameter(row: string, part: string): NdArray | undefined;
}

/** Of one output. */
const MOST_NUMBERS = LIMITS.weightsArrayBytes / Float32Array.BYTES_PER_ELEMENT;

export function createTable(): Table {
  const rows = new Map<string, Operation>();
  const parameters: Record<string, NdArray> = {};
  const table: Table = {
    rows,
    parameters,
    add(name, row, inputs, { shape, order }) {
      if (!shape.every((size) => Number.isSafeInteger(size) && size > 0))
        throw new Refusal(`makes ${shape.join(" x ")} numbers`);
      if (sizeOf(shape) > MOST_NUMBERS)
        throw new Refusal(
          `makes ${shape.join(" x ")} numbers, more than ${MOST_NUMBERS}`,
          "Take a smaller input size.",
        );
      const own = freeName(rows, name);
      const added = { ...row, name: own, inputs: inputs.map((one) => one.row), shape: memoryShape({ shape, order }) };
      rows.set(own, added as Operation);
      return { kind: "features", row: own, shape, order };
    },
    replace(features, row) {
      rows.set(features.row, row);
    },
    arranged(features, order) {
      if (isSameList(features.order, order)) return features;
      const { shape } = features;
      const wide = (axes: readonly number[]) => axes.filter((axis) => shape[axis] !== 1);
      const moved = { ...features, order };
      if (isSameList(wide(features.order), wide(order)))
        return isSameList(memoryShape(features), memoryShape(moved))
          ? moved
          : table.add(`${features.row}.reshaped`, { op: "reshape" }, [features], moved);
      const turn = order.map((axis) => features.order.indexOf(axis));
      return table.add(`${features.row}.transposed`, { op: "transpose", order: turn }, [features], moved);
    },
    setParameter(row, part, array) {
      parameters[`trunk/${row}/${part}`] = array;
    },
    parameter: (row, part) => parameters[`trunk/${row}/${part}`],
  };
  return table;
}

/** Parameters are named after rows, and files after parameters. */
const LONGEST = 80;

/**
 * A short name: `/layer3/layer3.5/relu/Relu` becomes `layer3.5.relu`, since exporters write the whole path of modules and
 * then the operator.
 */
export function rowName(node: string, operator: string): string {
  const parts = node.split("/").filter((part) => part !== "");
  // The last part is the operator, with a number where it is not the first of its module.
  const last = parts.at(-1) ?? "";
  if (parts.length > 1 && (last === operator || last.startsWith(`${operator}_`)))
    parts.splice(-1, 1, ...(last === operator ? [] : [last]));
  const own = parts.filter((part, index) => !parts[index + 1]?.startsWith(`${part}.`));
  const name = own
    .join(".")
    .replace(/[^\w.-]/g, "_")
    .slice(-LONGEST);
  return name === "" || name === "input" ? `${name || operator}_` : name;
}

function freeName(rows: ReadonlyMap<string, unknown>, name: string): string {
  if (!rows.has(name)) return name;
  for (let number = 2; ; number++) if (!rows.has(`${name}_${number}`)) return `${name}_${number}`;
}

/** Whether an activation can follow in the same row. */
export function takesActivation(row: Operation): row is Extract<Operation, { activation: Activation }> {
  return "activation" in row && row.activation === "none";
}

/**
 * Numbers in the order of axes in memory, as a row's parameter: axes of size 1 in front are dropped where they are the
 * batch's, and numbers of fewer axes than the features belong to their last ones.
 *
 * @throws Refusal where the numbers have more axes, or differ along the batch.
 */
export function alignedNumbers({ shape, data }: Numbers, features: Pick<Features, "shape" | "order">): NdArray {
  const rank = features.shape.length;
  const long = shape.length > rank && shape.slice(0, shape.length - rank).every((size) => size === 1);
  const own = long ? shape.slice(shape.length - rank) : shape;
  if (own.length > rank) throw new Refusal(`computes with numbers of ${shape.length} dimensions`);
  const wide = [...new Array(rank - own.length).fill(1), ...own];
  if (wide[0] !== 1) throw new Refusal("computes with numbers that differ along the batch");
  const turned = withAxes({ shape: wide, data }, features.order);
  return ndArray(turned.shape.slice(1), turned.data);
}
