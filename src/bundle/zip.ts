/** Reading single files out of a zip by their place on disk, trusting nothing that the zip says of itself. */

import { type FileHandle, open } from "node:fs/promises";
import { crc32, inflateRawSync } from "node:zlib";
import { BundleError } from "../core/errors.js";
import { LIMITS } from "../core/limits.js";

/** One file of a zip, as its directory lists it. */
export interface ZipEntry {
  readonly name: string;
  readonly isDeflated: boolean;
  readonly crc: number;
  /** In the zip. */
  readonly storedBytes: number;
  /** Unpacked. */
  readonly bytes: number;
  /** Of the local header. */
  readonly offset: number;
  /** Version needed, flags, method, time and date, as both headers must have them. */
  readonly shared: string;
}

export type ZipDirectory = ReadonlyMap<string, ZipEntry>;

/** The smallest that zlib takes. */
const LEAST_CHUNK = 64;
const END_BYTES = 22;
const LONGEST_COMMENT = 65_535;
const CENTRAL_BYTES = 46;
const LOCAL_BYTES = 30;
const MOST_ENTRIES = 1000;
const ZIP64 = 0xffffffff;
const IS_ENCRYPTED = 1;
const HAS_DESCRIPTOR = 8;

/**
 * The files of a zip by name.
 *
 * @throws BundleError where the file is absent, cut off, no zip, or names files that could land elsewhere when
 *   unpacked.
 */
export async function readZipDirectory(path: string): Promise<ZipDirectory> {
  return withFile(path, async (file, size) => {
    const tail = await readAt(file, Math.max(0, size - END_BYTES - LONGEST_COMMENT), size);
    const end = findEnd(tail);
    if (end < 0) {
      throw new BundleError(`${path}: not a whole bundle: it has no zip directory at its end.`, {
        cure: "Copy or export it again.",
      });
    }
    const count = tail.readUInt16LE(end + 10);
    const directoryBytes = tail.readUInt32LE(end + 12);
    const start = tail.readUInt32LE(end + 16);
    const isOneDisk = tail.readUInt32LE(end + 4) === 0 && tail.readUInt16LE(end + 8) === count;
    if (!isOneDisk || count > MOST_ENTRIES || start + directoryBytes > size) {
      throw new BundleError(`${path}: its zip directory is damaged.`, { cure: "Copy or export it again." });
    }
    return parseDirectory(await readAt(file, start, start + directoryBytes), { path, count, start });
  });
}

/**
 * Reads and unpacks one file.
 *
 * @param options.limit most bytes that it may have unpacked.
 * @throws BundleError naming the file inside, where its header, size or checksum is wrong.
 */
export async function readZipEntry(path: string, entry: ZipEntry, { limit }: { limit: number }): Promise<Uint8Array> {
  const damaged = (what: string, cause?: unknown) =>
    new BundleError(`${path}: ${entry.name} is damaged: ${what}.`, { cure: "Copy or export the bundle again.", cause });
  if (entry.bytes > limit) throw damaged(`it would unpack to ${entry.bytes} bytes, more than the ${limit} expected`);
  return withFile(path, async (file, size) => {
    const header = await readAt(file, entry.offset, Math.min(size, entry.offset + LOCAL_BYTES));
    if (header.length < LOCAL_BYTES || header.readUInt32LE(0) !== 0x04034b50) throw damaged("its header is not there");
    const nameEnd = entry.offset + LOCAL_BYTES + header.readUInt16LE(26);
    const name = (await readAt(file, entry.offset + LOCAL_BYTES, Math.min(size, nameEnd))).toString("utf8");
    if (name !== entry.name) throw damaged(`its header calls it "${name}"`);
    const isSame =
      header.toString("hex", 4, 14) === entry.shared &&
      ((header.readUInt16LE(6) & HAS_DESCRIPTOR) !== 0 ||
        (header.readUInt32LE(14) === entry.crc &&
          header.readUInt32LE(18) === entry.storedBytes &&
          header.readUInt32LE(22) === entry.bytes));
    if (!isSame) throw damaged("its header and the directory disagree");
    const start = nameEnd + header.readUInt16LE(28);
    if (start + entry.storedBytes > size) throw damaged("it is cut off");
    const stored = await readAt(file, start, start + entry.storedBytes);
    const bytes = entry.isDeflated ? inflate(stored, entry, damaged) : new Uint8Array(stored.buffer);
    if (bytes.length !== entry.bytes) throw damaged(`it has ${bytes.length} bytes instead of ${entry.bytes}`);
    return bytes;
  });
}

/** The same, with the zip's own checksum compared: for the one file that nothing else vouches for. */
export async function readCheckedZipEntry(
  path: string,
  entry: ZipEntry,
  { limit }: { limit: number },
): Promise<Uint8Array> {
  const bytes = await readZipEntry(path, entry, { limit });
  if (crc32(bytes) === entry.crc) return bytes;
  throw new BundleError(`${path}: ${entry.name} is damaged: its checksum is wrong.`, {
    cure: "Copy or export the bundle again.",
  });
}

function inflate(
  stored: Buffer,
  { bytes }: ZipEntry,
  damaged: (what: string, cause?: unknown) => BundleError,
): Uint8Array {
  try {
    // One piece of the whole size: several would be held twice while they are put together.
    const chunkSize = Math.max(LEAST_CHUNK, bytes);
    const { buffer, byteOffset, length } = inflateRawSync(stored, { maxOutputLength: Math.max(1, bytes), chunkSize });
    return new Uint8Array(buffer, byteOffset, length);
  } catch (cause) {
    throw damaged("it cannot be unpacked", cause);
  }
}

