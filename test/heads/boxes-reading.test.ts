import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import type { Box } from "../../src/core/box.js";
import { ndArray } from "../../src/core/nd-array.js";
import { random } from "../../src/core/random.js";
import { encodeBoxes } from "../../src/heads/boxes-encoding.js";
import { boxesMetrics, decodeBoxes, peakCells } from "../../src/heads/boxes-reading.js";
import { peaks } from "../../src/heads/region.js";

beforeAll(() => tf.setBackend("cpu"));

const SIZE = 16;
const SHAPE = [SIZE, SIZE, 5];
const spec = { name: "mitosis", taps: [], kind: "boxes", threshold: 0.3 } as const;

/** Logits of a head that has learned one image's boxes perfectly: heat 4 at centres, -6 elsewhere. */
function learned(boxes: readonly Box[], heat = 4): Float32Array {
  const { centre, geometry } = encodeBoxes([{ boxes }], { size: SIZE });
  const logits = new Float32Array(SIZE * SIZE * 5);
  for (let cell = 0; cell < SIZE * SIZE; cell++) {
    logits[5 * cell] = centre[cell] ? heat : -6;
    logits.set(geometry.subarray(4 * cell, 4 * cell + 4), 5 * cell + 1);
  }
  return logits;
}

describe("encoding", () => {
  test("one box by hand", () => {
    // 16 cells; centre (0.25, 0.5) of the image = (4, 8) in cells, in cell (4, 8), offset 0; sides 0.25 and 0.5
    const { centre, away, near, geometry, labelled } = encodeBoxes([{ boxes: [[0.125, 0.25, 0.375, 0.75]] }], {
      size: SIZE,
    });
    const at = 4 * SIZE + 8;
    expect(labelled[0]).toBe(1);
    expect(centre.reduce((a, b) => a + b)).toBe(1);
    expect(centre[at]).toBe(1);
    expect(away[at]).toBe(0);
    expect([...geometry.subarray(4 * at, 4 * at + 4)]).toEqual([Math.log(0.25), Math.log(0.5), 0, 0].map(Math.fround));
    expect(near.reduce((a, b) => a + b)).toBe(9);
    // one cell down and left the centre lies one cell up, one right
    expect([...geometry.subarray(4 * (at + SIZE - 1) + 2, 4 * (at + SIZE - 1) + 4)]).toEqual([-1, 1]);
    // heat one cell below: deviation (0.54 * 4 + 1) / 6, so exp(-1 / 2 / 0.5267^2) = 0.165; (1 - 0.165)^4 = 0.486
    expect(away[at + SIZE]).toBeCloseTo(0.486, 3);
  });

  test("labelled as empty: heat is wanted nowhere", () => {
    const { centre, away, near, labelled } = encodeBoxes([{ boxes: [] }], { size: 2 });
    expect([...centre, ...near]).toEqual(Array(8).fill(0));
    expect([...away]).toEqual([1, 1, 1, 1]);
    expect([...labelled]).toEqual([1]);
  });

  test("of two boxes nearby each keeps its own centre, and the smaller the cells between", () => {
    const small: Box = [0.25, 0.25, 0.375, 0.375]; // centre cell (5, 5)
    const large: Box = [0.125, 0.125, 0.625, 0.625]; // centre cell (6, 6)
    const { geometry } = encodeBoxes([{ boxes: [small, large] }], { size: SIZE });
    const heightAt = (y: number, x: number) => Math.exp(geometry[4 * (y * SIZE + x)]);
    expect(heightAt(5, 5)).toBeCloseTo(0.125, 6);
    expect(heightAt(6, 6)).toBeCloseTo(0.5, 6);
    expect(heightAt(5, 6)).toBeCloseTo(0.125, 6);
    expect(heightAt(7, 7)).toBeCloseTo(0.5, 6);
  });
});

