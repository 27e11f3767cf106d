/** A disk that is full, at each kind of write: one error for the user to mend, and nothing half-written. */

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { InputError } from "../../src/core/errors.js";
import { writeFileAtomic } from "../../src/core/files.js";
import { locked } from "../../src/core/lock.js";
import { synthesize } from "../../src/dataset/synth/synthesize.js";
import { createFeatureCache } from "../../src/train/feature-cache.js";
import { openEventFile } from "../../src/train/tensorboard.js";

const disk = mkdtempSync(join(tmpdir(), "disk-"));
const BYTES = 2 ** 20;
const isMounted = mount();
afterAll(() => {
  if (isMounted) execFileSync("umount", [disk]);
});

function mount(): boolean {
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${BYTES}`, "tmpfs", disk], { stdio: "ignore" });
    return true;
  } catch {
    process.stderr.write("skipped: a small disk cannot be mounted here; run as root\n");
    return false;
  }
}

/** Leaves so many bytes. */
function fill(left: number): void {
  writeFileSync(join(disk, "fill"), "");
  const { bavail, bsize } = statfsSync(disk);
  writeFileSync(join(disk, "fill"), Buffer.alloc(Math.max(0, bavail * bsize - left)));
}

const FULL = /: cannot be written: the disk is full\. Make room, or choose another place\.$/;

describe.skipIf(!isMounted)("a full disk", () => {
  beforeAll(() => mkdirSync(join(disk, "place")));

  const expectFull = async (work: Promise<unknown>, left: readonly string[] = []) => {
    const error = await work.catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(InputError);
    expect((error as InputError).message).toMatch(FULL);
    expect(readdirSync(join(disk, "place"), { recursive: true })).toEqual(left);
  };

  test("under a file that is written as a whole", async () => {
    fill(0);
    await expectFull(writeFileAtomic(join(disk, "place", "x"), Buffer.alloc(20_000)));
  });

  test("under a lock", async () => {
    fill(0);
    await expectFull(locked(join(disk, "place", "lock"), { title: "x" }, async () => {}));
  });

  test("in the midst of a drawn dataset", async () => {
    fill(300_000);
    await expectFull(synthesize(join(disk, "place", "set"), { count: 60, size: 64 }));
  });

  test("in the midst of cached features", async () => {
    fill(100_000);
    const path = join(disk, "place", "cache.bin");
    const cache = await createFeatureCache({ a: [8, 8, 16] }, { rowCount: 100, memoryBytes: 0, path });
    const sample = { path: "x", image: new Uint8Array(), width: 8, height: 8, target: {}, aspects: {} };
    const addAll = async () => {
      try {
        for (let row = 0; row < 100; row++) await cache.add(row, new Float32Array(1024), sample);
      } finally {
        await cache.dispose();
      }
    };
    await expectFull(addAll());
  });

  test("under an event file, which keeps its whole records alone", async () => {
    rmSync(join(disk, "fill"), { force: true });
    const events = openEventFile(join(disk, "place"), { now: () => 1000 });
    const names = Object.fromEntries(Array.from({ length: 3000 }, (_, index) => [`head ${index}`, index]));
    const record = { stage: 0, epoch: 1, seconds: 1, learningRate: 1, losses: {}, validation: null, score: null };
    await events.write(record, { step: 1 });
    fill(0);
    await expectFull(events.write({ ...record, losses: names }, { step: 2 }), ["events.out.tfevents.1.aspectlens"]);
    const { size } = await import("node:fs").then(({ statSync }) =>
      statSync(join(disk, "place", "events.out.tfevents.1.aspectlens")),
    );
    expect(size).toBeLessThan(200); // the version and one small record
  });
});
