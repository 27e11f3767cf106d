/** The composites' brush: what is pasted is what the masks and boxes say. */

import { expect, test } from "vitest";
import { ATTRIBUTE_VALUES, drawAttributes, stripe, tint } from "../../examples/composites/attributes.js";
import { cutOut } from "../../examples/composites/cut-outs.js";
import { drawObjects, OBJECT_VALUES } from "../../examples/composites/objects.js";
import { paste, pasteAt, scaled, scene, visibleBoxes } from "../../examples/composites/scene.js";
import { random } from "../../examples/support/random.js";

const SIZE = 128;
const BACKGROUND = 50;

/** A filled disc of one colour on transparent black. */
function disc(diameter: number, colour: readonly [number, number, number]) {
  const pixels = new Uint8Array(diameter * diameter * 4);
  for (let i = 0; i < diameter * diameter; i++) {
    const [x, y] = [(i % diameter) + 0.5, Math.floor(i / diameter) + 0.5];
    const isInside = Math.hypot(x - diameter / 2, y - diameter / 2) < diameter / 2;
    pixels.set(isInside ? [...colour, 255] : [0, 0, 0, 0], i * 4);
  }
  return { pixels, width: diameter, height: diameter };
}

const material = {
  backgrounds: [new Uint8Array(SIZE * SIZE * 3).fill(BACKGROUND)],
  cat: [disc(90, [200, 100, 0])],
  dog: [disc(80, [0, 200, 100])],
  cell: [disc(60, [100, 0, 200])],
};

/** [yMin, xMin, yMax, xMax] of the pixels that hold one of the values, 0..1. */
function boxOf(mask: Uint8Array, values: readonly number[]) {
  const places = [...mask.keys()].filter((i) => values.includes(mask[i]));
  const rows = places.map((i) => Math.floor(i / SIZE));
  const columns = places.map((i) => i % SIZE);
  return [Math.min(...rows), Math.min(...columns), Math.max(...rows) + 1, Math.max(...columns) + 1].map(
    (v) => v / SIZE,
  );
}

test("crops a cut-out to its mask and makes the rest transparent", () => {
  const [width, height] = [30, 20];
  const mask = new Uint8Array(width * height).fill(2);
  // Rows 4..13 and columns 3..27, without the first pixel.
  for (let y = 4; y < 14; y++) for (let x = 3; x < 28; x++) mask[y * width + x] = y === 4 && x === 3 ? 2 : 3;
  const pixels = Uint8Array.from({ length: width * height * 3 }, (_, i) => i % 251);
  const cut = cutOut({ pixels, width, height }, { mask, values: [1, 3] });
  expect(cut && [cut.width, cut.height]).toEqual([25, 10]);
  expect(cut?.pixels[3]).toBe(0);
  const from = (4 * width + 4) * 3;
  expect([...(cut?.pixels.slice(4, 8) ?? [])]).toEqual([...pixels.slice(from, from + 3), 255]);
});

test("makes no cut-out of fewer than 200 pixels", () => {
  const mask = new Uint8Array(400).fill(0);
  const image = { pixels: new Uint8Array(1200), width: 20, height: 20 };
  mask.fill(1, 0, 199);
  expect(cutOut(image, { mask, values: [1] })).toBeUndefined();
  mask.fill(1, 0, 200);
  expect(cutOut(image, { mask, values: [1] })).toBeDefined();
});

