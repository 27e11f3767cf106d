/** The names of the files that explaining an image writes, and which aspects would overwrite each other's files. */

import { basename, extname } from "node:path";

const SURVIVAL = ".survival";

/** How the names of an image's files begin where nothing else is said: its own name without its ending. */
export function stemOf(image: string): string {
  return basename(image, extname(image));
}

export function overlayFile(stem: string): string {
  return `${stem}.overlay.jpg`;
}

export function comparisonFile(stem: string): string {
  return `${stem}.compare.png`;
}

export function regionFile(stem: string, aspect: string): string {
  return `${stem}.${aspect}.png`;
}

export function survivalFile(stem: string, aspect: string): string {
  return `${stem}.${aspect}${SURVIVAL}.png`;
}

export function explanationFile(stem: string): string {
  return `${stem}.json`;
}

/** Every file that one explanation can write. @param pixelAspects those whose answers are pixels. */
export function explanationFiles(stem: string, pixelAspects: readonly string[]): string[] {
  const masks = pixelAspects.flatMap((aspect) => [regionFile(stem, aspect), survivalFile(stem, aspect)]);
  return [overlayFile(stem), ...masks, explanationFile(stem)];
}

/**
 * @param others aspects that write files too.
 * @returns whose file has the same name as one of this aspect, as messages name it; some file systems tell neither
 *   small letters from capitals nor the two forms of an accented one apart.
 */
export function clashingName(aspect: string, others: readonly string[]): string | undefined {
  const filesOf = (name: string) => [regionFile("", name), survivalFile("", name)].map(folded);
  const own = filesOf(aspect);
  const picture = comparisonFile("");
  if (own.includes(picture)) return `the picture "<image>${picture}"`;
  const other = others.find((other) => filesOf(other).some((file) => own.includes(file)));
  return other === undefined ? undefined : `aspect "${other}"`;
}

function folded(name: string): string {
  return name.normalize("NFKC").toLowerCase();
}
