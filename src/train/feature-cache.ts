/** Features of a frozen trunk, computed once: in memory up to a limit, in a file past it. */

import { type FileHandle, open, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { deflateSync, inflateSync } from "fflate";
import type { Annotation, Sample } from "../core/annotation.js";
import { makeFolder, refused } from "../core/files.js";
import { type NdArray, sizeOf } from "../core/nd-array.js";

/** Rows of features by index, each one image: the layers one after another. */
export interface FeatureCache {
  /** Stores a row; indices may come in any order, each once. */
  add(index: number, row: Float32Array, sample: Sample): Promise<void>;
  /** Features by layer, `[rows, size, size, channels]`, and the samples without their images. */
  read(
    indices: readonly number[],
    options: { batchSize: number },
  ): Promise<{ features: Record<string, NdArray>; samples: Sample[] }>;
  /** Frees memory and removes the file. */
  dispose(): Promise<void>;
}

/**
 * @param taps shape of one row's features by layer, `[size, size, channels]`.
 * @param memoryBytes past this total the rows lie in `path`, which is written again.
 */
export async function createFeatureCache(
  taps: Readonly<Record<string, readonly number[]>>,
  { rowCount, memoryBytes, path }: { rowCount: number; memoryBytes: number; path: string },
): Promise<FeatureCache> {
  const width = Object.values(taps).reduce((sum, shape) => sum + sizeOf(shape), 0);
  const rows = await openRows({ rowCount, width, memoryBytes, path });
  const samples: PackedSample[] = new Array(rowCount);
  return {
    add: async (index, row, sample) => {
      samples[index] = pack(sample);
      await rows.write(index, row);
    },
    read: async (indices, { batchSize }) => {
      const read = await Promise.all(indices.map((index) => rows.read(index)));
      const features: Record<string, NdArray> = {};
      let offset = 0;
      for (const [tap, shape] of Object.entries(taps)) {
        const size = sizeOf(shape);
        const data = new Float32Array(batchSize * size);
        for (const [place, row] of read.entries()) data.set(row.subarray(offset, offset + size), place * size);
        features[`tap/${tap}`] = { shape: [batchSize, ...shape], data };
        offset += size;
      }
      return { features, samples: indices.map((index) => unpack(samples[index])) };
    },
    dispose: () => rows.dispose(),
  };
}

interface Rows {
  write(index: number, row: Float32Array): Promise<void>;
  read(index: number): Promise<Float32Array>;
  dispose(): Promise<void>;
}

async function openRows(options: {
  rowCount: number;
  width: number;
  memoryBytes: number;
  path: string;
}): Promise<Rows> {
  const { rowCount, width, memoryBytes, path } = options;
  if (rowCount * width * 4 <= memoryBytes) {
    const held: Float32Array[] = new Array(rowCount);
    return {
      write: async (index, row) => {
        held[index] = row;
      },
      read: async (index) => held[index],
      dispose: async () => {
        held.length = 0;
      },
    };
  }
  await makeFolder(dirname(path));
  const file: FileHandle = await open(path, "w+").catch((cause: unknown) => {
    throw refused(path, cause);
  });
  return {
    write: async (index, row) => {
      const bytes = new Uint8Array(row.buffer, row.byteOffset, row.byteLength);
      // The system may write less than it is given, as on a disk that is nearly full.
      for (let done = 0; done < bytes.length; ) {
        const { bytesWritten } = await file
          .write(bytes, done, bytes.length - done, index * width * 4 + done)
          .catch((cause: unknown) => {
            throw refused(path, cause);
          });
        done += bytesWritten;
      }
    },
    read: async (index) => {
      const row = new Float32Array(width);
      await file.read(new Uint8Array(row.buffer), 0, row.byteLength, index * width * 4);
      return row;
    },
    dispose: async () => {
      await file.close();
      await rm(path, { force: true });
    },
  };
}

/** A sample without its image, masks deflated: a mask of 224 x 224 shrinks from 200 kB to some kilobytes. */
type PackedSample = Omit<Sample, "image" | "aspects"> & {
  readonly aspects: Readonly<Record<string, WithPixels<Uint8Array>>>;
};
type WithPixels<Pixels> = Omit<Annotation, "mask" | "map" | "ignored"> & {
  readonly mask?: Pixels | null;
  readonly map?: Pixels;
  readonly ignored?: Uint8Array;
};

function pack({ image: _, aspects, ...rest }: Sample): PackedSample {
  const deflated = (pixels: Uint8Array | Float32Array) =>
    deflateSync(new Uint8Array(Float32Array.from(pixels).buffer), { level: 1 });
  return { ...rest, aspects: mapPixels(aspects, { pixels: deflated, flags: deflateSync }) };
}

function unpack({ aspects, ...rest }: PackedSample): Sample {
  // A copy, which begins at a multiple of four.
  const inflated = (bytes: Uint8Array) => new Float32Array(inflateSync(bytes).slice().buffer);
  return { ...rest, image: new Uint8Array(0), aspects: mapPixels(aspects, { pixels: inflated, flags: inflateSync }) };
}

function mapPixels<From extends Uint8Array | Float32Array, To extends Uint8Array | Float32Array>(
  aspects: Readonly<Record<string, WithPixels<From>>>,
  change: { readonly pixels: (pixels: From) => To; readonly flags: (flags: Uint8Array) => Uint8Array },
): Record<string, WithPixels<To>> {
  return Object.fromEntries(
    Object.entries(aspects).map(([name, { mask, map, ignored, ...rest }]) => [
      name,
      {
        ...rest,
        ...(mask === undefined ? {} : { mask: mask && change.pixels(mask) }),
        ...(map === undefined ? {} : { map: change.pixels(map) }),
        ...(ignored && { ignored: change.flags(ignored) }),
      },
    ]),
  );
}
