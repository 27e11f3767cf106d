/** TensorBoard event files: scalars an epoch, as TFRecords of `Event` messages (tensorflow/core/util/event.proto). */

import { appendFile, truncate } from "node:fs/promises";
import { join } from "node:path";
import protobuf from "protobufjs/minimal.js";
import type { EpochRecord } from "../core/epoch-record.js";
import { makeFolder, refused } from "../core/files.js";

/** Appends epochs to one file; a resumed run makes another, and TensorBoard joins them. */
export interface EventFile {
  write(record: EpochRecord, options: { step: number }): Promise<void>;
}

/** @param folder the run folder; the file is made with the first epoch. */
export function openEventFile(folder: string, { now = Date.now }: { now?: () => number } = {}): EventFile {
  const path = join(folder, `events.out.tfevents.${Math.floor(now() / 1000)}.aspectlens`);
  let isNew = true;
  let size = 0;
  return {
    write: async (record, { step }) => {
      const header = isNew ? [toEventRecord(versionEvent(now()))] : [];
      isNew = false;
      await makeFolder(folder);
      const records = Buffer.concat([...header, toEventRecord(scalarEvent(scalarsOf(record), { step, at: now() }))]);
      try {
        await appendFile(path, records);
        size += records.length;
      } catch (cause) {
        await truncate(path, size).catch(() => {}); // half a record would end the file for every reader
        throw refused(path, cause);
      }
    },
  };
}

/** Every number of an epoch by its tag. */
export function scalarsOf({ losses, validation, score, learningRate }: EpochRecord): Record<string, number> {
  const scalars: Record<string, number> = { "learning rate": learningRate };
  for (const [name, loss] of Object.entries(losses)) scalars[`loss/${name}`] = loss;
  for (const [head, metrics] of Object.entries(validation ?? {})) {
    for (const [key, value] of Object.entries(metrics as object)) {
      if (typeof value === "number" && key !== "count") scalars[`validation ${head}/${key}`] = value;
    }
  }
  if (score !== null) scalars["validation/score"] = score;
  return scalars;
}

function versionEvent(at: number): Uint8Array {
  return protobuf.Writer.create()
    .uint32(9)
    .double(at / 1000)
    .uint32(26)
    .string("brain.Event:2")
    .finish();
}

function scalarEvent(
  scalars: Readonly<Record<string, number>>,
  { step, at }: { step: number; at: number },
): Uint8Array {
  // Event: wall_time = 1 (double), step = 2 (int64), summary = 5; Summary.value = 1: tag = 1, simple_value = 2 (float).
  const writer = protobuf.Writer.create()
    .uint32(9)
    .double(at / 1000)
    .uint32(16)
    .int64(step)
    .uint32(42)
    .fork();
  for (const [tag, value] of Object.entries(scalars)) {
    writer.uint32(10).fork().uint32(10).string(tag).uint32(21).float(value).ldelim();
  }
  return writer.ldelim().finish();
}

/** TFRecord: length, its masked CRC-32C, the data, their masked CRC-32C; all little-endian. */
export function toEventRecord(data: Uint8Array): Buffer {
  const record = Buffer.alloc(16 + data.length);
  record.writeBigUInt64LE(BigInt(data.length), 0);
  record.writeUInt32LE(maskedCrc(record.subarray(0, 8)), 8);
  record.set(data, 12);
  record.writeUInt32LE(maskedCrc(data), 12 + data.length);
  return record;
}

const CASTAGNOLI = 0x82f63b78;

/** CRC-32C (Castagnoli), bit by bit: the records are short. */
export function crc32c(data: Uint8Array): number {
  let crc = ~0;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ CASTAGNOLI : crc >>> 1;
  }
  return ~crc >>> 0;
}

function maskedCrc(data: Uint8Array): number {
  const crc = crc32c(data);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
