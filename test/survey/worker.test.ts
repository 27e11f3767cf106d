/**
 * Reports by workers, as processes: killed, frozen, and with a server that crashes, the report is that of one process,
 * byte for byte.
 */

import type { ChildProcess } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { exportBundle } from "../../src/bundle/export-bundle.js";
import { random } from "../../src/core/random.js";
import { openReport } from "../../src/survey/open-report.js";
import { easilyConvinced } from "../bundle/elsewhere/unpacked-bundle.js";
import { tinyModel } from "../bundle/tiny-model.js";
import { aspectlens, type CommandResult } from "../helpers/command.js";
import { missing, startServer, type TestServer } from "../support/queue-servers.js";

const IMAGES = 600;
const SHARD_SIZE = 12;
const LOCK_SECONDS = 5;

let folder: string;
let alone: string;
const at = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "aspectlens-worker-"));
  await mkdir(at("images"));
  await exportBundle(easilyConvinced(tinyModel({ seed: 2 })), at("tiny.aspect"), { name: "tiny" });
  const stream = random(7, "images");
  for (let index = 0; index < IMAGES; index++) {
    const pixels = Uint8Array.from({ length: 8 * 8 * 3 }, () => stream.integer(256));
    await sharp(pixels, { raw: { width: 8, height: 8, channels: 3 } })
      .resize(64, 64)
      .png()
      .toFile(at(`images/${index}.png`));
  }
  const { code, stderr } = await report("alone");
  expect(code, stderr).toBe(0);
  alone = await readFile(at("alone/summary.json"), "utf8");
}, 180_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

function report(out: string, more: readonly string[] = []): Promise<CommandResult> {
  return aspectlens(
    ["report", "tiny.aspect", "images", "--out", out, "--shard-size", `${SHARD_SIZE}`, "--threads", "1", ...more],
    { cwd: folder },
  );
}

describe.each(["redis", "postgres"] as const)("workers on %s", (kind) => {
  const why = missing(kind);
  if (why) {
    test.skip(`not tested: ${why}`, () => {});
    return;
  }
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer(kind);
  }, 60_000);
  afterAll(() => server?.stop());

  /** @param roots as the worker sees them. */
  const startWorker = (root: string, onStdout: (text: string) => void = () => {}) => {
    let child: ChildProcess | undefined;
    const ended = aspectlens(
      ["worker", "--queue", server.url, "--root", `lab=${root}`, "--lock", `${LOCK_SECONDS}`, "--threads", "1"],
      {
        onStart: (started) => {
          child = started;
          started.stdout?.on("data", (text: Buffer) => onStdout(`${text}`));
        },
      },
    );
    return { ended, signal: (name: NodeJS.Signals) => child?.kill(name) };
  };

  test("killed eight times, frozen for longer than the lock, the server crashed: the same report", async () => {
    const submitted = report(kind, ["--queue", server.url, "--root", `lab=${folder}`]);
    let isOver = false;
    void submitted.then(() => {
      isOver = true;
    });
    // Another path to the same folder, as on another machine.
    const elsewhere = `${folder}-elsewhere-${kind}`;
    await symlink(folder, elsewhere);
    let kills = 0;
    const killed = (async () => {
      while (!isOver && kills < 8) {
        let [isReady, hasEnded] = [false, false];
        const worker = startWorker(elsewhere, () => {
          isReady = true;
        });
        void worker.ended.then(() => {
          hasEnded = true; // the server was away when it started
        });
        while (!isReady && !hasEnded && !isOver) await sleep(20);
        await sleep(100 + 100 * kills);
        worker.signal("SIGKILL");
        await worker.ended;
        if (isReady) kills++;
      }
    })();
    let hasDoneOne = false;
    const frozen = startWorker(folder, (text) => {
      hasDoneOne ||= /shard \d/.test(text);
    });
    while (!hasDoneOne && !isOver) await sleep(20);
    frozen.signal("SIGSTOP");
    await server.crash();
    await sleep(1000 * LOCK_SECONDS + 2000);
    frozen.signal("SIGCONT");
    await killed;
    const steady = startWorker(folder);
    const { code, stderr } = await submitted;
    expect(code, stderr).toBe(0);
    expect(kills).toBe(8);
    for (const worker of [frozen, steady]) worker.signal("SIGTERM");
    for (const worker of [frozen, steady]) {
      const { code, stderr } = await worker.ended;
      expect(code, stderr).toBe(0);
    }
    expect(await readFile(at(`${kind}/summary.json`), "utf8")).toBe(alone);
    const shards = (await readdir(at(`${kind}/shards`))).filter((name) => name.endsWith(".parquet"));
    expect(shards).toHaveLength(IMAGES / SHARD_SIZE);
    const opened = await openReport(at(kind));
    const [{ rows, images }] = await opened.query(
      "SELECT count(*) AS rows, count(DISTINCT path) AS images FROM images",
    );
    await opened.close();
    expect([Number(rows), Number(images)]).toEqual([IMAGES, IMAGES]);
    await rm(elsewhere);
  }, 300_000);
});

test.each([
  [["--queue", "redis://127.0.0.1:1", "--root", "."], /--queue: redis:\/\/127\.0\.0\.1:1: cannot be reached/],
  [["--queue", "x", "--root", "."], /--queue: is no address of a Redis or PostgreSQL server/],
  [["--queue", "redis://127.0.0.1:1"], /--queue and --root need each other/],
  [["--queue", "redis://127.0.0.1:1", "--root", "images"], /lies below no folder that the machines share/],
  [["--queue", "redis://127.0.0.1:1", "--root", ".", "--shard", "1/2"], /--queue and --shard cannot be used together/],
  [["--queue", "redis://127.0.0.1:1", "--root", "nowhere"], /--root: nowhere: is no folder of this machine/],
])("report %j is one line, and exit code 2", async (more, message) => {
  const { code, stderr } = await report("refused", more);
  expect(code).toBe(2);
  expect(stderr.trim().split("\n").at(-1)).toMatch(message);
});

test.each([
  [["--queue", "redis://127.0.0.1:1"], /--root: none is named/],
  [["--queue", "redis://127.0.0.1:1", "--root", "."], /cannot be reached \(ECONNREFUSED\)/],
  [["--queue", "redis://127.0.0.1:1", "--root", ".", "--root", "images"], /the name "share" occurs twice/],
  [["--queue", "redis://127.0.0.1:1", "--root", ".", "--lock", "1"], /--lock 1: expected 2 to 3600 seconds/],
])("worker %j is one line, and exit code 2", async (more, message) => {
  const { code, stderr } = await aspectlens(["worker", ...more], { cwd: folder });
  expect(code).toBe(2);
  expect(stderr.trim().split("\n").at(-1)).toMatch(message);
});
