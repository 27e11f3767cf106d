/** Texts in pictures, in the font of the package alone, as on a machine without fonts, and in the system's fonts. */

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { isInOurFont, missingCharacters } from "../../src/pictures/missing-glyphs.js";
import { fitText, type TextLine, textLine, textWidth } from "../../src/pictures/text-line.js";

const OWN_FONTS = fileURLToPath(new URL("../../fonts/fonts.conf", import.meta.url));
const look = { size: 20 };

/** Whether a font file of such a name lies where Debian puts fonts. */
function hasSystemFont(name: RegExp): boolean {
  const folder = "/usr/share/fonts";
  return (
    existsSync(folder) && readdirSync(folder, { recursive: true, encoding: "utf8" }).some((file) => name.test(file))
  );
}

/** What `missingCharacters` says in a process that knows no fonts but ours. */
function missingWithoutSystemFonts(texts: readonly string[]): string[][] {
  const module = new URL("../../dist/pictures/missing-glyphs.js", import.meta.url);
  const code = `const { missingCharacters } = await import(${JSON.stringify(module.href)});
    console.log(JSON.stringify(await Promise.all(${JSON.stringify(texts)}.map(missingCharacters))));`;
  const env = { ...process.env, FONTCONFIG_FILE: OWN_FONTS };
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", code], {
    env,
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  return JSON.parse(stdout);
}

/** Rows of a line that hold ink, counted from the baseline upwards. */
function inkedRows({ width, height, ascent, pixels }: TextLine): number[] {
  const isInked = (y: number) => Array.from({ length: width }, (_, x) => pixels[4 * (y * width + x) + 3]).some(Boolean);
  return Array.from({ length: height }, (_, y) => y)
    .filter(isInked)
    .map((y) => ascent - y);
}

/** How many pixels of a column hold ink. */
function inkedIn({ width, height, pixels }: TextLine, x: number): number {
  return Array.from({ length: height }, (_, y) => pixels[4 * (y * width + x) + 3]).filter(Boolean).length;
}

/** The characters that a font file has, of its table "cmap" in format 4 (OpenType 1.9). */
function charactersOf(file: string): Set<number> {
  const bytes = readFileSync(new URL(`../../fonts/${file}`, import.meta.url));
  const at = bytes.readUInt32BE(bytes.indexOf("cmap") + 8);
  const subtables = Array.from(
    { length: bytes.readUInt16BE(at + 2) },
    (_, i) => at + bytes.readUInt32BE(at + 8 + 8 * i),
  );
  const table = subtables.find((start) => bytes.readUInt16BE(start) === 4) ?? Number.NaN;
  const count = bytes.readUInt16BE(table + 6) / 2;
  const found = new Set<number>();
  for (let segment = 0; segment < count; segment++) {
    const last = bytes.readUInt16BE(table + 14 + 2 * segment);
    const first = bytes.readUInt16BE(table + 16 + 2 * (count + segment));
    for (let code = first; code <= last; code++) found.add(code);
  }
  return found;
}

describe("textLine", () => {
  test("stands on the baseline, its capitals as high as was asked", async () => {
    // The sizes that pictures use; Pango rounds others to whole pixels of twice the size.
    for (const size of [9, 10, 11, 13, 19])
      expect(inkedRows(await textLine("H", { size }))).toEqual(Array.from({ length: size }, (_, i) => size - i));
    const rows = inkedRows(await textLine("gy", look));
    // The small letters are lower than capitals and go below the baseline.
    expect(Math.max(...rows)).toBeLessThan(18);
    expect(Math.min(...rows)).toBeLessThan(-3);
  });

  test("is cut to its ink on both sides, and has none where nothing is to be seen", async () => {
    const { width, height, pixels } = await textLine("HH", look);
    for (const x of [0, width - 1]) expect(pixels[4 * (Math.floor(height / 2) * width + x) + 3]).toBeGreaterThan(0);
    for (const blank of ["", "   ", "\u200b"]) expect(await textWidth(blank, look)).toBe(0);
  });

  test("bold is wider, and a larger size wider in proportion", async () => {
    const width = await textWidth("necrosis", look);
    expect(await textWidth("necrosis", { ...look, isBold: true })).toBeGreaterThan(1.05 * width);
    expect((await textWidth("necrosis", { size: 40 })) / width).toBeCloseTo(2, 1);
  });

  test("has the colour that was asked for", async () => {
    const { pixels } = await textLine("H", { ...look, colour: "#d55e00" });
    const solid = pixels.findIndex((_, at) => at % 4 === 3 && pixels[at] === 255) - 3;
    expect([...pixels.subarray(solid, solid + 3)]).toEqual([213, 94, 0]);
  });

  test("shows markup, control characters and marks of direction as what they are", async () => {
    const same = async (one: string, other: string) => {
      const [a, b] = [await textLine(one, look), await textLine(other, look)];
      return Buffer.compare(a.pixels, b.pixels) === 0;
    };
    expect(await textWidth("<b>&amp;</b>", look)).toBeGreaterThan(2 * (await textWidth("amp", look)));
    expect(await same("a\nb\u0007", "a\\nb\\x07")).toBe(true);
    expect(await same("\u202eab", "\\u202eab")).toBe(true);
    expect(await same("e\u0301", "\u00e9")).toBe(true);
    expect(await same("\ud800", "\ufffd")).toBe(true); // half of a surrogate pair
  });

  test("piled accents stay near their line", async () => {
    const { ascent, height } = await textLine(`z${"\u0300\u0323".repeat(40)}`, look);
    expect(ascent).toBeLessThanOrEqual(38); // 1.9 heights of a capital
    expect(height - ascent).toBeLessThanOrEqual(18);
  });
});

