/** The safetensors format (a JSON header, then raw little-endian numbers): float32, float16 and int32. */

import { InputError } from "./errors.js";
import { fromFloat16, toFloat16 } from "./float16.js";
import { parseJson } from "./json.js";
import { isRecord } from "./json-values.js";
import { shown } from "./message-text.js";
import { type NdArray, type NdArrays, sizeOf } from "./nd-array.js";

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/** Bytes a number, by dtype. */
const WIDTHS: Readonly<Record<string, number>> = { F32: 4, I32: 4, F16: 2 };
const READERS: Readonly<Record<string, (buffer: ArrayBuffer) => NdArray["data"]>> = {
  F32: (buffer) => new Float32Array(buffer),
  I32: (buffer) => new Int32Array(buffer),
  F16: (buffer) => Float32Array.from(new Uint16Array(buffer), fromFloat16),
};

/** Strings stored beside the arrays, under the format's own key. */
export type Metadata = Readonly<Record<string, string>>;

/** What `encodeSafetensors` adds, and what it rounds. */
export interface EncodeOptions {
  readonly metadata?: Metadata;
  /** Names of the arrays that are rounded to half precision; none by default. */
  readonly isHalf?: (name: string) => boolean;
}

/** Encodes arrays by name, in the order given; any safetensors reader can read the result. */
export function encodeSafetensors(arrays: NdArrays, { metadata, isHalf }: EncodeOptions = {}): Uint8Array {
  // Any name may come, `__proto__` too: objects without a prototype, and pairs.
  const header: Record<string, Entry | Metadata> = Object.create(null);
  if (metadata) header.__metadata__ = metadata;
  const stored: { numbers: Float32Array | Int32Array | Uint16Array; at: number }[] = [];
  let offset = 0;
  for (const [name, { shape, data }] of Object.entries(arrays)) {
    const half = data instanceof Float32Array && isHalf?.(name);
    const numbers = half ? Uint16Array.from(data, toFloat16) : data;
    const dtype = half ? "F16" : data instanceof Float32Array ? "F32" : "I32";
    header[name] = { dtype, shape, data_offsets: [offset, offset + numbers.byteLength] };
    stored.push({ numbers, at: offset });
    offset += numbers.byteLength;
  }
  const text = Buffer.from(JSON.stringify(header), "utf8");
  const start = 8 + Math.ceil(text.length / 8) * 8; // numbers begin at a multiple of 8, for readers that map the file
  const bytes = new Uint8Array(start + offset).fill(0x20, 8, start);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(start - 8), true);
  bytes.set(text, 8);
  for (const { numbers, at } of stored) {
    bytes.set(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength), start + at);
  }
  return bytes;
}

/**
 * Reads arrays back; each is a copy of its own, and half precision is widened.
 *
 * @returns an object without a prototype, so that no name means anything else.
 * @param file named in errors.
 * @throws InputError where the header or an extent is wrong.
 */
export function decodeSafetensors(bytes: Uint8Array, file: string): Record<string, NdArray> {
  return decodeArrays(bytes, readHeader(bytes, file), file);
}

/** The strings stored beside the arrays, in an object without a prototype; empty where there are none. */
export function safetensorsMetadata(bytes: Uint8Array, file: string): Metadata {
  return metadataOf(readHeader(bytes, file), file);
}

/** Arrays and strings of one file. @throws InputError as `decodeSafetensors`. */
export function readSafetensors(
  bytes: Uint8Array,
  file: string,
): { readonly metadata: Metadata; readonly arrays: Record<string, NdArray> } {
  const header = readHeader(bytes, file);
  return { metadata: metadataOf(header, file), arrays: decodeArrays(bytes, header, file) };
}

function decodeArrays(bytes: Uint8Array, { header, start }: Header, file: string): Record<string, NdArray> {
  const entries = Object.entries(header).filter(([name]) => name !== "__metadata__");
  for (const [name, entry] of entries) {
    if (!isEntry(entry)) throw broken(file, `${shown(name)} is described wrongly`);
    const { dtype, shape, data_offsets } = entry;
    const [begin, end] = data_offsets;
    if (!Object.hasOwn(WIDTHS, dtype)) throw broken(file, `${shown(name)} has dtype ${shown(dtype)}`);
    if (end - begin !== WIDTHS[dtype] * sizeOf(shape) || start + end > bytes.length)
      throw broken(file, `${shown(name)} is cut off`);
  }
  // Every entry was just checked.
  checkExtents(entries as [string, Entry][], file);
  const arrays: Record<string, NdArray> = Object.create(null);
  for (const [name, { dtype, shape, data_offsets }] of entries as [string, Entry][]) {
    const [begin, end] = data_offsets;
    // A copy: `slice` of a Buffer would be a view.
    const { buffer } = new Uint8Array(bytes.subarray(start + begin, start + end));
    arrays[name] = { shape, data: READERS[dtype](buffer) };
  }
  return arrays;
}

/** The format forbids arrays over the same bytes; a small file could claim any memory with them. */
function checkExtents(entries: readonly [string, Entry][], file: string): void {
  const inOrder = entries.toSorted(([, { data_offsets: a }], [, { data_offsets: b }]) => a[0] - b[0] || a[1] - b[1]);
  let end = 0;
  for (const [name, { data_offsets }] of inOrder) {
    if (data_offsets[0] < end) throw broken(file, `${shown(name)} lies over another array`);
    end = data_offsets[1];
  }
}

function metadataOf({ header }: Header, file: string): Metadata {
  const metadata: unknown = header.__metadata__ ?? {};
  if (
    typeof metadata !== "object" ||
    metadata === null ||
    Object.values(metadata).some((text) => typeof text !== "string")
  )
    throw broken(file, "its metadata are no texts");
  return Object.assign(Object.create(null), metadata);
}

function isEntry(value: unknown): value is Entry {
  const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Record<string, unknown>;
  const isCounts = (list: unknown) => Array.isArray(list) && list.every((n) => Number.isSafeInteger(n) && n >= 0);
  return typeof dtype === "string" && isCounts(shape) && isCounts(offsets) && (offsets as number[]).length === 2;
}

interface Header {
  readonly header: Record<string, Entry | Metadata>;
  /** Where the numbers begin. */
  readonly start: number;
}

function readHeader(bytes: Uint8Array, file: string): Header {
  if (bytes.length < 8) throw broken(file, `only ${bytes.length} bytes`);
  const start = 8 + Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (start > bytes.length) throw broken(file, "its header is longer than the file");
  const header = parseJson(bytes.subarray(8, start), {
    where: `${file}: not a readable safetensors file: its header`,
    cure: "Make it again.",
    error: InputError,
  });
  if (!isRecord(header)) throw broken(file, "its header is no object");
  return { header: header as Record<string, Entry | Metadata>, start };
}

function broken(file: string, what: string, cause?: unknown): InputError {
  return new InputError(`${file}: not a readable safetensors file: ${what}.`, { cure: "Make it again.", cause });
}
