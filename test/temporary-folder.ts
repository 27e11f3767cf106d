/** Everything that tests write below the system's temporary folder goes into one folder, removed at the end. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Vitest calls it before the first test; what it returns, after the last. */
export default function setUp(): () => void {
  const folder = mkdtempSync(join(tmpdir(), "aspectlens-tests-"));
  process.env.TMPDIR = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
