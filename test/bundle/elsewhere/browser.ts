/** Where a browser is, and how it is made to open one page without a window and to end again. */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { servePage } from "./page-server.js";

/** The first that runs: `$CHROMIUM`, then the usual names; undefined where there is none. */
export function findBrowser(): string | undefined {
  const names = [process.env.CHROMIUM, "chromium", "chromium-browser", "google-chrome"];
  return names.find((name) => name && spawnSync(name, ["--version"], { timeout: 20_000 }).status === 0);
}

/**
 * @param folder an unpacked bundle.
 * @returns its goldens as ONNX Runtime Web computes them, by file name.
 * @throws Error with what the page or the browser said, where it fails or takes longer than `timeoutMs`.
 */
export async function replayInBrowser(
  folder: string,
  { browser, timeoutMs = 60_000 }: { browser: string; timeoutMs?: number },
): Promise<ReadonlyMap<string, Uint8Array>> {
  const profile = await mkdtemp(join(tmpdir(), "aspectlens-browser-"));
  const server = await servePage(folder);
  const child = open(server.url, { browser, profile });
  try {
    return await Promise.race([server.replayed, failureOf(child, { timeoutMs })]);
  } finally {
    await end(child);
    server.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

function open(url: string, { browser, profile }: { browser: string; profile: string }): ChildProcess {
  const flags = [
    "--headless",
    "--no-sandbox", // it does not start as root or in most containers otherwise, and the page is ours
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--no-first-run",
    "--no-proxy-server",
    `--user-data-dir=${profile}`,
  ];
  // In a group of its own, so that its helpers can be ended with it.
  return spawn(browser, [...flags, url], { detached: true, stdio: ["ignore", "ignore", "pipe"] });
}

/** Never resolves: rejects where the browser ends or the time is up. */
function failureOf(child: ChildProcess, { timeoutMs }: { timeoutMs: number }): Promise<never> {
  return new Promise((_, fail) => {
    let said = "";
    child.stderr?.on("data", (chunk) => {
      said = (said + chunk).slice(-2000);
    });
    const timer = setTimeout(() => fail(new Error(`no answer in ${timeoutMs / 1000} s: ${said}`)), timeoutMs);
    timer.unref();
    child.on("error", fail);
    child.on("close", (code) => fail(new Error(`the browser ended by itself with code ${code}: ${said}`)));
  });
}

async function end(child: ChildProcess): Promise<void> {
  const isRunning = child.pid !== undefined && child.exitCode === null && child.signalCode === null;
  if (!isRunning) return;
  const closed = once(child, "close");
  process.kill(-Number(child.pid), "SIGKILL");
  await closed;
}
