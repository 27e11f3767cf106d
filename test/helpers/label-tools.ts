/** Files as annotation tools write them, which are no part of this repository: unpacked where they are there. */

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const SHARED = resolve(import.meta.dirname, "../../../shared/data");

/** Unpacks an archive of `../shared/data` into a new folder; says so and gives `undefined` where it is absent. The caller's tests are skipped then. */
export function sharedData(name: string): string | undefined {
  const archive = join(SHARED, `${name}.tar.gz`);
  if (!existsSync(archive)) {
    console.warn(`skipped: ../shared/data is absent (${name}.tar.gz)`);
    return undefined;
  }
  const folder = mkdtempSync(join(tmpdir(), `${name}-`));
  execFileSync("tar", ["-xzf", archive, "-C", folder]);
  return join(folder, name);
}
