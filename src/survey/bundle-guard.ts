/** Watches that the file of a bundle stays the one that a report was begun with. */

import { stat } from "node:fs/promises";
import { BundleError } from "../core/errors.js";
import { bundleHash } from "./plan.js";

/**
 * @param sha256 that the file must have.
 * @returns a check that reads the file again only where its time, size or place on the disk changed.
 */
export function bundleGuard(path: string, sha256: string): () => Promise<void> {
  let known = "";
  return async () => {
    const now = await stateOf(path);
    if (now === known) return;
    if ((await bundleHash(path).catch(() => "")) !== sha256)
      throw new BundleError(`${path}: was replaced while the report ran.`, {
        cure: "Put the former bundle back and go on, or begin a report of this one in another folder.",
        file: path,
      });
    known = now;
  };
}

async function stateOf(path: string): Promise<string> {
  const found = await stat(path, { bigint: true }).catch(() => undefined);
  return found ? [found.dev, found.ino, found.size, found.mtimeNs].join() : "";
}
