import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Sample } from "../../src/core/annotation.js";
import { ndArray } from "../../src/core/nd-array.js";
import type { Engine } from "../../src/engine/engine.js";
import { createOnnxEngine } from "../../src/engine/onnx-engine.js";
import { inpaintingEffects } from "../../src/faithfulness/aspect-inpainting.js";
import { deletionCurves } from "../../src/faithfulness/deletion-curves.js";
import { targetOf } from "../../src/faithfulness/predict-variants.js";
import { createModel } from "../../src/model/model.js";
import { SOURCE, tinyParameters } from "../explain/tiny-model.js";

const SIZE = 32;
const model = createModel({
  trunk: { name: "mobilenet-v1", alpha: 0.25, inputSize: SIZE },
  source: SOURCE,
  heads: [{ kind: "classifier", name: "class", taps: ["conv_pw_13"], task: "single", classes: ["a", "b", "c"] }],
});
const parameters = tinyParameters(model, { seed: 3 });

/** Noise on grey: every pixel means something to such a trunk. */
function picture(seed: number): Uint8Array {
  return Uint8Array.from({ length: 3 * SIZE * SIZE }, (_, index) => 90 + ((index * 7919 + seed * 104729) % 97));
}

function sample(image: Uint8Array, aspects: Sample["aspects"] = {}): Sample {
  return { path: `${image[0]}.png`, image, target: {}, aspects };
}

async function* stream<Item>(...batches: Item[][]): AsyncGenerator<Item[]> {
  yield* batches;
}

let engine: Engine;
beforeAll(async () => {
  engine = await createOnnxEngine({ threads: 1 });
});
afterAll(() => engine.dispose());

test("the target is the log-odds of the class, or its own score", () => {
  const logits = ndArray([1, 3], Float32Array.of(1, 2, 4));
  const odds = 4 - Math.log(Math.exp(1) + Math.exp(2));
  expect(targetOf(logits, { chosen: 2, task: "single" })).toBeCloseTo(odds, 6);
  expect(targetOf(logits, { chosen: 1, task: "multi" })).toBe(2);
});

describe("removal", () => {
  const left = Uint8Array.from({ length: SIZE * SIZE }, (_, at) => (at % SIZE < 8 ? 1 : 0));
  const painted = async (aspects: Sample["aspects"], image = picture(1)) => {
    const found = inpaintingEffects(model, {
      engine,
      constants: parameters,
      samples: stream([sample(image, aspects)]),
    });
    for await (const { effects } of found) return effects;
    throw new Error("nothing came");
  };

  test("tells what each aspect with a place is worth, boxes as the mask that they fill", async () => {
    const effects = await painted({
      mask: { mask: left },
      box: { boxes: [[0, 0, 1, 0.25]] },
      absent: { mask: null },
      presence: { present: true },
      everywhere: { mask: new Uint8Array(SIZE * SIZE).fill(1) },
    });
    expect(Object.keys(effects)).toEqual(["mask", "box"]);
    expect(Math.abs(effects.mask.lost)).toBeGreaterThan(1e-4);
    expect(effects.box).toEqual(effects.mask);
  });

  test("finds nothing lost where painting over changes nothing", async () => {
    const effects = await painted({ mask: { mask: left } }, new Uint8Array(3 * SIZE * SIZE).fill(120));
    expect(effects.mask).toEqual({ lost: 0, isFlipped: false });
  });
});

describe("deletion and insertion", () => {
  const grid = (values: number[]) => ({ height: 2, width: 2, values: Float32Array.from(values), offset: 0 });

  test("are the other's mirror where the order is turned round", async () => {
    // What goes first by one map comes last by the other: the images of one curve are those of the other.
    const [image, blurred] = [picture(1), new Uint8Array(3 * SIZE * SIZE).fill(130)];
    const maps = [grid([4, 3, 2, 1]), grid([1, 2, 3, 4]), grid([4, 3, 2, 1])];
    const followed = stream([{ sample: sample(image), maps, blurred }]);
    const found = [];
    for await (const curves of deletionCurves(model, { engine, constants: parameters, followed }))
      found.push(...curves);
    expect(found).toHaveLength(3);
    expect(found[0].deletion).toBeCloseTo(found[1].insertion, 6);
    expect(found[0].insertion).toBeCloseTo(found[1].deletion, 6);
    expect(found[2].deletion).toBeCloseTo(found[0].deletion, 6);
    expect(Math.abs(found[0].deletion - found[1].deletion)).toBeGreaterThan(1e-6);
  });

  test("are the score itself where nothing can be taken", async () => {
    const image = picture(2);
    const followed = stream([{ sample: sample(image), maps: [grid([1, 0, 0, 0])], blurred: image }]);
    for await (const [curves] of deletionCurves(model, { engine, constants: parameters, followed })) {
      expect(curves.deletion).toBeCloseTo(curves.insertion, 6);
      expect(curves.deletion).toBeGreaterThan(1 / 3); // the highest of three classes
    }
  });
});
