/** Named parameters: how each is declared, and how fresh ones are drawn. */

import { type NdArray, sizeOf } from "./nd-array.js";
import { random } from "./random.js";

/** `glorot`: uniform, fan in and out (Glorot 2010). `he`: normal, fan in (He 2015). A number fills the array. */
export type Initializer = "he" | "glorot" | number;

/** A declared parameter. Names are `trunk/<layer>/<what>` and `head/<name>/<what>`. */
export interface ParameterSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly initializer: Initializer;
  /** Values that feed one output element, for the initializers that need it. */
  readonly fanIn?: number;
  readonly fanOut?: number;
  /** False for moving statistics of batch normalisation, which no optimizer touches. */
  readonly isTrainable: boolean;
}

/** Draws parameters; each has a stream of its own, so adding one changes no other. */
export function initialize(specs: readonly ParameterSpec[], { seed }: { seed: number }): Record<string, NdArray> {
  return Object.fromEntries(specs.map((spec) => [spec.name, draw(spec, seed)]));
}

function draw(spec: ParameterSpec, seed: number): NdArray {
  const { shape, initializer, fanIn = 1, fanOut = 1 } = spec;
  const data = new Float32Array(sizeOf(shape));
  if (typeof initializer === "number") return { shape, data: data.fill(initializer) };
  const stream = random(seed, "parameter", spec.name);
  const deviation = Math.sqrt(2 / fanIn);
  const limit = Math.sqrt(6 / (fanIn + fanOut));
  for (let i = 0; i < data.length; i++) {
    data[i] = initializer === "he" ? stream.normal() * deviation : stream.uniform(-limit, limit);
  }
  return { shape, data };
}
