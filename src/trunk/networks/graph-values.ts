/**
 * What a tensor of a graph that is read becomes: numbers, or the output of a row. ONNX has channels first; rows have them
 * last. So each output keeps which axis of ONNX lies where in memory, and transpositions of a file mostly disappear: they
 * only change what an axis is called.
 */

import { sizeOf } from "../../core/nd-array.js";
import { Refusal } from "./refusal.js";

/** A constant, or what can be computed while reading, such as a shape. */
export interface Numbers {
  readonly kind: "numbers";
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
  /** Of a type of whole numbers, whose quotients are cut. */
  readonly isInteger?: boolean;
}

/** The output of a row, for a batch of 1. */
export interface Features {
  readonly kind: "features";
  readonly row: string;
  /** As ONNX has it, the batch first. */
  readonly shape: readonly number[];
  /** Axis `i` in memory is axis `order[i]` of `shape`; the batch is first in both. */
  readonly order: readonly number[];
}

export type GraphValue = Numbers | Features;

/** Channels last: where convolutions want them. */
export function channelsLast(rank: number): readonly number[] {
  return [0, ...Array.from({ length: rank - 2 }, (_, index) => index + 2), 1].slice(0, rank);
}

/** As ONNX has it. */
export function natural(rank: number): readonly number[] {
  return Array.from({ length: rank }, (_, axis) => axis);
}

/** Sizes in the order of memory, without the batch. */
export function memoryShape({ shape, order }: Pick<Features, "shape" | "order">): readonly number[] {
  return order.slice(1).map((axis) => shape[axis]);
}

export function isSameList(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index]);
}

/** An axis, or an index, that may count from the end. @throws Refusal where there is none such. */
export function wholeAxis(axis: number, count: number): number {
  const whole = axis < 0 ? axis + count : axis;
  if (Number.isInteger(whole) && whole >= 0 && whole < count) return whole;
  throw new Refusal(`asks for number ${axis} of ${count}`);
}

/** Indices of a slice along an axis, whose bounds may count from the end and whose step may be negative. */
export function sliceIndices(
  size: number,
  { start, end, step }: { readonly start: number; readonly end: number; readonly step: number },
): number[] {
  const bound = (value: number, low: number, high: number) =>
    Math.min(high, Math.max(low, value < 0 ? value + size : value));
  const found: number[] = [];
  if (step > 0) for (let at = bound(start, 0, size); at < bound(end, 0, size); at += step) found.push(at);
  if (step < 0) for (let at = bound(start, -1, size - 1); at > bound(end, -1, size - 1); at += step) found.push(at);
  return found;
}

/** Axes of one shape, and those of another that hold the same elements. */
export interface Segment {
  readonly from: readonly number[];
  readonly to: readonly number[];
}

/**
 * Cuts two shapes of one size into the smallest runs of axes that hold as many elements: `[116, 28]` and `[2, 58, 28]`
 * into `116 | 28` and `2, 58 | 28`. Axes of size 1 belong to the run before them.
 *
 * @returns `undefined` where the sizes differ.
 */
export function segments(from: readonly number[], to: readonly number[]): readonly Segment[] | undefined {
  if (sizeOf(from) !== sizeOf(to)) return undefined;
  const found: Segment[] = [];
  let [i, j] = [0, 0];
  while (i < from.length || j < to.length) {
    const own: { from: number[]; to: number[] } = { from: [], to: [] };
    let [left, right] = [1, 1];
    for (;;) {
      const isShort = left < right || (left === right && own.from.length === 0);
      if (i < from.length && isShort) {
        left *= from[i];
        own.from.push(i++);
      } else if (j < to.length && (right < left || own.to.length === 0)) {
        right *= to[j];
        own.to.push(j++);
      } else break;
    }
    while (i < from.length && from[i] === 1) own.from.push(i++);
    while (j < to.length && to[j] === 1) own.to.push(j++);
    found.push(own);
  }
  return found;
}
