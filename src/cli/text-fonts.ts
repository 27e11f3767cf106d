/** Which fonts the texts in pictures are drawn in, decided once, before the first picture. */

import { fileURLToPath } from "node:url";
import type { ModelSpec } from "../model/model.js";
import { isInOurFont } from "../pictures/missing-glyphs.js";

/**
 * Where all names of a model are in the font of this package, the fonts of the system are not searched: that can take
 * seconds, and fontconfig leaves its list of them in the user's home. What the user has set stays.
 *
 * It sets `FONTCONFIG_FILE` of the whole process, so it is for the command line alone.
 */
export function chooseFonts({ heads }: ModelSpec, environment: NodeJS.ProcessEnv = process.env): void {
  const names = heads.flatMap((head) => [head.name, ...(head.kind === "classifier" ? head.classes : [])]);
  if (environment.FONTCONFIG_FILE !== undefined || environment.FONTCONFIG_PATH !== undefined) return;
  if (names.every(isInOurFont))
    environment.FONTCONFIG_FILE = fileURLToPath(new URL("../../fonts/fonts.conf", import.meta.url));
}
