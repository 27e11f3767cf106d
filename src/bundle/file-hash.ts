/** Where a bundle's hashes are made and checked: SHA-256 of each file inside, as `bundle.json` lists them. */

import { createHash } from "node:crypto";
import { BundleError } from "../core/errors.js";

/** In hexadecimal digits. */
export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** @param where names the file. @throws BundleError where its bytes are not those that were listed. */
export function checkHash(bytes: Uint8Array, { listed, where }: { listed: string; where: string }): void {
  if (sha256(bytes) === listed) return;
  throw new BundleError(`${where} was changed: its SHA-256 is not as listed.`, {
    cure: "Copy or export the bundle again.",
  });
}
