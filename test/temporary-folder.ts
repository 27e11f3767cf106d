/** Everything that tests write below the system's temporary folder goes into one folder, removed at the end. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = mkdtempSync(join(tmpdir(), "aspectlens-tests-"));

/** Vitest calls it before the first test. */
export function setup(): void {
  process.env.TMPDIR = folder;
}

/** After the last. */
export function teardown(): void {
  rmSync(folder, { recursive: true, force: true });
}
