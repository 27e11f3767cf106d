/** Little-endian floats of any width as float32: how files of other programs hold their numbers. */

import { dequantize } from "./dequantize.js";

export type FloatType = "float16" | "float32" | "float64";

/** Bytes of one number. */
export const FLOAT_BYTES: Readonly<Record<FloatType, number>> = { float16: 2, float32: 4, float64: 8 };

/** The numbers of `bytes`, copied; float64 is rounded once. A last number that is cut off is not read. */
export function floatsOf(bytes: Uint8Array, type: FloatType): Float32Array<ArrayBuffer> {
  const count = Math.floor(bytes.length / FLOAT_BYTES[type]);
  if (type === "float16") return Float32Array.from(dequantize({ name: "", shape: [count], dtype: type }, bytes).data);
  // A copy, so that they are aligned; not `slice`, which shares memory where the bytes are a Buffer.
  const { buffer } = new Uint8Array(bytes.subarray(0, count * FLOAT_BYTES[type]));
  return type === "float32" ? new Float32Array(buffer) : Float32Array.from(new Float64Array(buffer));
}
