/**
 * Opens HDF5 files where no other file can be reached, and reads what Keras puts into them: lists of names, and arrays
 * of floats.
 */

import { randomUUID } from "node:crypto";
import type { Dataset, Entity, Group } from "h5wasm";
import { WeightsError } from "../../core/errors.js";
import { LIMITS } from "../../core/limits.js";
import { type NdArray, sizeOf } from "../../core/nd-array.js";
import { FLOAT_BYTES, type FloatType, floatsOf } from "./float-bytes.js";
import { readInputFile } from "./input-file.js";

/**
 * Four megabytes of WebAssembly, so loaded when first needed. Its `/node` build would read the files of the machine
 * itself.
 */
type Library = typeof import("h5wasm");
type Module = Awaited<Library["ready"]>;

/** An open file, valid only while `readH5` runs its callback. */
export interface H5File {
  readonly root: Group;
  /**
   * What lies in a group under a name, or at a path below it.
   *
   * @throws WeightsError where that leads to another file.
   */
  get(group: Group, name: string): Entity | null;
  isGroup(entity: Entity | null): entity is Group;
  isDataset(entity: Entity | null): entity is Dataset;
  /** Tells an object from others, whichever of its names it was found by. */
  identityOf(entity: Group): string;
  /** The strings of an attribute; Keras splits a list of more than 64 kB into `name0`, `name1` and so on. */
  strings(group: Group, name: string): readonly string[] | undefined;
  /**
   * @throws WeightsError where the numbers are no floats, not finite, more than a file of this size may hold, or
   *   elsewhere.
   */
  floats(dataset: Dataset): NdArray;
}

const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];
const CURE = "Give a .h5 file as Keras saves it.";
const AGAIN = "Fetch or save it again.";
const ELSEWHERE = 'Save the weights into one file: model.save("trunk.h5").';

/**
 * Numbers are read when `use` asks for them.
 *
 * @throws WeightsError where the file is absent, no HDF5 file, cut off, damaged, or has parts in other files; and what
 *   `use` throws.
 */
export async function readH5<T>(path: string, use: (file: H5File) => T): Promise<T> {
  return readH5Bytes(path, await readInputFile(path, CURE), use);
}

/** The same of the bytes of a file. @param path for messages. */
export async function readH5Bytes<T>(path: string, bytes: Buffer, use: (file: H5File) => T): Promise<T> {
  checkHeader(path, bytes);
  const library = await import("h5wasm");
  const module = await library.ready;
  closeDoors(module);
  const name = `/${randomUUID()}`; // which no file can name as part of itself
  module.FS.writeFile(name, bytes, { canOwn: true } as { flags?: string }); // makes no copy; the types lack it
  // Without it HDF5 prints its whole stack of calls to the console.
  module.activate_throwing_error_handler();
  let root: InstanceType<Library["File"]> | undefined;
  try {
    root = new library.File(name, "r");
    return use(openFile(path, root, { library, module, bytes: bytes.length }));
  } catch (cause) {
    if (cause instanceof WeightsError) throw cause;
    if (/external|EFL/i.test((cause as Error | undefined)?.message ?? ""))
      throw new WeightsError(`${path}: has numbers in another file, which is not read.`, { cure: ELSEWHERE, cause });
    throw new WeightsError(`${path}: is damaged: HDF5 cannot read it.`, { cure: AGAIN, cause });
  } finally {
    module.deactivate_throwing_error_handler();
    root?.close();
    // What a failure leaves open keeps its name, but not the memory.
    module.FS.truncate(name, 0);
    module.FS.unlink(name);
  }
}

/**
 * Removes the devices of the memory file system, among them the process's own input: else a file could be read from
 * there.
 */
function closeDoors({ FS }: Module): void {
  for (const folder of ["/dev", "/dev/shm"]) {
    if (!FS.analyzePath(folder, false).exists) continue;
    for (const name of FS.readdir(folder) as string[]) {
      const path = `${folder}/${name}`;
      if (!name.startsWith(".") && !FS.isDir(FS.lstat(path).mode)) FS.unlink(path);
    }
  }
}

