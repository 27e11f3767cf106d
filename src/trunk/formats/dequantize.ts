/** How TensorFlow.js stores numbers in a shard: dtypes, and the affine quantization of a manifest. */

import { WeightsError } from "../../core/errors.js";
import { fromFloat16 } from "../../core/float16.js";
import { type NdArray, sizeOf } from "../../core/nd-array.js";
import { clip } from "../../core/terminal.js";

/** One weight of a manifest (tfjs-core, `io.WeightsManifestEntry`). */
export interface ManifestEntry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly quantization?: { readonly dtype: string; readonly scale?: number; readonly min?: number };
}

type Read = (view: DataView, offset: number) => number;

const STORED: Readonly<Record<string, { readonly bytes: number; readonly read: Read }>> = {
  float32: { bytes: 4, read: (view, offset) => view.getFloat32(offset, true) },
  int32: { bytes: 4, read: (view, offset) => view.getInt32(offset, true) },
  float16: { bytes: 2, read: (view, offset) => fromFloat16(view.getUint16(offset, true)) },
  uint16: { bytes: 2, read: (view, offset) => view.getUint16(offset, true) },
  uint8: { bytes: 1, read: (view, offset) => view.getUint8(offset) },
  bool: { bytes: 1, read: (view, offset) => view.getUint8(offset) },
};

/**
 * Bytes that a weight takes in its shard.
 *
 * @param path of the manifest, for messages.
 * @throws WeightsError for a dtype that is not a number's.
 */
export function storedBytes(entry: ManifestEntry, path?: string): number {
  return stored(entry, path).bytes * sizeOf(entry.shape);
}

/** `min + scale * stored` where quantized; float16 is widened. Bytes beyond those of the weight are not read. */
export function dequantize(entry: ManifestEntry, bytes: Uint8Array): NdArray {
  const { bytes: width, read } = stored(entry);
  const { scale = 1, min = 0 } = entry.quantization ?? {};
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const data = new Float32Array(sizeOf(entry.shape));
  for (let i = 0; i < data.length; i++) data[i] = min + scale * read(view, i * width);
  return { shape: entry.shape, data };
}

function stored({ name, dtype, quantization }: ManifestEntry, path?: string) {
  const format = quantization?.dtype ?? dtype;
  if (Object.hasOwn(STORED, format)) return STORED[format];
  throw new WeightsError(
    `${path === undefined ? "" : `${path}: `}${clip(name)}: dtype ${clip(format)} cannot be read.`,
    {
      cure: `Known are ${Object.keys(STORED).join(", ")}.`,
    },
  );
}
