/** Chooses the fonts of the texts in overlays, once, before the first is drawn. */

import { fileURLToPath } from "node:url";
import type { ModelSpec } from "../model/model-spec.js";
import { isInOurFont } from "../pictures/missing-glyphs.js";

/**
 * If this package's font has all characters of a model's names, the system's fonts are not searched: that can take
 * seconds, and fontconfig writes a cache into the user's home folder. A value that the user has set is kept.
 *
 * It sets `FONTCONFIG_FILE` of the whole process, so it is for the command line alone.
 */
export function chooseFonts({ heads }: ModelSpec, environment: NodeJS.ProcessEnv = process.env): void {
  const names = heads.flatMap((head) => [head.name, ...(head.kind === "classifier" ? head.classes : [])]);
  if (environment.FONTCONFIG_FILE !== undefined || environment.FONTCONFIG_PATH !== undefined) return;
  if (names.every(isInOurFont))
    environment.FONTCONFIG_FILE = fileURLToPath(new URL("../../fonts/fonts.conf", import.meta.url));
}
