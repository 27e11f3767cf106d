import sharp from "sharp";
import { expect, test } from "vitest";
import type { Explained } from "../../src/explain/explanation.js";
import { comparisonSheet } from "../../src/pictures/comparison-sheet.js";
import { explained, explanation, SIZE, tissue } from "./fixtures.js";

const picture = tissue({ width: SIZE, height: SIZE });
/** As in every picture of that model. */
const COLOURS = { necrosis: [0, 158, 115], mitosis: [86, 180, 233] };

const GREY = [104, 112, 120];
const TRACK = [228, 232, 236];
/** Of a square image's sheet: cells of 150 in steps of 164 after the names, rows of 186; the bar's room under a cell. */
const cell = (row: number, column: number) => ({ x: 218 + 164 * column, y: 96 + 186 * row });
const ROOM = 150 - 54;

async function decode(sheet: Uint8Array) {
  const { data, info } = await sharp(sheet).raw().toBuffer({ resolveWithObject: true });
  return (x: number, y: number) => [...data.subarray(3 * (y * info.width + x), 3 * (y * info.width + x) + 3)];
}

async function bars(sheet: Uint8Array, colour: readonly number[]) {
  const { data, info } = await sharp(sheet).raw().toBuffer({ resolveWithObject: true });
  const rows = new Set<number>();
  for (let at = 0; at < info.width * info.height; at++) {
    if (colour.every((part, k) => Math.abs(data[3 * at + k] - part) <= 3))
      rows.add(Math.floor((Math.floor(at / info.width) - 96) / 186));
  }
  return { width: info.width, height: info.height, rows: [...rows] };
}

/** The same by another method. */
function by(
  saliency: Explained["explanation"]["saliency"],
  scores: Record<string, number>,
  { line = 0.31 }: { line?: number | null } = {},
): Explained {
  const aspects = explanation.aspects.map((aspect) => {
    const score = scores[aspect.name] ?? null;
    return { ...aspect, score, isRelevant: line === null ? null : (score ?? 0) >= line };
  });
  const scale = line === null ? ({ kind: "uncalibrated" } as const) : ({ kind: "above-chance", line } as const);
  return { ...explained, explanation: { ...explanation, saliency, scale, aspects } };
}

test("each row colours the aspects that its method calls relevant, and no other", async () => {
  const sheet = await comparisonSheet(
    [
      by("evidence", { necrosis: 0.6, mitosis: 0.2 }),
      by("grad-cam", { necrosis: 0.1, mitosis: 0.5 }),
      by("deconvnet", { necrosis: 0, mitosis: 0 }),
    ],
    picture,
  );
  const [necrosis, mitosis] = [await bars(sheet, COLOURS.necrosis), await bars(sheet, COLOURS.mitosis)];
  expect(necrosis.rows).toEqual([0]);
  expect(mitosis.rows).toEqual([1]);
  const both = await comparisonSheet([by("evidence", { necrosis: 0.6, mitosis: 0.4 })], picture);
  expect([(await bars(both, COLOURS.necrosis)).rows, (await bars(both, COLOURS.mitosis)).rows]).toEqual([[0], [0]]);
  const { height } = await sharp(await comparisonSheet([explained], picture)).metadata();
  expect(necrosis.height - height).toBe(2 * 186);
});

test("an image without aspects and a method that found nothing still make a sheet", async () => {
  const nothing = explanation.aspects.map((aspect) => ({
    ...aspect,
    isPresent: false,
    isRelevant: false,
    score: null,
    relevance: null,
    survival: null,
  }));
  const saliency = { ...explained.maps.saliency, values: explained.maps.saliency.values.map(() => 0) };
  const silent: Explained = {
    ...explained,
    explanation: { ...explanation, aspects: nothing },
    maps: { ...explained.maps, saliency, regions: {}, survival: {} },
  };
  const { rows } = await bars(await comparisonSheet([silent], picture), COLOURS.necrosis);
  expect(rows).toEqual([]);
});

test("a method for which nothing is relevant has no colour, whatever its ranks, and is said to name none", async () => {
  const named = by("evidence", { necrosis: 0.6 });
  const below = by("grad-cam", { necrosis: 0.3, mitosis: 0.1 });
  const sheet = await comparisonSheet([below, named], picture);
  for (const colour of Object.values(COLOURS)) expect((await bars(sheet, colour)).rows).not.toContain(0);
  const at = await decode(sheet);
  // The bar of 0.1, a third of the row's highest: grey a little after its start, the track behind its end.
  const { x, y } = cell(0, 2);
  expect(at(x + 6, y + 150 + 12)).toEqual(GREY);
  expect(at(x + 0.5 * ROOM, y + 150 + 12)).toEqual(TRACK);
  // "names none" stands where "names necrosis" does, and is shorter.
  const inkOf = (row: number) =>
    Array.from({ length: 150 * 12 }, (_, i) => at(28 + (i % 150), cell(row, 0).y + 48 + Math.floor(i / 150))).filter(
      (pixel) => pixel[0] < 100,
    ).length;
  expect(inkOf(0)).toBeGreaterThan(20);
  expect(inkOf(0)).toBeLessThan(inkOf(1));
});

test("a bar is as long as the score over the highest of its row, whatever scores of that method are", async () => {
  const explained = [
    by("evidence", { necrosis: 0.6, mitosis: 0.3 }),
    by("grad-cam", { necrosis: 0.004, mitosis: 0.002 }, { line: 0.001 }),
  ];
  const at = await decode(await comparisonSheet(explained, picture));
  for (const row of [0, 1]) {
    const filled = (column: number, share: number) => {
      const { x, y } = cell(row, column);
      return at(Math.round(x + share * ROOM), y + 150 + 12).join() !== TRACK.join();
    };
    expect([0.1, 0.9].map((share) => filled(1, share))).toEqual([true, true]);
    expect([0.1, 0.4, 0.6].map((share) => filled(2, share))).toEqual([true, true, false]);
  }
});

test("a method that is not calibrated names none", async () => {
  const ranks = by("grad-cam", { necrosis: 0.001, mitosis: 0.005 }, { line: null });
  const sheet = await comparisonSheet([by("evidence", { necrosis: 0.6 }), ranks], picture);
  expect((await bars(sheet, COLOURS.necrosis)).rows).toEqual([0]);
  expect((await bars(sheet, COLOURS.mitosis)).rows).toEqual([]);
});

test("a survival of 0.3 is told from none", async () => {
  const survival = {
    ...explained.maps.survival,
    necrosis: explained.maps.regions.necrosis.map((inside) => inside * 77),
  };
  const of = (maps: Explained["maps"]) => comparisonSheet([{ ...by("evidence", { necrosis: 0.1 }), maps }], picture);
  const none = { ...survival, necrosis: new Uint8Array(SIZE * SIZE) };
  const [seen, unseen] = [await of({ ...explained.maps, survival }), await of({ ...explained.maps, survival: none })];
  const { x, y } = cell(0, 1);
  const centre = [x + Math.round((41 / SIZE) * 150), y + Math.round((48 / SIZE) * 150)] as const;
  const [a, b] = [(await decode(seen))(...centre), (await decode(unseen))(...centre)];
  // 0.9 * 0.3 ** 0.6 = 0.44 of the way from the pale image, some 190, to a grey of 104.
  expect(b[0] - a[0]).toBeGreaterThan(30);
});
