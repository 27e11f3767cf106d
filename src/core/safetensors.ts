/** The safetensors format (a JSON header, then raw little-endian numbers), float32 and int32 only. */

import { InputError } from "./errors.js";
import { type NdArray, type NdArrays, sizeOf } from "./nd-array.js";

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/** Encodes arrays by name, in the order given; any safetensors reader can read the result. */
export function encodeSafetensors(arrays: NdArrays): Uint8Array {
  const header: Record<string, Entry> = {};
  let offset = 0;
  for (const [name, { shape, data }] of Object.entries(arrays)) {
    const dtype = data instanceof Float32Array ? "F32" : "I32";
    header[name] = { dtype, shape, data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
  }
  let text = JSON.stringify(header);
  text = text.padEnd(Math.ceil(text.length / 8) * 8, " ");
  const encoded = new TextEncoder().encode(text);
  const start = 8 + encoded.length;
  const bytes = new Uint8Array(start + offset);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(encoded.length), true);
  bytes.set(encoded, 8);
  for (const [name, { data }] of Object.entries(arrays)) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), start + header[name].data_offsets[0]);
  }
  return bytes;
}

/**
 * Reads arrays back; each is a copy of its own.
 *
 * @param source named in errors.
 * @throws InputError where the header or an extent is wrong.
 */
export function decodeSafetensors(bytes: Uint8Array, source: string): Record<string, NdArray> {
  const broken = (what: string) =>
    new InputError(`${source}: not a readable safetensors file: ${what}. Make it again.`);
  if (bytes.length < 8) throw broken(`only ${bytes.length} bytes`);
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const start = 8 + length;
  if (start > bytes.length) throw broken("its header is longer than the file");
  let header: Record<string, Entry>;
  try {
    header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, start)));
  } catch (cause) {
    throw new InputError(broken("its header is not JSON").message, { cause });
  }
  const arrays: Record<string, NdArray> = {};
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const [begin, end] = entry.data_offsets;
    if (entry.dtype !== "F32" && entry.dtype !== "I32") throw broken(`"${name}" has dtype ${entry.dtype}`);
    if (end - begin !== 4 * sizeOf(entry.shape) || start + end > bytes.length) throw broken(`"${name}" is cut off`);
    const copy = bytes.slice(start + begin, start + end);
    const data = entry.dtype === "F32" ? new Float32Array(copy.buffer) : new Int32Array(copy.buffer);
    arrays[name] = { shape: entry.shape, data };
  }
  return arrays;
}
