/**
 * Reads arrays that NumPy saved together by `np.savez`: a zip of `.npy` files
 * (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).
 */

import { WeightsError } from "../../core/errors.js";
import { LIMITS } from "../../core/limits.js";
import { type NdArray, type NdArrays, sizeOf } from "../../core/nd-array.js";
import { readInputFile } from "./input-file.js";
import { unzipParts } from "./unzip-parts.js";

const CURE = 'Save them with np.savez("check.npz", images=images, outputs=outputs).';

/** Of numbers that float32 holds, or comes near to: bytes of one, and how it is read. */
const TYPES: Readonly<Record<string, readonly [bytes: number, read: (view: DataView, at: number) => number]>> = {
  "<f4": [4, (view, at) => view.getFloat32(at, true)],
  "<f8": [8, (view, at) => view.getFloat64(at, true)],
  "|u1": [1, (view, at) => view.getUint8(at)],
  "<i4": [4, (view, at) => view.getInt32(at, true)],
  "<i8": [8, (view, at) => Number(view.getBigInt64(at, true))],
};
const MAGIC = "\x93NUMPY";

/**
 * @param names of the arrays that are wanted; others are not read.
 * @throws WeightsError where the file is absent or damaged, lacks one of them, or has numbers of another type.
 */
export async function readNpz(path: string, names: readonly string[]): Promise<NdArrays> {
  const bytes = await readInputFile(path, CURE);
  const fail = (what: string, cause?: unknown) =>
    new WeightsError(`${path}: ${what}.`, { cure: CURE, file: path, cause });
  const files = unzipParts(bytes, {
    mostOf: (name) => (names.includes(name.replace(/\.npy$/, "")) ? LIMITS.weightsArrayBytes : undefined),
    tooLarge: (name, own) => fail(`its ${name} would unpack to ${own} bytes`),
    damaged: (cause) => fail("is no .npz, or a damaged one", cause),
  });
  return Object.fromEntries(
    names.map((name) => {
      const file = `${name}.npy`;
      if (!Object.hasOwn(files, file)) throw fail(`has no array "${name}"`);
      return [name, arrayOf(files[file], (what) => fail(`its "${name}" ${what}`))];
    }),
  );
}

function arrayOf(bytes: Uint8Array, fail: (what: string) => WeightsError): NdArray {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (text.length < 12 || text.toString("latin1", 0, 6) !== MAGIC) throw fail("is no .npy");
  const [start, length] = text[6] === 1 ? [10, text.readUInt16LE(8)] : [12, text.readUInt32LE(8)];
  const header = text.toString("latin1", start, start + length);
  const type = /'descr':\s*'([^']*)'/.exec(header)?.[1] ?? "";
  const shape = (/'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1] ?? "")
    .split(",")
    .filter((side) => side.trim() !== "")
    .map(Number);
  if (!Object.hasOwn(TYPES, type)) throw fail(`has numbers of type ${type || "unknown"}, not float32 or uint8`);
  if (!/'fortran_order':\s*False/.test(header)) throw fail("lies column by column: np.ascontiguousarray mends it");
  const [size, read] = TYPES[type];
  const count = sizeOf(shape);
  if (text.length - start - length !== count * size) throw fail(`is cut off, or not ${shape.join(" x ")} numbers`);
  const view = new DataView(bytes.buffer, bytes.byteOffset + start + length);
  const data = Float32Array.from({ length: count }, (_, index) => read(view, index * size));
  if (data.every(Number.isFinite)) return { shape, data };
  throw fail("has numbers that are not finite");
}
