import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { InputError } from "../../src/core/errors.js";
import { locked } from "../../src/core/lock.js";
import { machine, startOfProcess } from "../../src/core/process-identity.js";

const lockIn = () => join(mkdtempSync(join(tmpdir(), "lock-")), "sub", "lock");
const attempt = (path: string, work: () => Promise<unknown> = async () => "done") =>
  locked(path, { title: "x" }, work).catch((error: unknown) => error);

/** Number of a process that has just ended. */
const deadPid = () => spawnSync(process.execPath, ["-e", ""]).pid;

test("one at a time: whoever comes second is told who is at it, and the lock is gone when the work ends", async () => {
  const path = lockIn();
  let second: unknown;
  await locked(path, { title: "runs/x" }, async () => {
    second = await locked(path, { title: "runs/x", cure: "Wait." }, async () => {}).catch((error: unknown) => error);
  });
  expect(second).toBeInstanceOf(InputError);
  expect((second as Error).message).toBe(`runs/x: process ${process.pid} is already running. Wait.`);
  expect(readdirSync(join(path, ".."))).toEqual([]);
  expect(await attempt(path)).toBe("done");
});

test("of many at once, exactly one works at any time, also where all find a dead owner's lock", async () => {
  const path = lockIn();
  await attempt(path);
  writeFileSync(path, JSON.stringify({ machine: machine(), pid: deadPid(), started: null }));
  let [working, most, done] = [0, 0, 0];
  await Promise.all(
    Array.from({ length: 20 }, () =>
      attempt(path, async () => {
        most = Math.max(most, ++working);
        await sleep(20);
        working--;
        done++;
      }),
    ),
  );
  expect(most).toBe(1);
  expect(done).toBeGreaterThan(0);
  expect(readdirSync(join(path, ".."))).toEqual([]);
});

test("a process that has an ended one's number is not taken for it", async ({ skip }) => {
  skip(startOfProcess(process.pid) === null, "skipped: this system does not tell when a process began");
  const path = lockIn();
  await attempt(path);
  writeFileSync(path, JSON.stringify({ machine: machine(), pid: process.pid, started: "another boot/1" }));
  expect(await attempt(path)).toBe("done");
});

test("another machine's lock stays, and the line that removes it is said", async () => {
  const path = lockIn();
  await attempt(path);
  writeFileSync(path, JSON.stringify({ machine: "elsewhere", pid: 1, started: null }));
  const error = await attempt(path);
  expect((error as Error).message).toBe(
    `x: process 1 on "elsewhere" is already running. Wait for it. If it no longer runs: rm -f "${path}" "${path}.takeover"`,
  );
  expect(existsSync(path)).toBe(true);
});

test("an empty lock is one that is just being written: it is waited for, then refused, never taken", async () => {
  const path = lockIn();
  await attempt(path);
  writeFileSync(path, "");
  const waiting = attempt(path);
  await sleep(100);
  writeFileSync(path, JSON.stringify({ machine: machine(), pid: process.pid, started: startOfProcess(process.pid) }));
  expect(((await waiting) as Error).message).toContain(`process ${process.pid} is already running`);
  writeFileSync(path, "");
  expect(((await attempt(path)) as Error).message).toContain(
    "another process is already running. Wait for it. If it no",
  );
  expect(readFileSync(path, "utf8")).toBe("");
});