/** Where the end record begins whose comment reaches exactly to the end of the file; -1 without one. */
function findEnd(tail: Buffer): number {
  for (let at = tail.length - END_BYTES; at >= 0; at--) {
    if (tail.readUInt32LE(at) === 0x06054b50 && at + END_BYTES + tail.readUInt16LE(at + 20) === tail.length) return at;
  }
  return -1;
}

function parseDirectory(
  bytes: Buffer,
  { path, count, start }: { path: string; count: number; start: number },
): ZipDirectory {
  const entries = new Map<string, ZipEntry>();
  const damaged = () => new BundleError(`${path}: its zip directory is damaged.`, { cure: "Copy or export it again." });
  let at = 0;
  let total = 0;
  let unpacked = 0;
  let common: string | undefined;
  for (let index = 0; index < count; index++) {
    if (at + CENTRAL_BYTES > bytes.length || bytes.readUInt32LE(at) !== 0x02014b50) throw damaged();
    const nameBytes = bytes.readUInt16LE(at + 28);
    const next = at + CENTRAL_BYTES + nameBytes + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
    if (next > bytes.length) throw damaged();
    const name = bytes.toString("utf8", at + CENTRAL_BYTES, at + CENTRAL_BYTES + nameBytes);
    const method = bytes.readUInt16LE(at + 10);
    const entry: ZipEntry = {
      name,
      isDeflated: method === 8,
      crc: bytes.readUInt32LE(at + 16),
      storedBytes: bytes.readUInt32LE(at + 20),
      bytes: bytes.readUInt32LE(at + 24),
      offset: bytes.readUInt32LE(at + 42),
      shared: bytes.toString("hex", at + 6, at + 16),
    };
    // Nothing reads these, but one that differs from the others tells of damage: maker, disk, attributes.
    const unread = bytes.toString("hex", at + 4, at + 6) + bytes.toString("hex", at + 34, at + 42);
    common ??= unread;
    if (unread !== common) throw damaged();
    checkEntry(entry, { path, method, isEncrypted: (bytes.readUInt16LE(at + 8) & IS_ENCRYPTED) !== 0 });
    if (entries.has(name)) throw new BundleError(`${path}: holds ${name} twice.`, { cure: "Export it again." });
    total += entry.storedBytes;
    if (entry.isDeflated) unpacked += entry.bytes;
    if (entry.offset + LOCAL_BYTES + entry.storedBytes > start || total > start) throw damaged();
    entries.set(name, entry);
    at = next;
  }
  if (at !== bytes.length) throw damaged();
  const most = LIMITS.unpackedBytes + LIMITS.unpackedRatio * total;
  if (unpacked > most) {
    throw new BundleError(`${path}: would unpack to ${unpacked} bytes, more than the ${most} allowed.`, {
      cure: "Export it again.",
    });
  }
  return entries;
}

function checkEntry(
  { name, isDeflated, storedBytes, bytes, offset }: ZipEntry,
  { path, method, isEncrypted }: { path: string; method: number; isEncrypted: boolean },
): void {
  if (!isSafeName(name)) {
    throw new BundleError(`${path}: holds ${JSON.stringify(name)}, a name that could land outside its folder.`, {
      cure: "Do not unpack it; export it again.",
    });
  }
  const wrong = (what: string) => new BundleError(`${path}: ${name} ${what}.`, { cure: "Export the bundle again." });
  if (isEncrypted) throw wrong("is encrypted");
  if (method !== 0 && method !== 8)
    throw wrong(`is compressed by method ${method}, which is neither stored nor deflate`);
  if (bytes === ZIP64 || storedBytes === ZIP64 || offset === ZIP64)
    throw wrong("needs zip64, which bundles do not use");
  if (!isDeflated && bytes !== storedBytes) throw wrong("has two sizes");
}

/** Relative, with forward slashes, and without steps that lead elsewhere. */
export function isSafeName(name: string): boolean {
  const isPlain = /^[A-Za-z0-9_.-]+(\/[A-Za-z0-9_.-]+)*$/.test(name);
  return isPlain && !name.split("/").some((part) => part === "." || part === "..");
}

async function withFile<Result>(
  path: string,
  use: (file: FileHandle, size: number) => Promise<Result>,
): Promise<Result> {
  let file: FileHandle;
  try {
    file = await open(path, "r");
  } catch (cause) {
    const isAbsent = (cause as NodeJS.ErrnoException).code === "ENOENT";
    throw new BundleError(`${path}: ${isAbsent ? "no such file" : "cannot be opened"}.`, {
      cure: "Check the path.",
      cause,
    });
  }
  try {
    const status = await file.stat();
    if (!status.isFile()) throw new BundleError(`${path}: is no file.`, { cure: "Name a bundle, NAME.aspect." });
    return await use(file, status.size);
  } finally {
    await file.close();
  }
}

/** The bytes from `start` up to `end`, fewer where the file is shorter, in a buffer of their own. */
async function readAt(file: FileHandle, start: number, end: number): Promise<Buffer> {
  const buffer = Buffer.from(new ArrayBuffer(Math.max(0, end - start)));
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, start + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
}
