/** Warnings about a readable mask: guessed values, no pixel or every pixel marked or void. */

import { type Foreground, foregroundOf, foundText } from "./foreground.js";
import { withoutIgnored } from "./mask.js";
import type { Raster } from "./raster.js";

/** One aspect's use of a mask file. */
export interface MaskUse {
  /** The aspect. */
  readonly name: string;
  readonly values?: readonly number[];
  readonly ignore?: readonly number[];
}

export interface MaskFinding {
  readonly kind: "lossy" | "graded" | "labels" | "colours" | "empty" | "whole" | "void";
  readonly severity: "warning" | "note";
  readonly message: string;
}

/**
 * @param path named in messages.
 * @returns whether the mask has a pixel of the aspect, a known one, and a void one; and the warnings.
 * @throws ImageError where `values` cannot be picked from the file.
 */
export function checkMask(
  whole: Raster,
  { use, path }: { use: MaskUse; path: string },
): { isEmpty: boolean; isKnown: boolean; hasVoid: boolean; findings: readonly MaskFinding[] } {
  const { name, values, ignore } = use;
  const raster = withoutIgnored(whole, ignore);
  const foreground = foregroundOf(raster, { values, path });
  const marked = raster.found.filter(foreground.isAspect);
  const isKnown = raster.found.length > 0;
  const isEmpty = marked.length === 0;
  const hasVoid = raster.found.length < whole.found.length;
  const isWhole = isKnown && marked.length === raster.found.length;
  const warn = (kind: MaskFinding["kind"], message: string): MaskFinding => ({
    kind,
    severity: "warning",
    message: `${path}: ${message}`,
  });
  return {
    ...{ isEmpty, isKnown, hasVoid },
    findings: [
      ...(raster.isLossy
        ? [warn("lossy", "a JPEG, whose compression changes values at every edge. Save masks as PNG.")]
        : []),
      ...guesses(raster, { name, foreground, path }),
      ...(isKnown ? [] : [warn("void", `every pixel is void for aspect "${name}"; it counts as unlabelled.`)]),
      // With void pixels it says more than no mask would.
      ...(isEmpty && isKnown && !hasVoid
        ? [
            warn(
              "empty",
              `no pixel of aspect "${name}" (the file holds ${foundText(raster)}` +
                `${values ? `, "values" picks ${values.join(", ")}` : ""}); ` +
                'it counts as empty. Write "mask": null if the aspect is absent.',
            ),
          ]
        : []),
      ...(isWhole
        ? [warn("whole", `every pixel is aspect "${name}". Check that the mask marks the aspect, not the whole image.`)]
        : []),
    ],
  };
}

/** Says how values without "values" were interpreted. */
function guesses(
  raster: Raster,
  { name, foreground: { rule }, path }: { name: string; foreground: Foreground; path: string },
): MaskFinding[] {
  const { meaning, found, maximum, colourCount, isLossy } = raster;
  if (rule === "graded" && !isLossy) {
    const half = (maximum + 1) / 2;
    const message =
      `${path}: is graded (${foundText(raster)}); ` +
      `pixels of ${half} (half of full scale) or more count as aspect "${name}".`;
    return [{ kind: "graded", severity: "note", message }];
  }
  const warn = (kind: "labels" | "colours", message: string): MaskFinding[] => [
    { kind, severity: "warning", message: `${path}: ${message}` },
  ];
  if (meaning === "colours") {
    const cure = 'If that is wrong, save an indexed PNG and name its "values".';
    if (rule === "labels")
      return warn("labels", `holds ${colourCount} colours; all but the darkest count as aspect "${name}". ${cure}`);
    if (rule === "graded" || found[0] === 0 || found.length === 1) return [];
    return warn("colours", `none of its colours is black; the brighter ones count as aspect "${name}". ${cure}`);
  }
  if (rule !== "labels") return [];
  const background = meaning === "indices" ? found[0] : 0;
  return warn(
    "labels",
    `holds the values ${foundText(raster)}, and all but ${background} count as aspect "${name}". ` +
      `Name those that mean it, as in "values": [1].`,
  );
}