function openFile(
  path: string,
  root: Group,
  { library, module, bytes }: { library: Library; module: Module; bytes: number },
): H5File {
  let links = 0;
  let names = 0;
  let arrayBytes = 0;
  const attribute = (group: Group, name: string): readonly string[] => {
    const { size, total_size: count, type } = module.get_attribute_metadata(group.file_id, group.path, name);
    // Each string lies in the file, or at least a reference to it.
    if (type !== module.H5T_class_t.H5T_STRING.value || !(size * count <= bytes)) return [];
    names += count; // also of a group that is listed many times
    if (names > LIMITS.h5Links)
      throw new WeightsError(`${path}: lists more than ${LIMITS.h5Links} names of layers and weights.`, {
        cure: ELSEWHERE,
      });
    return [group.get_attribute(name, false)].flat().filter((value) => typeof value === "string");
  };
  return {
    root,
    get(group, name) {
      links += 1;
      if (links > LIMITS.h5Links)
        throw new WeightsError(`${path}: has more than ${LIMITS.h5Links} groups and arrays.`, { cure: ELSEWHERE });
      const entity = group.get(name);
      if (!(entity instanceof library.ExternalLink)) return entity;
      throw new WeightsError(`${path}: ${name} is a link to another file, which is not read.`, { cure: ELSEWHERE });
    },
    isGroup: (entity) => entity instanceof library.Group,
    isDataset: (entity) => entity instanceof library.Dataset,
    identityOf: ({ file_id, path: place }) =>
      Buffer.from(module.create_object_reference(file_id, place)).toString("hex"),
    strings(group, name) {
      const names = new Set(module.get_attribute_names(group.file_id, group.path));
      if (names.has(name)) return attribute(group, name);
      const chunks: string[] = [];
      for (let index = 0; names.has(`${name}${index}`); index++) chunks.push(...attribute(group, `${name}${index}`));
      return chunks.length > 0 ? chunks : undefined;
    },
    floats(dataset) {
      const { metadata } = dataset;
      const needed = metadata.size * sizeOf(metadata.shape ?? []);
      arrayBytes += needed;
      if (!(needed <= LIMITS.weightsArrayBytes && arrayBytes <= LIMITS.weightsExpansion * bytes))
        throw new WeightsError(
          `${path}: ${dataset.path} declares ${needed} bytes, too many for a file of ${bytes} bytes.`,
          { cure: AGAIN },
        );
      return floats(path, dataset, module);
    },
  };
}

function floats(path: string, { path: place, file_id, metadata }: Dataset, module: Module): NdArray {
  const { type, size, shape, total_size: count, virtual_sources: sources } = metadata;
  if (sources)
    throw new WeightsError(`${path}: ${place} is a view of other data (virtual), which is not read.`, {
      cure: ELSEWHERE,
    });
  const types = Object.keys(FLOAT_BYTES) as FloatType[];
  const float = types.find((name) => FLOAT_BYTES[name] === size);
  if (type !== module.H5T_class_t.H5T_FLOAT.value || !float || !shape || sizeOf(shape) !== count)
    throw new WeightsError(`${path}: ${place} holds no floats.`, { cure: "Save the weights as float32." });
  // Not `dataset.value`, which knows no float16. The numbers come out little-endian, however they are stored.
  const address = module._malloc(size * count);
  if (address === 0) throw new WeightsError(`${path}: ${place} takes ${size * count} bytes, more than are free.`);
  try {
    module.get_dataset_data(file_id, place, null, null, null, BigInt(address));
    const data = floatsOf(module.HEAPU8.subarray(address, address + size * count), float);
    if (data.every(Number.isFinite)) return { shape, data };
  } finally {
    module._free(address);
  }
  throw new WeightsError(`${path}: ${place} holds numbers that are not finite.`, {
    cure: "Take the weights of another epoch.",
  });
}

/** Looks at the first bytes, since HDF5's own message for a wrong file says neither which it is nor what to do. */
function checkHeader(path: string, bytes: Buffer): void {
  if (SIGNATURE.some((byte, index) => bytes[index] !== byte))
    throw new WeightsError(`${path}: is no HDF5 file.`, { cure: CURE });
  const end = endOfFile(bytes);
  if (end !== undefined && bytes.length < end)
    throw new WeightsError(`${path}: is cut off: ${bytes.length} bytes of ${end}.`, { cure: AGAIN });
}

/**
 * Where the file ends by its own superblock (HDF5 File Format Specification, section II.A); addresses of 8 bytes only.
 */
function endOfFile(bytes: Buffer): number | undefined {
  if (bytes.length < 64) return 64; // no file is so short
  const version = bytes[8];
  const addressBytes = bytes[version < 2 ? 13 : 9];
  const position = [40, 44, 28, 28][version];
  if (position === undefined || addressBytes !== 8) return undefined;
  return Number(bytes.readBigUInt64LE(position));
}
