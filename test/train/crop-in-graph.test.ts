import * as tf from "@tensorflow/tfjs";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Sample } from "../../src/core/annotation.js";
import type { View } from "../../src/core/augmented-view.js";
import { random } from "../../src/core/random.js";
import { jitterColours } from "../../src/dataset/augment.js";
import { openImage } from "../../src/dataset/open-image.js";
import type { Engine } from "../../src/engine/engine.js";
import { selectEngine } from "../../src/engine/select-engine.js";
import { cropImages, cropInputShapes, cropInputs } from "../../src/train/crop-in-graph.js";

let engine: Engine;
beforeAll(async () => {
  engine = await selectEngine();
});
afterAll(() => engine.dispose());

const [WIDTH, HEIGHT] = [30, 22];
const stream = random(5, "views");
/** Smooth, and strong enough that light reaches both ends of the range. */
const pixels = Uint8Array.from({ length: WIDTH * HEIGHT * 3 }, (_, i) => {
  const [x, y] = [Math.floor(i / 3) % WIDTH, Math.floor(i / 3 / WIDTH)];
  return 128 + 120 * Math.sin(0.5 * x + 0.3 * y + 2 * (i % 3));
});

const crop = { left: 3, top: 2, width: 20, height: 17 };
const whole = { left: 0, top: 0, width: WIDTH, height: HEIGHT };
const jitter = () => ({
  brightness: stream.uniform(0.7, 1.3),
  contrast: stream.uniform(0.7, 1.3),
  saturation: stream.uniform(0.5, 1.5),
});
const views: Record<string, View> = {
  whole: { crop: whole, flip: false },
  mirrored: { crop: whole, flip: true },
  cut: { crop, flip: false },
  "cropped, mirrored and jittered": { crop, flip: true, jitter: jitter() },
  "upside down": { crop, flip: false, isUpsideDown: true },
  transposed: { crop, flip: false, isTransposed: true },
  "mirrored, upside down and transposed": { crop, flip: true, isUpsideDown: true, isTransposed: true },
  jittered: { crop: whole, flip: false, jitter: jitter() },
  "in a margin": { crop: { left: -3, top: -2, width: 36, height: 24 }, flip: false },
};

async function cutByLibrary({ crop, flip, isUpsideDown, isTransposed }: View, size: number): Promise<Uint8Array> {
  const png = await sharp(pixels, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
    .png()
    .toBuffer();
  return (await openImage(png)).render({ size, crop, flip, isUpsideDown, isTransposed });
}

/** Catmull-Rom at each output pixel's centre, by plain loops. The library's enlarging lies half an output pixel off. */
async function cutByLoops({ crop, flip, isUpsideDown, isTransposed }: View, size: number): Promise<Uint8Array> {
  const share = (d: number) => {
    const x = Math.abs(d);
    return x < 1 ? 1.5 * x ** 3 - 2.5 * x ** 2 + 1 : x < 2 ? -0.5 * x ** 3 + 2.5 * x ** 2 - 4 * x + 2 : 0;
  };
  const inside = (at: number, length: number) => Math.min(length - 1, Math.max(0, at));
  const out = new Uint8Array(size * size * 3);
  for (let place = 0; place < size * size; place++) {
    const seen = [Math.floor(place / size), place % size];
    const [down, across] = isTransposed ? [seen[1], seen[0]] : seen;
    const row = isUpsideDown ? size - 1 - down : down;
    const column = flip ? size - 1 - across : across;
    const y = ((row + 0.5) * crop.height) / size - 0.5;
    const x = ((column + 0.5) * crop.width) / size - 0.5;
    for (let k = 0; k < 3; k++) {
      let sum = 0;
      for (let j = Math.floor(y) - 1; j <= Math.floor(y) + 2; j++) {
        for (let i = Math.floor(x) - 1; i <= Math.floor(x) + 2; i++) {
          const row = inside(crop.top + inside(j, crop.height), HEIGHT);
          const column = inside(crop.left + inside(i, crop.width), WIDTH);
          const at = row * WIDTH + column;
          sum += share(y - j) * share(x - i) * pixels[3 * at + k];
        }
      }
      out[3 * place + k] = Math.round(Math.min(255, Math.max(0, sum)));
    }
  }
  return out;
}

/** Whether a value lies in a pixel that is not at the edge. */
function isInMiddle(index: number, size: number): boolean {
  const pixel = Math.floor(index / 3);
  return [Math.floor(pixel / size), pixel % size].every((at) => at > 0 && at < size - 1);
}

function sample(view: View): Sample {
  const picture = { pixels, width: WIDTH, height: HEIGHT, view };
  return { path: "p.png", image: new Uint8Array(), picture, target: {}, aspects: {} };
}

describe.each([
  ["enlarged", 48, "plain loops", cutByLoops],
  ["reduced", 12, "the image library", cutByLibrary],
] as const)("%s to %i px", (_, size, by, cut) => {
  test(`the graph cuts, resizes and lights as ${by} does`, async () => {
    const shape = { batchSize: Object.keys(views).length, side: 32, size };
    const compiled = await engine.compile(({ inputs }) => ({ outputs: { image: cropImages(inputs) } }), {
      inputs: cropInputShapes(shape),
    });
    const { image } = await compiled.run(cropInputs(Object.values(views).map(sample), shape));
    await compiled.dispose();
    for (const [index, [name, view]] of Object.entries(views).entries()) {
      const wanted = await cut(view, size);
      if (view.jitter) jitterColours(wanted, view.jitter);
      const found = image.data.subarray(index * wanted.length, (index + 1) * wanted.length);
      // The library repeats the edge after resizing, the graph before.
      const isInside = (i: number) => cut !== cutByLibrary || name !== "in a margin" || isInMiddle(i, size);
      const worst = wanted.reduce(
        (most, value, i) => (isInside(i) ? Math.max(most, Math.abs(value - found[i])) : most),
        0,
      );
      expect(worst, name).toBeLessThan(4); // what is compared with was rounded before and after its light
    }
  });
});

test("says so where a sample was cut already", () => {
  const cut = { ...sample(views.whole), picture: undefined };
  expect(() => cropInputs([cut], { batchSize: 1, side: 32, size: 8 })).toThrow(/p\.png: was cut already/);
});

test("leaves no tensor behind", () => {
  const shape = { batchSize: 1, side: 32, size: 8 };
  const given = Object.entries(cropInputs([sample(views.jittered)], shape)).map(
    ([name, { shape, data }]) => [name, tf.tensor(data, [...shape])] as const,
  );
  const before = tf.memory().numTensors;
  cropImages(Object.fromEntries(given)).dispose();
  expect(tf.memory().numTensors).toBe(before);
});
