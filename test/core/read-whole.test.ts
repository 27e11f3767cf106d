import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { ImageError } from "../../src/core/errors.js";
import { LIMITS } from "../../src/core/limits.js";
import { readWhole } from "../../src/core/read-whole.js";

const folder = mkdtempSync(join(tmpdir(), "aspectlens-read-"));
const at = (name: string) => join(folder, name);
const isWindows = process.platform === "win32";

function fifo(name: string): string {
  execFileSync("mkfifo", [at(name)]);
  return at(name);
}

/** The limits are read where they are needed, so that a test need not wait for half a minute. */
function limitTo(values: Partial<Record<keyof typeof LIMITS, number>>): void {
  for (const [name, value] of Object.entries(values))
    vi.spyOn(LIMITS as Record<string, number>, name, "get").mockReturnValue(value);
}

async function refusal(path: string, options = {}): Promise<string> {
  const error = await readWhole(path, { limit: 1000, ErrorClass: ImageError, ...options }).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ImageError);
  return (error as Error).message;
}

test("a file is read whole; an absent one, a folder, an empty one and a large one are refused, each by its name", async () => {
  writeFileSync(at("x"), "bytes");
  expect(Buffer.from(await readWhole(at("x"), { limit: 5 })).toString()).toBe("bytes");
  expect(await refusal(at("x"), { limit: 4 })).toMatch(/x: 1 MB, the limit is/);
  expect(await refusal(at("none"))).toBe(`${at("none")}: no such file. Check the path.`);
  expect(await refusal(join(at("x"), "y"))).toMatch(/a part of the path is a file/);
  expect(await refusal(folder)).toMatch(/is a folder/);
  writeFileSync(at("empty"), "");
  expect(await refusal(at("empty"))).toMatch(/is empty \(0 bytes\)/);
  symlinkSync(at("round"), at("round"));
  expect(await refusal(at("round"))).toMatch(/a link that leads to itself/);
});

test("a file of a terabyte is refused by its size, not read", async () => {
  writeFileSync(at("sparse"), "");
  truncateSync(at("sparse"), 2 ** 40);
  expect(await refusal(at("sparse"))).toMatch(/1099512 MB, the limit is/);
});

test.skipIf(isWindows)("devices are never read, and a pipe only where it is allowed: neither waits", async () => {
  for (const device of ["/dev/zero", "/dev/null"])
    expect(await refusal(device, { allowPipe: true })).toMatch(/is a device or socket/);
  expect(await refusal(fifo("refused"))).toMatch(/is a pipe, not a file/);
});

test.skipIf(isWindows)("a pipe is read to its end, also where its writer comes late and writes in pieces", async () => {
  const path = fifo("late");
  const child = spawn("sh", ["-c", `sleep 0.2; (printf one; sleep 0.2; printf two) > "${path}"`]);
  expect(Buffer.from(await readWhole(path, { limit: 1000, allowPipe: true })).toString()).toBe("onetwo");
  child.kill();
});

test.skipIf(isWindows)(
  "a pipe that gives nothing is given up after the time, one without end after its bytes",
  async () => {
    limitTo({ pipeSeconds: 0.2 });
    expect(await refusal(fifo("silent"), { allowPipe: true })).toMatch(/gave nothing for 0\.2 seconds/);
    limitTo({ pipeBytes: 1e6 });
    const path = fifo("endless");
    for (const [limit, most] of [
      [1e7, "1 MB"],
      [3e5, "0.3 MB"],
    ] as const) {
      const child = spawn("sh", ["-c", `exec cat /dev/zero > "${path}"`]);
      expect(await refusal(path, { limit, allowPipe: true })).toContain(`gives more than ${most}.`);
      child.kill();
    }
    vi.restoreAllMocks();
  },
);

test.skipIf(isWindows)("waiting for a pipe ends with the signal, whose reason is thrown", async () => {
  const stop = new AbortController();
  const waiting = readWhole(fifo("stopped"), { limit: 1000, allowPipe: true, signal: stop.signal });
  setTimeout(() => stop.abort(new Error("enough")), 50);
  await expect(waiting).rejects.toThrow("enough");
});
