import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Sample } from "../../src/core/annotation.js";
import { permutation, random } from "../../src/core/random.js";
import { type BatchOptions, batchCount, batches } from "../../src/dataset/batches.js";
import { openDataset } from "../../src/dataset/dataset.js";
import { mapAhead } from "../../src/dataset/map-ahead.js";
import { fromRaw, rgb, temporaryFolder, writeDataset } from "./given.js";

const folder = await temporaryFolder();
const COUNT = 10;

async function openGiven(name: string) {
  const files: Record<string, Uint8Array> = {};
  for (let i = 0; i < COUNT; i++)
    files[`${i}.png`] = await fromRaw(
      rgb(12, 12, (x, y) => [i * 20, x * 20, y * 20]),
      12,
      12,
    )
      .png()
      .toBuffer();
  const lines = Object.keys(files).map((image) => ({ image, split: "train", label: "a" }));
  return openDataset(await writeDataset(join(folder, name), { lines, files }));
}

const dataset = await openGiven("set");
const common = { split: "train", batchSize: 4, inputSize: 8, seed: 5, shuffle: true } as const;

async function collect(options: BatchOptions, from = dataset): Promise<Sample[][]> {
  const all: Sample[][] = [];
  for await (const batch of batches(from, options)) all.push(batch);
  return all;
}

const pathsOf = (all: readonly Sample[][]) => all.map((batch) => batch.map((sample) => sample.path));
const orderOf = (epoch: number) => [...permutation(COUNT, random(5, "order", epoch))].map((index) => `${index}.png`);

describe("batches", () => {
  test("come in the order of the file unless shuffled; the last is short", async () => {
    expect(batchCount(dataset, common)).toBe(3);
    expect(pathsOf(await collect({ ...common, shuffle: false }))).toEqual([
      ["0.png", "1.png", "2.png", "3.png"],
      ["4.png", "5.png", "6.png", "7.png"],
      ["8.png", "9.png"],
    ]);
  });

  test("with wrap, fill the last from the start of the next epoch's order", async () => {
    const [first, second, last] = pathsOf(await collect({ ...common, epoch: 3, fill: "wrap" }));
    expect([...first, ...second, ...last]).toEqual([...orderOf(3), ...orderOf(4).slice(0, 2)]);
    expect(pathsOf(await collect({ ...common, epoch: 4, fill: "wrap" }))[0]).toEqual(orderOf(4).slice(0, 4));
  });

  test("vary each sample anew every epoch; what is borrowed from the next looks as it does there", async () => {
    const options = { ...common, fill: "wrap", augment: { flip: true, crop: 0.4, colour: 0.4 } } as const;
    const [now, next] = [await collect(options), await collect({ ...options, epoch: 1 })];
    expect(now[2].slice(2)).toEqual(next[0].slice(0, 2));
    const sixth = (all: readonly Sample[][]) =>
      all
        .flat()
        .slice(0, COUNT)
        .find((sample) => sample.path === "6.png")?.image;
    expect(sixth(now)).not.toEqual(sixth(next));
  });

  test("with wrap, fill a batch larger than the split from as many epochs as it takes", async () => {
    const [only] = pathsOf(await collect({ ...common, batchSize: 23, fill: "wrap" }));
    expect(only).toEqual([...orderOf(0), ...orderOf(1), ...orderOf(2).slice(0, 3)]);
  });

  test("are shuffled anew each epoch and the same for the same seed, however they are prepared", async () => {
    const augment = { flip: true, crop: 0.3, colour: 0.3 };
    const one = await collect({ ...common, augment, ahead: 0, concurrency: 1 });
    expect(await collect({ ...common, augment, ahead: 5, concurrency: 4 })).toEqual(one);
    expect(pathsOf(await collect({ ...common, augment, epoch: 1 }))).not.toEqual(pathsOf(one));
    const other = await collect({ ...common, augment, seed: 6 });
    const imageOf = (all: readonly Sample[][]) => all.flat().find((sample) => sample.path === "9.png")?.image;
    expect(imageOf(other)).not.toEqual(imageOf(one));
  });

  test("resumed at a batch go on exactly as the stream that was not interrupted", async () => {
    const options = { ...common, epoch: 2, fill: "wrap", augment: { flip: true, crop: 0.3, colour: 0.3 } } as const;
    const whole = await collect(options);
    expect(await collect({ ...options, start: 1 })).toEqual(whole.slice(1));
    expect(await collect({ ...options, start: 3 })).toEqual([]);
  });

  test("mirrored throughout, are the plain images read from right to left", async () => {
    const [plain] = await collect({ ...common, shuffle: false });
    const [mirrored] = await collect({ ...common, shuffle: false, flip: true });
    const row = (image: Uint8Array) => Array.from({ length: 8 }, (_, x) => image[x * 3 + 1]);
    expect(row(mirrored[0].image)).toEqual(row(plain[0].image).reverse());
  });

  test("give a broken image's error at its place, by line, after the batches before it", async () => {
    const broken = await openGiven("broken");
    await writeFile(join(broken.directory, "6.png"), "");
    const seen: string[][] = [];
    const work = async () => {
      for await (const batch of batches(broken, { ...common, shuffle: false }))
        seen.push(batch.map((sample) => sample.path));
    };
    await expect(work()).rejects.toThrow(/samples\.jsonl:7: .*6\.png: is empty/);
    expect(seen).toEqual([["0.png", "1.png", "2.png", "3.png"]]);
  });

  test("of an empty split are none", async () => {
    expect(await collect({ ...common, split: "test", fill: "wrap" })).toEqual([]);
  });
});

describe("mapAhead", () => {
  const pause = () => new Promise((resolve) => setTimeout(resolve, 1));

  test("works on while the consumer is busy, but never further ahead than allowed", async () => {
    let started = 0;
    const work = async (item: number) => {
      started++;
      await pause();
      return item;
    };
    const stream = mapAhead(
      Array.from({ length: 20 }, (_, i) => i),
      work,
      { ahead: 5, concurrency: 2 },
    );
    expect((await stream.next()).value).toBe(0);
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(started).toBe(6); // one taken, five ready
    await stream.return(undefined);
  });

  test("runs no more at once than allowed", async () => {
    let running = 0;
    let most = 0;
    const work = async () => {
      most = Math.max(most, ++running);
      await pause();
      running--;
    };
    for await (const _ of mapAhead(Array.from({ length: 12 }), work, { ahead: 8, concurrency: 3 }));
    expect(most).toBe(3);
  });

  test("left early, starts nothing more and has nothing running", async () => {
    let started = 0;
    let finished = 0;
    const work = async (item: number) => {
      started++;
      await pause();
      finished++;
      return item;
    };
    for await (const item of mapAhead(
      Array.from({ length: 50 }, (_, i) => i),
      work,
      { ahead: 4, concurrency: 2 },
    ))
      if (item === 3) break;
    const atReturn = started;
    expect(finished).toBe(started);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(started).toBe(atReturn);
    expect(started).toBeLessThan(12);
  });
});
