/** Names with characters that no available font has are shown as numbers, with a note on which font to install. */

import type { Explained, Explanation, Prediction } from "../explain/explanation.js";
import { missingCharacters } from "./missing-glyphs.js";

/** Fonts by script; the first script that a character belongs to counts. */
const FONTS: readonly (readonly [name: string, pattern: RegExp, font: string])[] = [
  ["Japanese", /[\p{scx=Hira}\p{scx=Kana}]/u, "Noto Sans CJK"],
  ["Korean", /\p{scx=Hang}/u, "Noto Sans CJK"],
  ["Chinese", /[\p{scx=Han}\p{scx=Bopo}]/u, "Noto Sans CJK"],
  ["Arabic", /\p{scx=Arab}/u, "Noto Sans Arabic"],
  ["Hebrew", /\p{scx=Hebr}/u, "Noto Sans Hebrew"],
  ["Devanagari", /\p{scx=Deva}/u, "Noto Sans Devanagari"],
  ["Bengali", /\p{scx=Beng}/u, "Noto Sans Bengali"],
  ["Tamil", /\p{scx=Taml}/u, "Noto Sans Tamil"],
  ["Telugu", /\p{scx=Telu}/u, "Noto Sans Telugu"],
  ["Thai", /\p{scx=Thai}/u, "Noto Sans Thai"],
  ["Armenian", /\p{scx=Armn}/u, "Noto Sans Armenian"],
  ["Georgian", /\p{scx=Geor}/u, "Noto Sans Georgian"],
  ["Ethiopic", /\p{scx=Ethi}/u, "Noto Sans Ethiopic"],
  ["emoji", /\p{Extended_Pictographic}|\p{Regional_Indicator}/u, "Noto Color Emoji"],
  ["symbols", /[\p{S}\p{P}\p{N}]/u, "Noto Sans Symbols 2"],
];

/** Lines that fit the width of a legend. */
const NOTE = ["Some names are numbered as in the JSON:", "no font here has their letters."];

/**
 * @returns the explanation with "aspect 3" and "class 2" for the names that cannot be drawn, counted as the JSON lists
 *   them, and notes about it, one per line; none if all can be drawn.
 */
export async function withDrawableNames(explained: Explained): Promise<{ shown: Explained; notes: readonly string[] }> {
  const { explanation, maps } = explained;
  const { prediction, aspects } = explanation;
  const missing = new Set<string>();
  const rename = async (names: readonly string[], kind: string) => {
    const renamed = new Map<string, string>();
    for (const [index, name] of names.entries()) {
      const characters = await missingCharacters(name);
      if (characters.length > 0) renamed.set(name, `${kind} ${index + 1}`);
      for (const character of characters) missing.add(character);
    }
    return (name: string) => renamed.get(name) ?? name;
  };
  const aspectName = await rename(
    aspects.map(({ name }) => name),
    "aspect",
  );
  const className = await rename("value" in prediction ? [] : Object.keys(prediction.scores), "class");
  if (missing.size === 0) return { shown: explained, notes: [] };
  const shown = {
    explanation: {
      ...explanation,
      aspects: aspects.map((aspect) => ({ ...aspect, name: aspectName(aspect.name) })),
      prediction: renamePrediction(prediction, className),
      target: renameTarget(explanation.target, { className, aspectName }),
    },
    maps: {
      ...maps,
      regions: renameKeys(maps.regions, aspectName),
      survival: renameKeys(maps.survival, aspectName),
    },
  };
  return { shown, notes: [...NOTE, ...advice(missing)] };
}

function advice(missing: Iterable<string>): string[] {
  const lines = Array.from(missing, (character) => {
    const script = FONTS.find(([, pattern]) => pattern.test(character));
    if (script) return `${script[0]}: install ${script[2]}`;
    const code = character.codePointAt(0)?.toString(16).toUpperCase().padStart(4, "0");
    return `U+${code}: install a font that has it`;
  });
  return [...new Set(lines)];
}

function renamePrediction(prediction: Prediction, className: (name: string) => string): Prediction {
  if ("value" in prediction) return prediction;
  const renamed = {
    ...prediction,
    class: className(prediction.class),
    scores: renameKeys(prediction.scores, className),
  };
  return "labels" in prediction ? { ...renamed, labels: prediction.labels.map(className) } : renamed;
}

function renameTarget(
  target: Explanation["target"],
  { className, aspectName }: Record<"className" | "aspectName", (name: string) => string>,
): Explanation["target"] {
  if ("aspect" in target) return { ...target, aspect: aspectName(target.aspect) };
  if ("other" in target) return { ...target, class: className(target.class), other: className(target.other) };
  return "class" in target ? { ...target, class: className(target.class) } : target;
}

function renameKeys<Value>(record: Readonly<Record<string, Value>>, rename: (name: string) => string) {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [rename(name), value]));
}
