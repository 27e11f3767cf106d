import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { InputError } from "../../src/core/errors.js";
import type { AspectExplanation, Explained } from "../../src/explain/explanation.js";
import { legendDetails } from "../../src/pictures/legend.js";
import { maskFiles } from "../../src/pictures/mask-png.js";
import { mappingText } from "../../src/pictures/number-text.js";
import { renderOverlay } from "../../src/pictures/overlay.js";
import {
  explained,
  explanation,
  mapped,
  necrosis,
  nucleus,
  ranked,
  SIZE,
  tissue,
  unexplained,
  vessel,
} from "./fixtures.js";

const GREEN = [0, 158, 115]; // the third aspect of the list
const BLUE = [86, 180, 233]; // the second
const PALE_GREY = [154, 163, 171];
const PANEL = { width: 400, top: 102, third: 28 + 2 * 420 };

async function decode(png: Uint8Array) {
  const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
  const at = (x: number, y: number) => [...data.subarray((y * info.width + x) * 3, (y * info.width + x) * 3 + 3)];
  const count = (
    colour: readonly number[],
    { x, y, width, height }: Record<"x" | "y" | "width" | "height", number>,
  ) => {
    let found = 0;
    for (let row = y; row < Math.min(info.height, y + height); row++) {
      for (let column = x; column < Math.min(info.width, x + width); column++) {
        if (at(column, row).every((part, index) => Math.abs(part - colour[index]) <= 12)) found++;
      }
    }
    return found;
  };
  return { ...info, at, count };
}

function distance(a: readonly number[], b: readonly number[]): number {
  return Math.hypot(...a.map((part, index) => part - b[index]));
}

test.each([
  [
    { width: 10, height: 10, pixels: new Uint8Array(7) },
    /^image: expected 10 x 10 RGB pixels \(300 bytes\), got 7 bytes\.$/,
  ],
  [{ width: 0, height: 10, pixels: new Uint8Array(0) }, /^image: width and height: expected pixels, got 0 x 10\.$/],
  [
    { name: "x", size: 4, width: 9, height: 5, pixels: new Uint8Array(50) },
    /expected 4 x 4 RGB pixels \(48 bytes\), got 50/,
  ],
])("pixels of another number than their sides say are refused: %#", async (image, message) => {
  const error = await renderOverlay(explained, image).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(InputError);
  expect((error as InputError).message).toMatch(message);
});

