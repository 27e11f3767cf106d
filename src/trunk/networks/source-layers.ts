/** Where a network can be explained: layers that carry all that the answer is made of. */

import type { Sides } from "../../core/size.js";
import { isLikeImage, type Operation } from "./operation.js";
import { placesOf } from "./places.js";

/** A layer that can be a source layer. */
export interface SourceLayer {
  readonly name: string;
  /** Pixels of the image from cell to cell, rounded. */
  readonly stride: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Whether an activation makes it, so that its values are features rather than sums of either sign. */
  readonly isActivation: boolean;
}

/** Strides up to this one see small things. */
const COARSEST = 16;

/**
 * Layers like the image, as heads read them, through which every path from the image to the answer passes, larger than 1 x 1, with a layer that learns
 * behind them: activations, sums and concatenations, in order.
 *
 * @param image its height and width.
 */
export function sourceLayers(operations: readonly Operation[], image: Sides): readonly SourceLayer[] {
  const places = placesOf(operations);
  const lastLearned = operations.findLastIndex(hasParameters);
  return cuts(operations).flatMap((index) => {
    const row = operations[index];
    if (index >= lastLearned || !isLikeImage(row.shape, image) || !isFeature(row)) return [];
    const [height, width, channels] = row.shape;
    if (height * width < 2) return [];
    const stride = Math.round(places.get(row.name)?.step ?? 1);
    return [{ name: row.name, stride, height, width, channels, isActivation: isActivation(row, operations) }];
  });
}

/**
 * The layer to explain at where none is named: the last of stride 16 or less, or the last activation before it that is as
 * large and that no other candidate of a sum lies between.
 *
 * @returns `undefined` where there is no candidate.
 */
export function defaultSource(layers: readonly SourceLayer[]): SourceLayer | undefined {
  const fine = layers.filter(({ stride }) => stride <= COARSEST);
  const last = fine.at(-1) ?? layers[0];
  if (!last || last.isActivation) return last;
  const before = fine.at(-2);
  return before?.isActivation && before.height === last.height ? before : last;
}

/** Rows that every path passes: no row after one of them reads a row before it. */
function cuts(operations: readonly Operation[]): readonly number[] {
  const places = new Map(operations.map(({ name }, index) => [name, index]));
  const found: number[] = [];
  // How far the furthest reader of any row so far lies; the image is read by the first rows.
  let furthest = 0;
  const readers = new Map<number, number>();
  for (const [index, { inputs }] of operations.entries())
    for (const input of inputs) readers.set(places.get(input) ?? -1, index);
  furthest = readers.get(-1) ?? 0;
  for (const index of operations.keys()) {
    if (furthest <= index) found.push(index);
    furthest = Math.max(furthest, readers.get(index) ?? index);
  }
  return found;
}

function hasParameters({ op }: Operation): boolean {
  return op === "convolution" || op === "transposedConvolution" || op === "dense";
}

function isFeature(row: Operation): boolean {
  return row.op === "function" || row.op === "add" || row.op === "concat" || "activation" in row;
}

/** A pooled or concatenated activation is one still. */
function isActivation(row: Operation, operations: readonly Operation[]): boolean {
  if (row.op === "function") return true;
  if ("activation" in row && row.activation !== "none") return true;
  if (row.op === "mul") return operations.some(({ name, op }) => row.inputs.includes(name) && op === "function");
  if (row.op !== "concat") return false;
  return row.inputs.every((input) => {
    const made = operations.find(({ name }) => name === input);
    return made !== undefined && (made.op === "maxPool" || isActivation(made, operations));
  });
}
