/** Opens HDF5 files, and reads what Keras puts into them: lists of names, and arrays of floats. */

import { type FileHandle, open } from "node:fs/promises";
import type { Dataset, Entity, Group } from "h5wasm/node";
import { WeightsError } from "../../core/errors.js";
import type { NdArray } from "../../core/nd-array.js";
import { FLOAT_BYTES, type FloatType, floatsOf } from "./float-bytes.js";

/** Four megabytes of WebAssembly, so loaded when first needed. */
type Library = typeof import("h5wasm/node");

/** An open file, valid only while `readH5` runs its callback. */
export interface H5File {
  readonly root: Group;
  isGroup(entity: Entity | null): entity is Group;
  isDataset(entity: Entity | null): entity is Dataset;
  /** @throws WeightsError where the numbers are no floats, or not finite. */
  floats(dataset: Dataset): NdArray;
}

const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

/**
 * Numbers are read when `use` asks for them, from the file where it lies.
 *
 * @throws WeightsError where the file is absent, no HDF5 file, cut off or damaged; and what `use` throws.
 */
export async function readH5<T>(path: string, use: (file: H5File) => T): Promise<T> {
  await checkHeader(path);
  const library = await import("h5wasm/node");
  const module = await library.ready;
  // Without it HDF5 prints its whole stack of calls to the console.
  module.activate_throwing_error_handler();
  try {
    const root = new library.File(path, "r");
    try {
      return use({
        root,
        isGroup: (entity) => entity instanceof library.Group,
        isDataset: (entity) => entity instanceof library.Dataset,
        floats: (dataset) => floats(path, dataset, module),
      });
    } finally {
      root.close();
    }
  } catch (cause) {
    if (cause instanceof WeightsError) throw cause;
    throw new WeightsError(`${path}: is damaged: HDF5 cannot read it. Fetch or save it again.`, { cause });
  } finally {
    module.deactivate_throwing_error_handler();
  }
}

/** The strings of an attribute; Keras splits a list of more than 64 kB into `name0`, `name1` and so on. */
export function strings(group: Group, name: string): readonly string[] | undefined {
  const { attrs } = group;
  if (attrs[name]) return [attrs[name].value].flat().filter((value) => typeof value === "string");
  const chunks: string[] = [];
  for (let index = 0; attrs[`${name}${index}`]; index++) chunks.push(...(strings(group, `${name}${index}`) ?? []));
  return chunks.length > 0 ? chunks : undefined;
}

function floats(path: string, dataset: Dataset, module: Awaited<Library["ready"]>): NdArray {
  const { type, size, shape, total_size: count } = dataset.metadata;
  const types = Object.keys(FLOAT_BYTES) as FloatType[];
  const float = types.find((name) => FLOAT_BYTES[name] === size);
  if (type !== module.H5T_class_t.H5T_FLOAT.value || !float || !shape)
    throw new WeightsError(`${path}: ${dataset.path} holds no floats. Save the weights as float32.`);
  // Not `dataset.value`, which knows no float16. The numbers come out little-endian, however they are stored.
  const address = module._malloc(size * count);
  try {
    module.get_dataset_data(dataset.file_id, dataset.path, null, null, null, BigInt(address));
    const data = floatsOf(module.HEAPU8.subarray(address, address + size * count), float);
    if (data.every(Number.isFinite)) return { shape, data };
  } finally {
    module._free(address);
  }
  throw new WeightsError(
    `${path}: ${dataset.path} holds numbers that are not finite. Take the weights of another epoch.`,
  );
}

/** Looks at the first bytes, since HDF5's own message for a wrong file says neither which it is nor what to do. */
async function checkHeader(path: string): Promise<void> {
  let file: FileHandle;
  try {
    file = await open(path);
  } catch (cause) {
    throw new WeightsError(`${path}: cannot be opened. Give the path of a Keras .h5 file.`, { cause });
  }
  try {
    const { size } = await file.stat();
    const header = new DataView(new ArrayBuffer(64));
    await file.read(new Uint8Array(header.buffer), 0, 64, 0).catch(() => undefined);
    if (header.getUint16(0) === 0x504b)
      throw new WeightsError(`${path}: is a .keras archive. Save the model as .h5: model.save("trunk.h5").`);
    if (SIGNATURE.some((byte, index) => header.getUint8(index) !== byte))
      throw new WeightsError(`${path}: is no HDF5 file. Give a .h5 file as Keras saves it.`);
    const end = endOfFile(header);
    if (end !== undefined && size < end)
      throw new WeightsError(`${path}: is cut off: ${size} bytes of ${end}. Fetch or save it again.`);
  } finally {
    await file.close();
  }
}

/** Where the file ends by its own superblock (HDF5 File Format Specification, section II.A); addresses of 8 bytes only. */
function endOfFile(header: DataView): number | undefined {
  const version = header.getUint8(8);
  const addressBytes = header.getUint8(version < 2 ? 13 : 9);
  const position = [40, 44, 28, 28][version];
  if (position === undefined || addressBytes !== 8) return undefined;
  return Number(header.getBigUint64(position, true));
}
