/** How ONNX holds numbers: raw, in typed lists, or in a file beside the model. */

import { type FileHandle, realpath } from "node:fs/promises";
import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import { WeightsError } from "../../core/errors.js";
import { sizeOf } from "../../core/nd-array.js";
import { fieldsOf, integersOf, textOf } from "../../core/protobuf-fields.js";
import { clip } from "../../core/terminal.js";
import { FLOAT_BYTES, type FloatType, floatsOf } from "./float-bytes.js";
import { withInputFile } from "./input-file.js";

/** A tensor as it stands in the model; its numbers are decoded when needed. */
export interface OnnxTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Number of `TensorProto.DataType`. */
  readonly type: number;
  /** Little-endian, where they are inside. */
  readonly bytes: Uint8Array;
  /** Of int32 (which holds float16 too) or int64, where they are lists. */
  readonly integers: readonly number[];
  /** Where the bytes lie, if in another file. */
  readonly external?: Readonly<Record<string, string>>;
}

/** `TensorProto.DataType` (github.com/onnx/onnx, onnx.proto). */
const FLOATS: Readonly<Record<number, FloatType>> = { 1: "float32", 10: "float16", 11: "float64" };
const INT64 = 7;
/** Of int32, int64 and bool. */
const INTEGER_BITS: Readonly<Record<number, 8 | 32 | 64>> = { 6: 32, 7: 64, 9: 8 };

/** Reads a `TensorProto`. */
export function tensorOf(message: Uint8Array): OnnxTensor {
  const sides: (readonly number[])[] = [];
  const lists: (readonly number[])[] = [];
  const bytes: Uint8Array[] = [];
  const external: Record<string, string> = Object.create(null);
  let [name, type] = ["", 0];
  for (const { number, value } of fieldsOf(message)) {
    if (number === 1) sides.push(integersOf(value));
    else if (number === 2) [type] = integersOf(value);
    else if (number === 5 || number === 7) lists.push(integersOf(value));
    else if (number === 8) name = textOf(value);
    // Lists of floats and doubles, packed or not, are the same bytes as raw data.
    else if (number === 4 || number === 9 || number === 10) bytes.push(value);
    else if (number === 13) {
      const pair = new Map([...fieldsOf(value)].map((field) => [field.number, textOf(field.value)]));
      external[pair.get(1) ?? ""] = pair.get(2) ?? "";
    }
  }
  const whole = bytes.length === 1 ? bytes[0] : Buffer.concat(bytes);
  return {
    name,
    shape: sides.flat(),
    type,
    bytes: whole,
    integers: lists.length === 1 ? lists[0] : lists.flat(),
    ...(external.location ? { external } : {}),
  };
}

/** A tensor of one dimension that holds the given floats, as an attribute may. */
export function inlineTensor(values: readonly number[]): OnnxTensor {
  const bytes = new Uint8Array(Float32Array.from(values).buffer);
  return { name: "", shape: [values.length], type: 1, bytes, integers: [] };
}

/** The same of whole numbers. */
export function inlineIntegers(shape: readonly number[], integers: readonly number[]): OnnxTensor {
  return { name: "", shape, type: INT64, bytes: new Uint8Array(), integers };
}

/**
 * The few numbers of a small tensor inside the model, such as a bound or a list of pads; `undefined` where it is none.
 */
export function smallNumbers(tensor: OnnxTensor | undefined): readonly number[] | undefined {
  if (!tensor || tensor.external) return undefined;
  const { type, bytes, integers: listed } = tensor;
  if (FLOATS[type]) return Array.from(floatsOf(listed.length > 0 ? halves(listed) : bytes, FLOATS[type]));
  if (type !== INT64) return undefined;
  if (listed.length > 0) return listed;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length >> 3 }, (_, index) => Number(view.getBigInt64(index * 8, true)));
}

/**
 * All numbers of a tensor of floats.
 *
 * @param path of the model: files beside it are read from its folder alone.
 * @param options.hasBounds whether numbers may be infinite, as bounds are.
 * @throws WeightsError where they are no floats, not finite, too few, or lie in a file that is absent or elsewhere.
 */
export async function tensorFloats(
  tensor: OnnxTensor,
  path: string,
  { hasBounds = false }: { readonly hasBounds?: boolean } = {},
): Promise<Float32Array<ArrayBuffer>> {
  const type = FLOATS[tensor.type];
  const place = `${path}: ${tensor.name || "a constant"}`;
  if (!type)
    throw new WeightsError(`${place} holds no floats.`, { cure: "Export the network unquantised, as float32." });
  const needed = countOf(tensor, place) * FLOAT_BYTES[type];
  const inside = tensor.integers.length > 0 ? halves(tensor.integers) : tensor.bytes;
  const bytes = tensor.external ? await externalBytes(tensor.external, { needed, path, place }) : inside;
  if (bytes.length !== needed)
    throw new WeightsError(`${place} has ${bytes.length} bytes, its shape needs ${needed}.`, {
      cure: "Fetch or export it again.",
    });
  const floats = floatsOf(bytes, type);
  if (!floats.every((value) => Number.isFinite(value) || (hasBounds && !Number.isNaN(value))))
    throw new WeightsError(`${place} holds numbers that are not finite.`, {
      cure: "Take the weights of another epoch.",
    });
  return floats;
}

