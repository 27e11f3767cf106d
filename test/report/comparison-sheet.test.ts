import sharp from "sharp";
import { expect, test } from "vitest";
import type { Explained } from "../../src/explain/explanation.js";
import { comparisonSheet } from "../../src/report/comparison-sheet.js";
import { explained, explanation, SIZE, tissue } from "./fixtures.js";

const picture = tissue({ width: SIZE, height: SIZE });
/** As in every picture of that model. */
const COLOURS = { necrosis: [0, 158, 115], mitosis: [86, 180, 233] };

async function bars(sheet: Uint8Array, colour: readonly number[]) {
  const { data, info } = await sharp(sheet).raw().toBuffer({ resolveWithObject: true });
  const rows = new Set<number>();
  for (let at = 0; at < info.width * info.height; at++) {
    if (colour.every((part, k) => Math.abs(data[3 * at + k] - part) <= 3))
      rows.add(Math.floor((Math.floor(at / info.width) - 96) / 186));
  }
  return { width: info.width, height: info.height, rows: [...rows] };
}

/** The same, with another aspect the most relevant. */
function by(saliency: Explained["explanation"]["saliency"], relevance: Record<string, number>): Explained {
  const aspects = explanation.aspects.map((aspect) => ({ ...aspect, relevance: relevance[aspect.name] ?? null }));
  return { ...explained, explanation: { ...explanation, saliency, aspects } };
}

test("each row colours the aspect that its method names first, and no other", async () => {
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
  const { height } = await sharp(await comparisonSheet([explained], picture)).metadata();
  expect(necrosis.height - height).toBe(2 * 186);
});

test("an image without aspects and a method that found nothing still make a sheet", async () => {
  const nothing = explanation.aspects.map((aspect) => ({
    ...aspect,
    isPresent: false,
    relevance: null,
    survival: null,
  }));
  const saliency = { ...explained.maps.saliency, values: explained.maps.saliency.values.map(() => 0) };
  const silent: Explained = {
    ...explained,
    explanation: { ...explanation, aspects: nothing, isExplained: false },
    maps: { ...explained.maps, saliency, regions: {}, survival: {} },
  };
  const { rows } = await bars(await comparisonSheet([silent], picture), COLOURS.necrosis);
  expect(rows).toEqual([]);
});
