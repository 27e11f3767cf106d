import { describe, expect, test } from "vitest";
import type { DataFingerprint } from "../../src/dataset/fingerprint.js";
import { checkConfig, resolveConfig } from "../../src/train/config.js";
import { suitedInputSize, suitedTaps, suitedTurn } from "../../src/train/suit.js";
import { createTrunk } from "../../src/trunk/create-trunk.js";

const spread = (least: number, median = least, largest = median) => ({ least, median, largest });

/** One segmentation aspect, whose small things have this length as a share of the image. */
const data = (imageSide: number, share?: number): DataFingerprint => ({
  count: 100,
  imageSide: spread(imageSide),
  orientation: { images: 64, upDown: 9, rowsColumns: 0 },
  heads: {
    class: { kind: "classifier", labelled: 100, positive: 50 },
    crack: {
      kind: "segmentation",
      labelled: 100,
      positive: 10,
      ...(share === undefined ? {} : { side: spread(share) }),
    },
  },
});

describe("the input's side", () => {
  const side = (imageSide: number, share?: number, least = 96) =>
    suitedInputSize(data(imageSide, share), { least }).value;

  test("is the images' own up to 256, in steps of 32, and not below what the weights were trained at", () => {
    expect(side(120)).toBe(128);
    expect(side(256)).toBe(256);
    expect(side(4000)).toBe(256);
    expect(side(64)).toBe(96);
    expect(side(120, undefined, 224)).toBe(224);
  });

  test("grows until small things are 16 pixels long, as far as the images go, to 640 at most", () => {
    expect(side(640, 20 / 640)).toBe(512); // 16 / (20 / 640)
    expect(side(640, 5 / 640)).toBe(640);
    expect(side(300, 5 / 300)).toBe(320);
    expect(side(4000, 20 / 4000)).toBe(640);
    expect(side(640, 0.5)).toBe(256);
  });

  test("says why", () => {
    expect(suitedInputSize(data(640, 20 / 640), { least: 96 }).reason).toBe(
      "images are 640 px on the longer side; at 512 px a small crack is 16 px long",
    );
  });
});

describe("the layers of a head", () => {
  const trunk = (inputSize: number) => createTrunk({ name: "mobilenet-v1", alpha: 0.25, inputSize });
  const taps = (inputSize: number, share?: number) => suitedTaps(data(640, share).heads.crack, trunk(inputSize))?.value;

  test("are those of strides 8 and 16, and of 4 too for things shorter than 12 pixels", () => {
    expect(taps(256)).toEqual(["conv_pw_5", "conv_pw_11"]);
    expect(taps(256, 12 / 256)).toEqual(["conv_pw_5", "conv_pw_11"]);
    expect(taps(256, 11 / 256)).toEqual(["conv_pw_3", "conv_pw_5", "conv_pw_11"]);
  });

  test("are the last too for things of more than 64 pixels", () => {
    expect(taps(256, 64 / 256)).toEqual(["conv_pw_5", "conv_pw_11"]);
    expect(taps(256, 65 / 256)).toEqual(["conv_pw_5", "conv_pw_11", "conv_pw_13"]);
  });

  test("never lack an activation", () => {
    const v2 = createTrunk({ name: "mobilenet-v2", alpha: 0.35, inputSize: 224 });
    const { value = [] } = suitedTaps(data(640, 0.01).heads.crack, v2) ?? {};
    expect(value).toHaveLength(3);
    for (const name of value) expect(v2.taps.find((tap) => tap.name === name)?.isLinear).toBe(false);
  });

  test("are given in the configuration, with reasons, unless the user names a layer or a source", () => {
    const reasons: Record<string, string> = {};
    const resolve = (more: object) =>
      resolveConfig(checkConfig({ dataset: "d", out: "o", ...more }), {
        trainCount: 100,
        aspects: [{ name: "crack", kind: "segmentation" }],
        weights: { name: "mobilenet-v1", alpha: 0.25, inputSize: 96 },
        trunkOf: createTrunk,
        fingerprint: data(640, 20 / 640),
        onChoice: (key, reason) => Object.assign(reasons, { [key]: reason }),
      });
    expect(resolve({}).heads.crack.tap).toEqual(["conv_pw_5", "conv_pw_11"]);
    expect(reasons).toEqual({
      "trunk.inputSize": "images are 640 px on the longer side; at 512 px a small crack is 16 px long",
      "heads.crack.tap": "strides 8 to 16 for things from 16 px on",
      "augment.turn": "images have an up and a down",
      "stages.0.epochs": "6000 images in all",
      "stages.1.epochs": "10000 images in all",
    });
    expect(resolve({ heads: { crack: { tap: "conv_pw_6" } } }).heads.crack.tap).toBe("conv_pw_6");
    expect(resolve({ source: "conv_pw_9" }).heads.crack.tap).toBeUndefined();
    expect(resolve({ trunk: { inputSize: 128 } }).trunk.inputSize).toBe(128);
  });
});

test("images are turned where nothing tells up from down, in at least 32 of them", () => {
  const turn = (images: number, upDown: number, rowsColumns: number) =>
    suitedTurn({ ...data(256), orientation: { images, upDown, rowsColumns } }).value;
  expect(turn(64, 1, 1)).toBe("quarter");
  expect(turn(64, 1, 4)).toBe("quarter");
  expect(turn(64, 1, 6)).toBe("half");
  expect(turn(64, 5, 1)).toBe("none");
  expect(turn(20, 1, 1)).toBe("none");
});

test("features that would fill the disk are not cached", () => {
  const stages = (trainCount: number) =>
    resolveConfig(checkConfig({ dataset: "d", out: "o" }), {
      trainCount,
      aspects: [{ name: "crack", kind: "segmentation" }],
      weights: { name: "mobilenet-v1", alpha: 0.25, inputSize: 96 },
      trunkOf: createTrunk,
      fingerprint: data(256),
    }).stages.map(({ cache }) => cache);
  // 32 x 32 x 64 + 16 x 16 x 128 numbers an image, plain and flipped.
  expect(stages(1000)).toEqual([true, false]);
  expect(stages(100_000)).toEqual([false, false]);
});
