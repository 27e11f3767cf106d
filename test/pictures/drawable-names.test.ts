import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { expect, test } from "vitest";
import type { Explained } from "../../src/explain/explanation.js";
import { withDrawableNames } from "../../src/pictures/drawable-names.js";
import { renderOverlay } from "../../src/pictures/overlay.js";
import { textWidth } from "../../src/pictures/text-line.js";
import { explained, explanation, SIZE, tissue } from "./fixtures.js";

/** Drawn by no font, anywhere. */
const NEVER = "\u{1fffe}";

function named(names: Readonly<Record<string, string>>): Explained {
  const rename = (name: string) => names[name] ?? name;
  const keys = <Value>(record: Readonly<Record<string, Value>>) =>
    Object.fromEntries(Object.entries(record).map(([name, value]) => [rename(name), value]));
  return {
    explanation: {
      ...explanation,
      aspects: explanation.aspects.map((aspect) => ({ ...aspect, name: rename(aspect.name) })),
    },
    maps: { ...explained.maps, regions: keys(explained.maps.regions), survival: keys(explained.maps.survival) },
  };
}

test("an explanation whose names can all be drawn stays as it is", async () => {
  expect(await withDrawableNames(explained)).toEqual({ shown: explained, notes: [] });
});

test("names that cannot be drawn are numbered as the JSON lists them, everywhere", async () => {
  const given = named({ necrosis: `${NEVER}a`, vessel: NEVER });
  const prediction = { class: NEVER, score: 0.97, scores: { benign: 0.03, [NEVER]: 0.97 } };
  const target = { kind: "margin", class: NEVER, other: "benign" } as const;
  const { shown, notes } = await withDrawableNames({
    ...given,
    explanation: { ...given.explanation, prediction, target },
  });
  expect(shown.explanation.aspects.map(({ name }) => name)).toEqual(["nucleus", "mitosis", "aspect 3", "aspect 4"]);
  expect(shown.explanation.prediction).toEqual({
    class: "class 2",
    score: 0.97,
    scores: { benign: 0.03, "class 2": 0.97 },
  });
  expect(shown.explanation.target).toEqual({ kind: "margin", class: "class 2", other: "benign" });
  expect(Object.keys(shown.maps.regions)).toEqual(["aspect 3", "nucleus"]);
  expect(shown.maps.survival["aspect 3"]).toBe(explained.maps.survival.necrosis);
  expect(notes.at(-1)).toBe("U+1FFFE: install a font that has it");
});

test("the picture is that of the numbers, with the note under its legend", async () => {
  const image = tissue({ width: SIZE, height: SIZE / 2 });
  const [numbered, plain] = [
    await renderOverlay(named({ necrosis: NEVER }), image),
    await renderOverlay(explained, image),
  ];
  const heightOf = async (picture: Uint8Array) => (await sharp(picture).metadata()).height;
  // Three lines of 16.
  expect((await heightOf(numbered)) - (await heightOf(plain))).toBe(48);
  const { notes } = await withDrawableNames(named({ necrosis: NEVER }));
  // As wide as a legend.
  for (const note of [...notes, "Devanagari: install Noto Sans Devanagari"])
    expect(await textWidth(note, { size: 10 })).toBeLessThan(300);
});

test("the note names what to install for each script", () => {
  const module = new URL("../../dist/pictures/drawable-names.js", import.meta.url).href;
  const names = ["核分裂像", "ミトコンドリア", "שלום", "مرحبا", "कोशिका", "🙂", "a"];
  const given = {
    explanation: { prediction: { value: 1 }, target: { kind: "value" }, aspects: names.map((name) => ({ name })) },
    maps: { regions: {}, survival: {} },
  };
  const code = `const { withDrawableNames } = await import(${JSON.stringify(module)});
    console.log(JSON.stringify((await withDrawableNames(${JSON.stringify(given)})).notes));`;
  const env = { ...process.env, FONTCONFIG_FILE: fileURLToPath(new URL("../../fonts/fonts.conf", import.meta.url)) };
  const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", code], { env, encoding: "utf8" });
  expect(JSON.parse(stdout).slice(2)).toEqual([
    "Chinese: install Noto Sans CJK",
    "Japanese: install Noto Sans CJK",
    "Hebrew: install Noto Sans Hebrew",
    "Arabic: install Noto Sans Arabic",
    "Devanagari: install Noto Sans Devanagari",
    "emoji: install Noto Color Emoji",
  ]);
});