describe("fitText", () => {
  test("shortens to the width that it is given, with an ellipsis, and never apart from an accent", async () => {
    expect(await fitText("necrosis", { ...look, width: 500 })).toBe("necrosis");
    const short = await fitText("a very long name of an aspect", { ...look, width: 140 });
    expect(short).toMatch(/^a very.*…$/);
    expect(await textWidth(short, look)).toBeLessThanOrEqual(140);
    expect(await textWidth(short.replace("…", "long…"), look)).toBeGreaterThan(140);
    expect(await fitText("x\u0302".repeat(200), { ...look, width: 100 })).toMatch(/^(x\u0302)+…$/);
    expect((await fitText("a".repeat(1_000_000), { ...look, width: 100 })).length).toBeLessThan(12);
  });
});

describe("missingCharacters", () => {
  test.each(["AspectlensSans-Regular.ttf", "AspectlensSans-Bold.ttf"])("%s has what is taken to be in it", (file) => {
    const found = charactersOf(file);
    const taken = [...Array(0xffff).keys()].filter((code) => isInOurFont(String.fromCharCode(code)));
    const isAssigned = (code: number) => !/\p{Cn}/u.test(String.fromCharCode(code));
    expect(taken.filter((code) => isAssigned(code) && !found.has(code))).toEqual([]);
    for (const letter of "Zażółć Ελλάδα Київ µ ≥ → ²") expect(isInOurFont(letter)).toBe(true);
  });

  test("other scripts are missing where the system has no font", () => {
    const texts = ["Ядро necrosis πυρήνας é – · ≥", "核分裂像 2", "שלום", "مرحبا", "🙂", "a\u200d\ufe0f\n\t\u00a0b"];
    expect(missingWithoutSystemFonts(texts)).toEqual([
      [],
      ["核", "分", "裂", "像"],
      ["ש", "ל", "ו", "ם"],
      ["م", "ر", "ح", "ب", "ا"],
      ["🙂"],
      [],
    ]);
  });

  test("what can never have a glyph is missing everywhere", async () => {
    expect(await missingCharacters("a\u{1fffe}b\ufdd1\ufdd0")).toEqual(["\u{1fffe}", "\ufdd1", "\ufdd0"]);
  });

  test("Chinese is drawn where the system has a font for it", async (context) => {
    if (!hasSystemFont(/cjk|fallback|wqy/i))
      context.skip("no font of this system has Chinese: WHETHER IT IS DRAWN IS NOT TESTED");
    expect(await missingCharacters("核分裂像")).toEqual([]);
    const [first, second] = [await textLine("核", look), await textLine("分", look)];
    expect(Buffer.compare(first.pixels, second.pixels)).not.toBe(0);
  });

  test("Hebrew is written from right to left where the system has a font for it", async (context) => {
    if (!hasSystemFont(/dejavusans\.ttf|hebrew/i))
      context.skip("no font of this system has Hebrew: WHETHER IT IS DRAWN IS NOT TESTED");
    const [line, first] = [await textLine("ל ש", look), await textLine("ש", look)];
    const columns = (one: TextLine, from: number) =>
      Array.from({ length: first.width }, (_, x) => inkedIn(one, from + x)).join(" ");
    expect(columns(line, 0)).toBe(columns(first, 0));
  });
});
