/** The built library, module by module: the examples measure with parts that are no public names. */

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * Imports a module of `dist`; its types come from `src`, so that they can be checked before anything is built.
 *
 * @param {string} path like `explain/explain.js`.
 * @returns {Promise<any>} the caller says which module's types it has.
 */
export async function built(path) {
  const url = new URL(`../../dist/${path}`, import.meta.url);
  if (!existsSync(fileURLToPath(url))) throw new Error(`dist/${path}: not built. Run: npm run build`);
  return import(url.href);
}

/** Path of the built command line, for `node`. */
export const COMMAND_LINE = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
