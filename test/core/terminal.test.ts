import { expect, test } from "vitest";
import { clip, messageLine, visible, visibleLine } from "../../src/core/terminal.js";
import { headlineOf } from "../../src/explain/headline.js";
import { escapeHtml } from "../../src/pages/html-page.js";
import { explanationTable } from "../../src/pictures/explanation-table.js";
import { explanation, necrosis } from "../pictures/fixtures.js";

/** Sets the title, clears the screen (C0 and C1 forms), forges a line, writes backwards. */
const ATTACK = "a\u001b]0;owned\u0007b\u009b2Jc\r\nok: \u2028\u202Egnp.exe\u2066\u007f";
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const RAW = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;

test("every character that acts on a terminal is shown escaped, letters of any script stay", () => {
  expect(visible(ATTACK)).toBe("a\\x1b]0;owned\\x07b\\x9b2Jc\\r\\nok: \\u2028\\u202egnp.exe\\u2066\\x7f");
  expect(visible("nécrose 壊死 😀 C:\\x")).toBe("nécrose 壊死 😀 C:\\x");
  expect(visible(visible(ATTACK))).toBe(visible(ATTACK));
});

test("a message is one line, its quotations cut after 200 characters, a very long one in its middle", () => {
  expect(messageLine("x.json: not JSON\n  at 3. Correct it.")).toBe("x.json: not JSON at 3. Correct it.");
  const quoted = messageLine(`x.json: class "${"y".repeat(5000)}" is unknown. Rename it.`);
  expect(quoted).toBe(`x.json: class "${"y".repeat(199)}…" is unknown. Rename it.`);
  const long = messageLine(`x.json: ${"y".repeat(1e6)}. Rename it.`);
  expect(long.length).toBeLessThan(10_100);
  expect(long).toMatch(/^x\.json: y+ … y+\. Rename it\.$/);
});

test("what is printed keeps a line feed of a name, escaped, where a message would make it a space", () => {
  expect(visibleLine("new\nline.png: benign")).toBe("new\\nline.png: benign");
});

test("a text is cut between characters, not inside one", () => {
  expect(clip("😀".repeat(300))).toBe(`${"😀".repeat(199)}…`);
  expect(clip("😀".repeat(200))).toBe("😀".repeat(200));
  expect(clip("short")).toBe("short");
});

test("names, classes and paths of an explanation reach neither terminal nor page raw", () => {
  const attacked = {
    ...explanation,
    image: ATTACK,
    prediction: { class: ATTACK, score: 0.9, scores: { [ATTACK]: 0.9 } },
    target: { kind: "log-odds", class: "x".repeat(1000) } as const,
    aspects: [{ ...necrosis, name: ATTACK }],
  };
  const table = explanationTable({
    ...attacked,
    headline: headlineOf(attacked, { isPeakElsewhere: false, isTargetAbsent: false, unseen: [] }),
  });
  expect(table).not.toMatch(RAW);
  expect(table.split("\n")).toHaveLength(5); // headline, titles, sentences, one aspect, scale
  expect(table).not.toContain("x".repeat(201));
  expect(escapeHtml(ATTACK)).not.toMatch(RAW);
  expect(escapeHtml("two\nlines <b>")).toBe("two\nlines &lt;b&gt;");
});