/** @throws WeightsError where a size is none. */
function countOf({ shape }: OnnxTensor, place: string): number {
  if (shape.every((size) => Number.isSafeInteger(size) && size >= 0)) return sizeOf(shape);
  throw new WeightsError(`${place} is of ${shape.join(" x ")} numbers.`, { cure: "Fetch or export it again." });
}

/** Constants of no more numbers may be bounds, where infinity means none. */
const MOST_BOUNDS = 4;

/** Whether its numbers are of a type of whole ones. */
export function isWhole({ type }: OnnxTensor): boolean {
  return INTEGER_BITS[type] !== undefined;
}

/**
 * All numbers of a tensor, whole ones too.
 *
 * @throws WeightsError as `tensorFloats`, and where they are of a type that networks do not compute with.
 */
export async function numbersOf(tensor: OnnxTensor, path: string): Promise<ArrayLike<number>> {
  const bits = INTEGER_BITS[tensor.type];
  if (!bits) return tensorFloats(tensor, path, { hasBounds: sizeOf(tensor.shape) <= MOST_BOUNDS });
  const { external } = tensor;
  const place = `${path}: ${tensor.name || "a constant"}`;
  const count = countOf(tensor, place);
  if (tensor.integers.length > 0 && tensor.integers.length !== count)
    throw new WeightsError(`${place} has ${tensor.integers.length} numbers for ${count}.`, {
      cure: "Fetch or export it again.",
    });
  if (tensor.integers.length > 0) return tensor.integers;
  const needed = (count * bits) / 8;
  const bytes = external ? await externalBytes(external, { needed, path, place }) : tensor.bytes;
  if (bytes.length !== needed)
    throw new WeightsError(`${place} has ${bytes.length} bytes for ${count} numbers.`, {
      cure: "Fetch or export it again.",
    });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = (index: number) => {
    if (bits === 64) return Number(view.getBigInt64(index * 8, true));
    return bits === 32 ? view.getInt32(index * 4, true) : view.getUint8(index);
  };
  return Array.from({ length: count }, (_, index) => at(index));
}

/** Float16 comes as one integer for each number. */
function halves(integers: readonly number[]): Uint8Array {
  return new Uint8Array(Uint16Array.from(integers).buffer);
}

/**
 * The path of a file that a model names, or `undefined` where it is outside the model's own folder: it may name any.
 */
export function pathBeside(path: string, location: string): string | undefined {
  const folder = resolve(dirname(path));
  const file = resolve(folder, location);
  const inside = relative(folder, file);
  return isAbsolute(location) || isAbsolute(inside) || inside.split(/[\\/]/)[0] === ".." ? undefined : file;
}

const BELONGS = "It belongs to the model: fetch both again.";

/**
 * Reads a file that a model names.
 *
 * @throws WeightsError where it is absent, no regular file, or outside the model's folder, also by a link.
 */
export async function withFileBeside<Result>(
  path: string,
  location: string,
  use: (file: FileHandle, bytes: number) => Promise<Result>,
): Promise<Result> {
  const file = pathBeside(path, location);
  // What is not there is said by who opens it.
  const [folder, real] = await Promise.all(
    [realpath(dirname(path)), realpath(file ?? "")].map((one) => one.catch(() => undefined)),
  );
  const isOutside =
    file === undefined ||
    (folder !== undefined && real !== undefined && relative(folder, real).split(/[\\/]/)[0] === "..");
  if (isOutside)
    throw new WeightsError(`${path}: its numbers lie in ${clip(location)}, outside its folder.`, {
      cure: "Put the file itself, not a link, beside the model.",
    });
  return withInputFile(file, BELONGS, use);
}

async function externalBytes(
  external: Readonly<Record<string, string>>,
  { needed, path, place }: { needed: number; path: string; place: string },
): Promise<Uint8Array> {
  const [offset, length] = [Number(external.offset ?? 0), Number(external.length ?? needed)];
  if (!Number.isSafeInteger(offset) || offset < 0 || length !== needed)
    throw new WeightsError(
      `${place} wants bytes ${clip(external.offset ?? "0")} + ${clip(external.length ?? "all")} ` +
        `of ${clip(external.location)}, its shape needs ${needed}.`,
      { cure: "Export it again." },
    );
  return withFileBeside(path, external.location, async (handle, size) => {
    if (size < offset + needed)
      throw new WeightsError(
        `${join(dirname(path), external.location)}: is cut off: ${size} bytes, its numbers end at ${offset + needed}.`,
        { cure: BELONGS },
      );
    const bytes = new Uint8Array(needed);
    await handle.read(bytes, 0, needed, offset);
    return bytes;
  });
}
