import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { categoriesOf, predictedImage } from "../../src/annotate/predicted-image.js";
import { decodeBrush } from "../../src/dataset/formats/brush-rle.js";
import { openPredictions } from "../../src/dataset/formats/predictions.js";
import type { HeadSpec } from "../../src/heads/head-spec.js";
import { disc, explained, explanation, SIZE, vessel } from "../pictures/fixtures.js";

const heads = [
  { name: "class", kind: "classifier", task: "single", classes: ["benign", "malignant", "necrosis"] },
  { name: "nucleus", kind: "segmentation" },
  { name: "mitosis", kind: "boxes" },
  { name: "necrosis", kind: "segmentation" },
  { name: "vessel", kind: "presence" },
  { name: "cellularity", kind: "amount", form: "map" },
  { name: "redness", kind: "amount", form: "number" },
] as unknown as HeadSpec[];
const names = categoriesOf(heads);
const predict = (size: { width: number; height: number }, what = explained) =>
  predictedImage(what, { path: "images/a b.png", ...size, names });

test("categories: masks, boxes and what is said of the whole image; a class that is called like an aspect has a name of its own", () => {
  expect(names.masks).toEqual(["nucleus", "necrosis", "cellularity"]);
  expect(names.boxes).toEqual(["mitosis"]);
  expect(names.tags).toEqual(["benign", "malignant", "class necrosis", "vessel", "redness"]);
});

test("boxes and masks lie in the image's own pixels, and each says how relevant its aspect is", () => {
  const { marks, tags, score } = predict({ width: 256, height: 64 });
  expect([tags, score]).toEqual([["malignant"], 0.97]);
  expect(marks.map(({ category, kind }) => [category, kind])).toEqual([
    ["nucleus", "mask"],
    ["mitosis", "box"],
    ["mitosis", "box"],
    ["necrosis", "mask"],
  ]);
  // [0.6, 0.6, 0.75, 0.75] of 256 x 64.
  expect(marks[1]).toMatchObject({ x: 153.6, width: expect.closeTo(38.4, 6), score: 0.9 });
  expect(marks[1]).toMatchObject({ y: expect.closeTo(38.4, 6), height: expect.closeTo(9.6, 6) });
  expect(marks[3].attributes).toEqual({
    presence: 0.97,
    isRelevant: true,
    relevance: 0.95,
    share: 0.58,
    strength: "decisive",
  });
  // A disc of 22 pixels in 128 x 128 covers pi 22^2 / 128^2 of the image.
  const covered = marks[3].kind === "mask" ? marks[3].pixels.reduce((sum, value) => sum + value, 0) : 0;
  expect(covered / (256 * 64)).toBeCloseTo((Math.PI * 22 ** 2) / 128 ** 2, 2);
});

test("of the middle square that a model sees, places count in the whole image", () => {
  const crop = { left: 100, top: 10, width: 50, height: 50 };
  const { marks } = predict({ width: 250, height: 70 }, { ...explained, explanation: { ...explanation, crop } });
  expect(marks[1]).toMatchObject({ x: 130, y: 40, width: expect.closeTo(7.5, 6), height: expect.closeTo(7.5, 6) });
  const [mask] = marks;
  if (mask.kind !== "mask") throw new Error("no mask");
  const set = [...mask.pixels.keys()].filter((at) => mask.pixels[at] === 1);
  for (const pixel of set) {
    expect(pixel % 250).toBeGreaterThanOrEqual(100);
    expect(pixel % 250).toBeLessThan(150);
  }
  // Its centre, (102, 32) of 128, is at 10 + 50 * 102.5 / 128 = 50.04 rows from the top.
  const rows = set.map((pixel) => Math.floor(pixel / 250));
  expect(rows.reduce((sum, row) => sum + row, 0) / rows.length + 0.5).toBeCloseTo(50.04, 0);
});

test("the files: COCO with runs and boxes, Label Studio with brushes and the same places; a derived place in COCO alone", async () => {
  const folder = mkdtempSync(join(tmpdir(), "predictions-"));
  const files = { coco: join(folder, "c"), tasks: join(folder, "t"), config: join(folder, "x") };
  const writer = await openPredictions(files, { names, model: "tissue" });
  const seen = { ...vessel, isPresent: true, presence: 0.6, isPlaceDerived: true as const };
  const what = {
    explanation: { ...explanation, aspects: [...explanation.aspects.slice(0, 3), seen] },
    maps: { ...explained.maps, regions: { ...explained.maps.regions, vessel: disc(20, 20, 5) } },
  };
  await writer.add(predict({ width: SIZE, height: SIZE }, what));
  await writer.finish();
  await writer.close();
  expect(readdirSync(folder).sort()).toEqual(["c", "t", "x"]);
  const coco = JSON.parse(readFileSync(files.coco, "utf8"));
  const [nucleus, , , necrosis, vesselMark] = coco.annotations;
  expect(coco.annotations).toHaveLength(5);
  expect(vesselMark.attributes.isPlaceDerived).toBe(true);
  expect(nucleus.segmentation.counts.reduce((sum: number, run: number) => sum + run, 0)).toBe(SIZE * SIZE);
  const area = disc(48, 41, 22).reduce((sum, value) => sum + value, 0);
  expect(necrosis).toMatchObject({ area, bbox: [19, 26, 45, 45], iscrowd: 0, score: 0.97 });
  expect(coco.images[0].attributes).toMatchObject({ answer: "malignant", score: 0.97 });
  const [task] = JSON.parse(readFileSync(files.tasks, "utf8"));
  const [prediction] = task.predictions;
  expect(prediction.result.map(({ type }: { type: string }) => type)).toEqual([
    ...["brushlabels", "rectanglelabels", "rectanglelabels", "brushlabels", "choices", "choices"],
  ]);
  const runs = decodeBrush(Uint8Array.from(prediction.result[3].value.rle), { width: SIZE, height: SIZE });
  expect([...(runs as Uint32Array)].filter((_, at) => at % 2 === 1).reduce((sum, run) => sum + run, 0)).toBe(area);
  expect(prediction.result[5].value.choices).toEqual(["vessel"]);
});
