/** The page of `data check --html`, as a user makes it: its findings in words and pictures, names escaped. */

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { encode as encodePng } from "fast-png";
import { beforeAll, expect, test } from "vitest";
import { fromRaw, rgb, temporaryFolder, writeDataset } from "../dataset/given.js";
import { aspectlens } from "../helpers/command.js";

let folder: string;
let data: string;

/** Waves that differ from one seed to the next. */
function picture(seed: number, { shift = 0 } = {}): Promise<Buffer> {
  const level = (x: number, y: number) =>
    120 + shift + 50 * Math.sin(x / (2 + (seed % 7)) + seed) + 40 * Math.cos(y / (3 + (seed % 5)) + seed);
  const colour = (x: number, y: number) => [level(x, y), level(x, y) - 10, level(x, y) + 10];
  return fromRaw(rgb(64, 64, colour), 64, 64)
    .png()
    .toBuffer();
}

beforeAll(async () => {
  folder = await temporaryFolder();
  const files: Record<string, Buffer> = {};
  const lines: object[] = [];
  for (let index = 0; index < 24; index++) {
    const isA = index % 2 === 0;
    files[`images/${index}.png`] = await picture(index);
    const boxes = isA ? [index === 0 ? [0.5, 0.5, 0.51, 0.9] : [0.1, 0.1, 0.4, 0.4]] : [];
    const label = isA ? "a" : "<b>";
    lines.push({ image: `images/${index}.png`, split: "train", label, aspects: { crack: { boxes } } });
  }
  files["images/again<i>.png"] = await picture(5, { shift: 2 });
  lines.push({ image: "images/again<i>.png", split: "test", label: "<b>" });
  const manifest = { classes: ["a", "<b>"], aspects: [{ name: "crack", kind: "boxes" }] };
  data = await writeDataset(join(folder, "data"), { manifest, lines, files });
});

test("the page and the plain check say what stands out", async () => {
  const page = join(folder, "data.html");
  const { code, stdout, stderr } = await aspectlens(["data", "check", data, "--html", page, "--input-size", "64"]);
  expect(stderr).toBe(`${page}: what the data hold\n`);
  expect(code).toBe(0);
  expect(stdout).toMatch(/2 images look the same as one in another split \(lines 6 and 25\)/);
  expect(stdout).toMatch(/class "a" and aspect "crack" always come together \(12 images with both, 12 with neither\)/);
  const html = await readFile(page, "utf8");
  expect(html).toContain("&lt;b&gt;");
  expect(html).toContain("aspect &quot;crack&quot; always come together");
  expect(html).not.toMatch(/<b><|>\s*<b>\s*<|again<i>/);
  expect(html).toContain("line 25, again&lt;i&gt;.png: test");
  expect(html).toContain("line 1, 0.png: crack: box of 25.6 x 0.6 pixels");
  expect(html.match(/<img src="data:image\/(jpeg|png);base64,/g)?.length).toBeGreaterThanOrEqual(4);
  expect([...html.matchAll(/src="(?!data:)|https?:\/\/|@import/g)]).toEqual([]);
  expect((await aspectlens(["data", "check", data, "--html", page])).code).toBe(0); // replaces its own
});

test("a file that it did not make is not overwritten", async () => {
  const notes = join(folder, "notes.html");
  await writeFile(notes, "mine");
  const { code, stderr } = await aspectlens(["data", "check", data, "--html", notes]);
  expect(code).toBe(2);
  expect(stderr).toMatch(/notes\.html: exists and is not a page of data check/);
  expect(await readFile(notes, "utf8")).toBe("mine");
});

test("what is wrong comes first, and sizes are those at which train would see the images", async () => {
  const dark = (level: number) => {
    const data = new Uint16Array(20_000).fill(level);
    return Buffer.from(encodePng({ width: 200, height: 100, data, channels: 1, depth: 16 }));
  };
  const names = ["a", "b", "c"];
  const files = Object.fromEntries(names.map((name, index) => [`${name}.png`, dark(1000 + 500 * index)]));
  const aspects = { crack: { boxes: [[0.1, 0.1, 0.15, 0.15]] } };
  const lines = names.map((name) => ({ image: `${name}.png`, split: "train", label: "a", aspects }));
  const manifest = { classes: ["a", "b"], aspects: [{ name: "crack", kind: "boxes" }] };
  const page = join(folder, "dark.html");
  const directory = await writeDataset(join(folder, "dark"), { manifest, lines, files });
  expect((await aspectlens(["data", "check", directory, "--html", page])).code).toBe(0);
  const html = await readFile(page, "utf8");
  const faults = html.indexOf("<h2>Faults</h2>");
  expect(faults).toBeGreaterThan(0);
  expect(html.indexOf("12 bits in a file of 16?")).toBeLessThan(html.indexOf("<h2>Labels</h2>"));
  expect(faults).toBeLessThan(html.indexOf("<h2>Labels</h2>"));
  expect(html).toContain("3 of 3 images look odd");
  expect(html).toContain("Side at an input of 224 px");
});
