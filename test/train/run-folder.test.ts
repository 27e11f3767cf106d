import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { EpochRecord } from "../../src/core/epoch-record.js";
import { crc32c, openEventFile, scalarsOf, toEventRecord } from "../../src/train/tensorboard.js";

const record: EpochRecord = {
  stage: 0,
  epoch: 1,
  seconds: 2,
  learningRate: 0.5,
  losses: { total: 3, class: 1 },
  validation: { class: { kind: "classifier", accuracy: 0.75, count: 8, auc: null } },
  score: 0.75,
};

describe("TensorBoard events", () => {
  test("CRC-32C of the digits 1 to 9 is the published check value", () => {
    expect(crc32c(Buffer.from("123456789"))).toBe(0xe3069283);
  });

  test("a record holds its length, the data and their masked checksums", () => {
    const written = toEventRecord(Uint8Array.of(7, 8, 9));
    expect(written.length).toBe(19);
    expect(written.readBigUInt64LE(0)).toBe(3n);
    expect([...written.subarray(12, 15)]).toEqual([7, 8, 9]);
    const crc = crc32c(Uint8Array.of(7, 8, 9));
    const masked = (BigInt(crc >>> 15) | (BigInt(crc) << 17n)) & 0xffffffffn;
    expect(BigInt(written.readUInt32LE(15))).toBe((masked + 0xa282ead8n) & 0xffffffffn);
  });

  test("scalars carry losses, metrics that were evaluated, and the score", () => {
    expect(scalarsOf(record)).toEqual({
      "learning rate": 0.5,
      "loss/total": 3,
      "loss/class": 1,
      "validation class/accuracy": 0.75,
      "validation/score": 0.75,
    });
  });

  test("a file begins with its version and grows by one record an epoch", async () => {
    const folder = mkdtempSync(join(tmpdir(), "events-"));
    const events = openEventFile(folder, { now: () => 1_000_000 });
    await events.write(record, { step: 1 });
    const [name] = readdirSync(folder);
    const first = readFileSync(join(folder, name));
    await events.write(record, { step: 2 });
    const second = readFileSync(join(folder, name));
    expect(first.toString("latin1")).toContain("brain.Event:2");
    expect(first.toString("latin1")).toContain("validation class/accuracy");
    expect(second.subarray(0, first.length).equals(first)).toBe(true);
    expect(second.length).toBeGreaterThan(first.length);
  });
});