describe("renderOverlay", () => {
  const shown = renderOverlay(explained, tissue({ width: SIZE, height: SIZE })).then(decode);

  test("fills the relevant region in its aspect's colour and leaves the irrelevant one unfilled", async () => {
    const picture = await shown;
    const inPanel = (y: number, x: number) =>
      picture.at(PANEL.third + Math.round((x / SIZE) * 400), PANEL.top + Math.round((y / SIZE) * 400));
    const [red, green] = inPanel(48, 41);
    expect(green - red).toBeGreaterThan(40); // purple tissue under half of green
    const [r, g, b] = inPanel(102, 32);
    expect(Math.max(r, g, b) - Math.min(r, g, b)).toBeLessThan(40); // faded, no colour laid over it
    expect(picture.count(GREEN, { x: PANEL.third, y: PANEL.top, width: 400, height: 400 })).toBeGreaterThan(600);
  });

  test("draws the box of a relevant instance in its colour at its place", async () => {
    const picture = await shown;
    const edge = { x: PANEL.third + 236, y: PANEL.top + 250, width: 8, height: 40 }; // x 0.6 of the panel
    expect(picture.count(BLUE, edge)).toBeGreaterThan(60);
  });

  test("names the answer and its causes above, with a dot of the aspect's colour", async () => {
    const known = await shown;
    const head = { x: 0, y: 0, width: known.width, height: 70 };
    expect(known.count(GREEN, head)).toBeGreaterThan(100);
    const silent = await decode(await renderOverlay(unexplained, tissue({ width: SIZE, height: SIZE })));
    expect(silent.count(GREEN, { x: 0, y: 0, width: silent.width, height: silent.height })).toBe(0);
    expect(silent.count([29, 35, 41], head)).toBeGreaterThan(300); // the answer's bold letters
  });

  test("writes the question before the answer that nothing explains it, where it is not the usual one", async () => {
    const render = (target: Explained["explanation"]["target"]) =>
      renderOverlay(
        { ...unexplained, explanation: { ...unexplained.explanation, target } },
        tissue({ width: SIZE, height: SIZE }),
      ).then(decode);
    const [usual, other] = [await render(explanation.target), await render({ kind: "log-odds", class: "benign" })];
    const ink = ({ count, width }: typeof usual) => count([102, 112, 122], { x: 0, y: 0, width, height: 70 });
    expect(ink(other)).toBeGreaterThan(1.2 * ink(usual));
  });

  test("writes the names in the legend and bars as long as the share of the evidence", async () => {
    const picture = await shown;
    const legend = 28 + 3 * 420 + 8;
    const name = { x: legend + 24, y: 100, width: 100, height: 22 };
    expect(picture.count([29, 35, 41], name)).toBeGreaterThan(60);
    // The first bar (necrosis, 0.58 of 300 = 174 px, 8 high) under its name.
    const bar = picture.count(GREEN, { x: legend, y: 126, width: 300, height: 10 });
    expect(bar).toBeGreaterThan(174 * 6);
    expect(bar).toBeLessThan(174 * 9);
  });

  /** How many pixels of a colour the bar of a row of the legend has, which is 8 high. */
  const barOf = ({ count }: Awaited<typeof shown>, row: number, colour: readonly number[]) =>
    count(colour, { x: 28 + 3 * 420 + 8, y: 126 + 60 * row, width: 300, height: 10 }) / 8;

  test("shows what lies elsewhere under the relevant aspects, in grey", async () => {
    const picture = await shown;
    expect(Math.abs(barOf(picture, 1, BLUE) - 0.31 * 300)).toBeLessThan(8);
    expect(Math.abs(barOf(picture, 2, PALE_GREY) - 0.11 * 300)).toBeLessThan(8);
    const silent = await decode(await renderOverlay(unexplained, tissue({ width: SIZE, height: SIZE })));
    expect(Math.abs(barOf(silent, 0, PALE_GREY) - 300)).toBeLessThan(8); // first, and all of it
    expect(barOf(silent, 1, PALE_GREY)).toBe(0);
  });

  test("of scores that only rank bars are relative to the highest, nothing is filled, and nothing lies elsewhere", async () => {
    const picture = await decode(await renderOverlay(ranked, tissue({ width: SIZE, height: SIZE })));
    expect(Math.abs(barOf(picture, 0, GREEN) - 300)).toBeLessThan(8);
    expect(Math.abs(barOf(picture, 1, BLUE) - (0.041 / 0.083) * 300)).toBeLessThan(8);
    expect([0, 1, 2, 3].map((row) => barOf(picture, row, PALE_GREY))).toEqual([0, 0, 0, 0]);
    expect(picture.count(GREEN, { x: PANEL.third, y: PANEL.top, width: 400, height: 400 })).toBe(0);
  });

  test("is hottest where the saliency is", async () => {
    const picture = await shown;
    const second = 28 + 420;
    const [hotRed, , hotBlue] = picture.at(second + 130, PANEL.top + 150);
    const [coldRed, , coldBlue] = picture.at(second + 380, PANEL.top + 380);
    expect(hotRed - hotBlue).toBeGreaterThan(40);
    expect(Math.abs(coldRed - coldBlue)).toBeLessThan(12);
  });

  test("keeps the shape of the original, whatever shape the pixels come in", async () => {
    const square = tissue({ width: 256, height: 256 });
    const wide = await decode(await renderOverlay(explained, square, { shape: { width: 4000, height: 3000 } }));
    // 400 x 300 panels; the legend of three aspects, elsewhere and an absent one is lower: 76 + 26 + 4 * 60 + 26 + 38.
    expect(wide).toMatchObject({ width: 28 + 3 * 420 + 300 + 36, height: 76 + 26 + 300 + 30 + 8 });
    const narrow = await decode(await renderOverlay(explained, tissue({ width: 20, height: 900 })));
    expect(narrow.width).toBe(28 + 3 * 260 + 300 + 36);
  });

  test.each([
    [640, 360],
    [360, 640],
    [900, 300],
    [300, 1500],
  ])("a circle in a picture of %i x %i stays a circle, within 2 %% and a pixel", async (width, height) => {
    const radius = Math.min(width, height) * 0.4;
    const SIDE = 512;
    const pixels = new Uint8Array(SIDE * SIDE * 3);
    for (let y = 0; y < SIDE; y++) {
      for (let x = 0; x < SIDE; x++) {
        const [dx, dy] = [((x + 0.5) / SIDE - 0.5) * width, ((y + 0.5) / SIDE - 0.5) * height];
        pixels.set(Math.hypot(dx, dy) <= radius ? [255, 0, 0] : [0, 0, 255], (y * SIDE + x) * 3);
      }
    }
    const picture = { width: SIDE, height: SIDE, pixels };
    const {
      width: all,
      height: high,
      at,
    } = await decode(await renderOverlay(explained, picture, { shape: { width, height } }));
    const first = 28 + Math.max(240, Math.round((400 * width) / Math.max(width, height)));
    let [left, right, top, bottom] = [all, -1, high, -1];
    for (let y = 100; y < high; y++) {
      for (let x = 0; x < first; x++) {
        const [red, green, blue] = at(x, y);
        if (red < 180 || green > 90 || blue > 90) continue;
        [left, right] = [Math.min(left, x), Math.max(right, x)];
        [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
      }
    }
    const [wide, tall] = [right - left + 1, bottom - top + 1];
    expect(wide).toBeGreaterThan(50);
    expect(Math.abs(wide - tall)).toBeLessThanOrEqual(1 + 0.02 * tall);
  });

  test("survives names that are long, foreign, or hold markup", async () => {
    const names = ["<script>&\"'", "核分裂像", "a".repeat(300), "ÄÖÜ"];
    const aspects = explanation.aspects.map((aspect, index) => ({ ...aspect, name: names[index] }));
    const strange: Explained = { ...explained, explanation: { ...explanation, aspects } };
    const picture = await decode(await renderOverlay(strange, tissue({ width: SIZE, height: SIZE })));
    expect(picture.width).toBe(28 + 3 * 420 + 300 + 36);
    // Nothing is written past the right margin.
    expect(distance(picture.at(picture.width - 3, 120), [255, 255, 255])).toBe(0);
  });

  test("makes the same bytes of the same explanation", async () => {
    const image = tissue({ width: 50, height: 40 });
    const [first, second] = [await renderOverlay(explained, image), await renderOverlay(explained, image)];
    expect(Buffer.compare(first, second)).toBe(0);
  });
});

test("writes each region as 0 and 255 and the survival as it is, under the names in the JSON", async () => {
  const aspects = [{ ...necrosis, mask: "x.necrosis.png", survivalMap: "x.necrosis.survival.png" }];
  const files = await maskFiles({ ...explained, explanation: { ...explanation, aspects } });
  expect(Object.keys(files)).toEqual(["x.necrosis.png", "x.necrosis.survival.png"]);
  const stored = await sharp(files["x.necrosis.png"]).metadata();
  expect(stored).toMatchObject({ width: SIZE, height: SIZE, channels: 1, depth: "uchar" });
  const read = async (name: string) => [...(await sharp(files[name]).toColourspace("b-w").raw().toBuffer())];
  expect(await read("x.necrosis.png")).toEqual([...explained.maps.regions.necrosis].map((value) => value * 255));
  expect(await read("x.necrosis.survival.png")).toEqual([...explained.maps.survival.necrosis]);
});

test("a derived place is painted paler, with a thinner contour, and called derived in the legend", async () => {
  const derived: AspectExplanation = { ...necrosis, kind: "presence", isPlaceDerived: true };
  const aspects = explanation.aspects.map((aspect) => (aspect.name === "necrosis" ? derived : aspect));
  const image = tissue({ width: SIZE, height: SIZE });
  const [marked, painted] = await Promise.all(
    [explained, { ...explained, explanation: { ...explanation, aspects } }].map(async (one) =>
      decode(await renderOverlay(one, image)),
    ),
  );
  // The lower half of the disc, away from its name.
  const panel = { x: PANEL.third + 50, y: PANEL.top + 160, width: 160, height: 70 };
  const contours = [marked, painted].map((picture) => picture.count(GREEN, panel));
  expect(contours[1]).toBeGreaterThan(50);
  expect(contours[1]).toBeLessThan(0.6 * contours[0]);
  const inside = [marked, painted].map((picture) => {
    const [red, green] = picture.at(PANEL.third + 128, PANEL.top + 150);
    return green - red;
  });
  expect(inside[1]).toBeGreaterThan(10);
  expect(inside[1]).toBeLessThan(inside[0] - 10);
  expect(legendDetails(derived)).toBe("decisive · relevance 0.95 · place derived");
});

test.each<[Partial<AspectExplanation>, string]>([
  [{}, "decisive · relevance 0.95 · covers 10 %"],
  [{ isRelevant: false, strength: null, relevance: 0.2 }, "not relevant · relevance 0.20"],
  [
    { isRelevant: false, strength: null, relevance: 0.2, isPlaceDerived: true },
    "not relevant · relevance 0.20 · not drawn",
  ],
  [{ isRelevant: true, strength: null, relevance: null }, "relevant · covers 10 %"],
  [{ isRelevant: null, strength: null, relevance: null }, "not calibrated · covers 10 %"],
  [{ isRelevant: false, strength: null, score: null, relevance: null, survival: null }, "not readable"],
  [{ ...mapped(necrosis, 0.4), score: null, relevance: null, survival: null }, "mapping too poor"],
  [mapped(necrosis, 0.9), "decisive · relevance 0.95 · covers 10 %"],
  [{ relevanceInterval: [0.8, 0.97] }, "decisive · relevance 0.95 · interval 0.80–0.97"],
])("the legend says of an aspect %j: %s", (changes, details) => {
  expect(legendDetails({ ...necrosis, ...changes })).toBe(details);
});

test("the legend has a line more for an aspect of another network that is seen, and moves what follows down by it", async () => {
  const render = async (aspects: readonly AspectExplanation[]) =>
    decode(
      await renderOverlay(
        { ...explained, explanation: { ...explanation, aspects } },
        tissue({ width: 20, height: 10 }),
      ),
    );
  const [own, first, absent] = [
    await render([necrosis, nucleus, vessel]),
    await render([mapped(necrosis, 0.93), nucleus, vessel]),
    await render([necrosis, nucleus, mapped(vessel, 0.93)]),
  ];
  const ink = ({ count }: typeof own) =>
    count([102, 112, 122], { x: 28 + 3 * 420 + 8, y: 153, width: 300, height: 13 });
  expect(ink(first)).toBeGreaterThan(ink(own) + 50);
  expect([first.height, absent.height]).toEqual([own.height + 15, own.height]);
});

test.each([
  [mapped(necrosis, 0.934), "mapped to cells, agreement 0.93 of 1"],
  [mapped(necrosis, null), "mapped to cells, agreement not known"],
  [necrosis, ""],
])("the legend says how an aspect was reached: %#", (aspect, text) => {
  expect(mappingText(aspect)).toBe(text);
});
