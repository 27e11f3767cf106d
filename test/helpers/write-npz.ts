/** Writes arrays as `np.savez` does. */

import { writeFileSync } from "node:fs";
import { zipSync } from "fflate";
import type { NdArray } from "../../src/core/nd-array.js";

/** Of each array the numbers, and NumPy's name for their type. @returns the path. */
export function writeNpz(path: string, arrays: Readonly<Record<string, NdArray & { readonly type?: string }>>): string {
  const files = Object.entries(arrays).map(([name, { shape, data, type = "<f4" }]) => {
    const numbers = type === "|u1" ? Uint8Array.from(data) : new Uint8Array(Float32Array.from(data).buffer);
    return [`${name}.npy`, Buffer.concat([header(shape, type), numbers])] as const;
  });
  writeFileSync(path, zipSync(Object.fromEntries(files)));
  return path;
}

/** Version 1.0: padded with blanks to a multiple of 64 bytes, the newline at its end included. */
function header(shape: readonly number[], type: string): Buffer {
  const text = `{'descr': '${type}', 'fortran_order': False, 'shape': (${shape.join(", ")}${shape.length === 1 ? "," : ""}), }`;
  const padded = `${text.padEnd(64 * Math.ceil((text.length + 11) / 64) - 11)}\n`;
  const start = Buffer.from("\x93NUMPY\x01\x00\0\0", "latin1");
  start.writeUInt16LE(padded.length, 8);
  return Buffer.concat([start, Buffer.from(padded, "latin1")]);
}