test("blends by alpha, and gives a pixel to the object that is more than half of it", () => {
  const target = scene(new Uint8Array(4 * 4 * 3).fill(100));
  // Two pixels: alpha 51 / 255 = 0.2 and 204 / 255 = 0.8 of 200 over 100.
  const cut = { pixels: Uint8Array.from([200, 200, 200, 51, 200, 200, 200, 204]), width: 2, height: 1 };
  expect(pasteAt(target, cut, { top: 1, left: 2 })).toBe(1);
  expect(target.pixels[(4 + 2) * 3]).toBe(120);
  expect(target.pixels[(4 + 3) * 3]).toBe(180);
  expect([...target.owners]).toEqual([0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
  expect(visibleBoxes(target, 1)).toEqual([[0.25, 0.75, 0.5, 1]]);
});

test("lets no object hide more than a tenth of its own area of earlier ones", () => {
  for (let seed = 0; seed < 20; seed++) {
    const target = scene(material.backgrounds[0]);
    const stream = random(seed);
    paste(target, disc(70, [1, 2, 3]), stream);
    const before = target.owners.slice();
    const second = disc(60, [4, 5, 6]);
    if (paste(target, second, stream) === 0) continue;
    const hidden = before.filter((owner, i) => owner === 1 && target.owners[i] === 2).length;
    expect(hidden).toBeLessThan(0.1 * Math.PI * 30 * 30);
  }
});

test("leaves the scene as it was where nothing free is found", () => {
  const target = scene(material.backgrounds[0]);
  target.owners.fill(1);
  expect(paste(target, disc(40, [1, 2, 3]), random(1))).toBe(0);
  expect(target.pixels).toEqual(material.backgrounds[0]);
});

test("scales by the long side and brings no background colour to the edge", async () => {
  const cut = await scaled(disc(90, [200, 100, 0]), { longSide: 30, isMirrored: false });
  expect([cut.width, cut.height]).toEqual([30, 30]);
  for (let i = 0; i < cut.pixels.length; i += 4) {
    if (cut.pixels[i + 3] < 64) continue;
    expect(Math.abs(cut.pixels[i] - 200)).toBeLessThan(30); // Lanczos rings by some 15; black would bleed in by 100
    expect(Math.abs(cut.pixels[i + 1] - 100)).toBeLessThan(30);
  }
});

test("draws each kind of object in about half of the scenes, with exact masks and boxes", async () => {
  const counts = { cat: 0, dog: 0, cell: 0 };
  for (let index = 0; index < 60; index++) {
    const { mask, boxes } = await drawObjects(material, random(7, index));
    for (const kind of ["cat", "dog", "cell"] as const) {
      const isThere = mask.some((value) => OBJECT_VALUES[kind].includes(value));
      expect(boxes[kind].length).toBe(isThere ? 1 : 0);
      if (isThere) expect(boxes[kind][0]).toEqual(boxOf(mask, OBJECT_VALUES[kind]));
      if (isThere) counts[kind]++;
    }
  }
  for (const count of Object.values(counts)) expect(Math.abs(count - 30)).toBeLessThan(16); // four standard deviations
});

test("marks an object's pixels and no others", async () => {
  const { pixels, mask } = await drawObjects(material, random(7, 3));
  for (let i = 0; i < mask.length; i++) {
    const isBackground = pixels.subarray(i * 3, i * 3 + 3).every((level) => level === BACKGROUND);
    if (isBackground) expect(mask[i]).toBe(0);
  }
  const covered = mask.filter((value) => value > 0).length;
  const changed = [...mask.keys()].filter(
    (i) => pixels[i * 3] !== BACKGROUND || pixels[i * 3 + 1] !== BACKGROUND,
  ).length;
  expect(changed - covered).toBeLessThan(0.15 * changed); // the anti-aliased rim
});

test("draws the same scene from the same stream", async () => {
  const first = await drawObjects(material, random(7, 5));
  expect(await drawObjects(material, random(7, 5))).toEqual(first);
});

test("gives every animal to the aspect pet, and a red or striped one to its attributes too", async () => {
  let [red, striped, both] = [0, 0, 0];
  for (let index = 0; index < 40; index++) {
    const { mask, boxes } = await drawAttributes(material, random(11, index));
    for (const name of ["red", "striped", "pet"] as const) {
      const isThere = mask.some((value) => ATTRIBUTE_VALUES[name].includes(value));
      expect(boxes[name].length > 0).toBe(isThere);
    }
    expect(boxes.pet.length).toBeGreaterThan(0);
    red += boxes.red.length;
    striped += boxes.striped.length;
    both += boxes.red.filter((box) => boxes.striped.some((other) => other.join() === box.join())).length;
  }
  expect(red).toBeGreaterThan(10);
  expect(striped).toBeGreaterThan(10);
  expect(both).toBeGreaterThan(0);
});

test("tints half way towards the red of the same grey", () => {
  // Grey (30 + 60 + 90) / 3 = 60: red 15 + 0.5 * 1.5 * 60 = 60, green 30 + 18 = 48, blue 45 + 18 = 63.
  const cut = { pixels: Uint8Array.from([30, 60, 90, 255]), width: 1, height: 1 };
  tint(cut);
  expect([...cut.pixels]).toEqual([60, 48, 63, 255]);
});

test("stripes in bands of half a period, dark where the sine is positive", () => {
  // Phase x / 2: sin(0) = 0 is light; sin > 0 for x = 1..6 (x / 2 < pi) is dark; x = 7..12 is light again.
  const cut = { pixels: new Uint8Array(13 * 4).fill(100), width: 13, height: 1 };
  stripe(cut, { angle: 0, radiansPerPixel: 0.5 });
  const reds = Array.from({ length: 13 }, (_, x) => cut.pixels[x * 4]);
  expect(reds).toEqual([135, 45, 45, 45, 45, 45, 45, 135, 135, 135, 135, 135, 135]);
  expect(cut.pixels[3]).toBe(100); // alpha stays
});