describe("decoding", () => {
  test("gives back what was encoded, any number of instances", () => {
    const stream = random(4);
    for (const count of [0, 1, 3, 6]) {
      // one box a tile of a 3 x 3 board, so that none overlap
      const boxes = Array.from({ length: count }, (_, i): Box => {
        const [y, x] = [Math.floor(i / 3) / 3, (i % 3) / 3];
        const [top, left] = [y + stream.uniform(0, 0.1), x + stream.uniform(0, 0.1)];
        return [top, left, top + stream.uniform(0.08, 0.2), left + stream.uniform(0.08, 0.2)];
      });
      const found = decodeBoxes(learned(boxes), SHAPE, { threshold: 0.5 });
      expect(found).toHaveLength(count);
      const byPlace = (list: readonly Box[]) => [...list].sort((a, b) => a[0] + 10 * a[1] - b[0] - 10 * b[1]);
      byPlace(found.map((item) => item.box)).forEach((box, i) => {
        box.forEach((side, k) => {
          expect(side).toBeCloseTo(byPlace(boxes)[i][k], 5);
        });
      });
    }
  });

  test("scores are the sigmoid of the heat at the named cell", () => {
    const [only] = decodeBoxes(learned([[0.125, 0.25, 0.375, 0.75]], 0), SHAPE, { threshold: 0.5 });
    expect(only.score).toBe(0.5);
    expect(only.cell).toEqual([4, 8]);
    expect(decodeBoxes(learned([[0.125, 0.25, 0.375, 0.75]], -0.1), SHAPE, { threshold: 0.5 })).toEqual([]);
  });

  test("a peak one cell off still gives the right box", () => {
    const box: Box = [0.25, 0.25, 0.4, 0.45];
    const logits = learned([box]);
    const cell = Math.floor(0.325 * SIZE) * SIZE + Math.floor(0.35 * SIZE);
    logits[5 * (cell + 1)] = 5;
    const [found] = decodeBoxes(logits, SHAPE, { threshold: 0.5 });
    found.box.forEach((side, k) => {
      expect(side).toBeCloseTo(box[k], 5);
    });
  });

  test("the weaker of two boxes on one object goes", () => {
    const logits = learned([[0.25, 0.25, 0.75, 0.75]]);
    const cell = 8 * SIZE + 10; // two cells beside the centre, a second peak with nearly the same box
    logits.set([3, Math.log(0.5), Math.log(0.5), 0, -1.5], 5 * cell);
    expect(peakCells(logits, SHAPE, { threshold: 0.5 })).toHaveLength(2);
    expect(decodeBoxes(logits, SHAPE, { threshold: 0.5 }).map((item) => item.cell)).toEqual([[8, 8]]);
  });

  test("finds the peaks that the graph finds, before suppression", () => {
    const stream = random(9);
    // heat in steps of a quarter, so that neighbours tie and some lie right at the threshold
    const data = Float32Array.from({ length: 3 * 10 * 10 * 5 }, () => Math.round(stream.uniform(-8, 4)) / 4);
    for (const threshold of [0.5, 0.3, 0.1]) {
      const mask = peaks(tf.tensor4d(data, [3, 10, 10, 5]), { threshold });
      expect(mask.shape).toEqual([3, 10, 10, 1]);
      const graph = [...mask.dataSync().entries()].filter(([, value]) => value === 1).map(([index]) => index);
      const plain = [0, 1, 2].flatMap((b) =>
        peakCells(data.subarray(b * 500, (b + 1) * 500), [10, 10, 5], { threshold }).map(
          ([y, x]) => b * 100 + y * 10 + x,
        ),
      );
      expect(plain.length).toBeGreaterThan(10);
      expect(graph).toEqual(plain);
    }
  });
});

describe("matching and AP50", () => {
  const box: Box = [0, 0, 0.4, 0.4];
  const other: Box = [0.5, 0.5, 0.9, 0.9];

  test("AP50 and recall by hand, over images with, without and with unknown boxes", () => {
    const metrics = boxesMetrics(spec);
    const batch = [learned([box, other], 3), learned([other], 2), learned([box], 5), learned([box], 1)];
    const data = Float32Array.from(batch.flatMap((logits) => [...logits]));
    metrics.add(ndArray([4, ...SHAPE], data), [
      { boxes: [box, other] },
      { boxes: [] },
      undefined,
      { boxes: [box, other] },
    ]);
    // ranked: right, right (heat 3), wrong (2), right (1) of 4: recall 1/4, 2/4 at precision 1, 3/4 at 3/4;
    // of COCO's 101 points 0 to 0.50 take 1, 0.51 to 0.75 take 3/4
    // heat -6 elsewhere lies below 0.01, so nothing else is ranked
    expect(metrics.result()).toEqual({
      kind: "boxes",
      ap50: expect.closeTo((51 * 1 + 25 * 0.75) / 101, 12),
      recall: 0.75,
      instanceCount: 4,
      count: 3,
    });
  });

  test("without any labelled image nothing is evaluated", () => {
    const metrics = boxesMetrics(spec);
    metrics.add({ shape: [1, ...SHAPE], data: learned([box]) }, [{ present: true }]);
    expect(metrics.result()).toEqual({ kind: "boxes", ap50: null, recall: null, instanceCount: 0, count: 0 });
  });
});
