import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import { ShapeError, WeightsError } from "../../src/core/errors.js";
import { random } from "../../src/core/random.js";
import { pixelCount } from "../../src/core/size.js";
import { foldBatchNorm } from "../../src/trunk/fold-batch-norm.js";
import { layerOfParameter } from "../../src/trunk/layer-parameters.js";
import type { BatchNorm } from "../../src/trunk/trunk.js";
import { loopTrunk, toNumbers } from "../reference/trunk.js";
import { NARROW, NARROW_SIZE, noiseImage, toTensor, toTensors, unevenWeights, worstDifference } from "./narrow.js";

beforeAll(async () => {
  await tf.setBackend("cpu");
});

/** Float32 sums of some hundred products through up to 50 layers. */
const FLOAT32 = 1e-4;

for (const { name, architecture, trunk, middle } of NARROW)
  describe(name, () => {
    const weights = unevenWeights(trunk, { seed: 3 });
    const parameters = toTensors(weights);
    const folded = toTensors(foldBatchNorm(trunk, weights));
    const image = noiseImage(NARROW_SIZE, { batch: 2 });
    const input = toTensor(image);
    const everyTap = trunk.taps.slice(1).map((tap) => tap.name);

    test("gives at every tap what plain loops give, in the promised shape", () => {
      const expected = loopTrunk(architecture, toNumbers(weights), image);
      const features = trunk.run(parameters, { input }, everyTap);
      for (const tap of trunk.taps.slice(1)) {
        expect(features[tap.name].shape).toEqual([2, tap.size, tap.size, tap.channels]);
        const difference = worstDifference(features[tap.name].dataSync(), expected.get(tap.name)?.data ?? []);
        expect(difference, tap.name).toBeLessThan(FLOAT32);
      }
    });

    test("folded equals moving batch norm", () => {
      const [moving, constant] = [parameters, folded].map((given) => trunk.run(given, { input }, [trunk.output]));
      const difference = worstDifference(constant[trunk.output].dataSync(), moving[trunk.output].dataSync());
      expect(difference).toBeLessThan(FLOAT32);
    });

    test("a run from a middle tap equals the whole run, and needs no parameters before it", () => {
      const whole = trunk.run(folded, { input }, [middle, trunk.output]);
      const behind = new Set(trunk.layersFrom(middle).slice(1));
      const needed = Object.entries(folded).filter(([key]) => behind.has(layerOfParameter(key)));
      const rest = trunk.run(Object.fromEntries(needed), { [middle]: whole[middle] }, [trunk.output]);
      expect(rest[trunk.output].dataSync()).toEqual(whole[trunk.output].dataSync());
    });

    test("leaves behind only what was wanted, and the caller's own values", () => {
      const before = tf.memory().numTensors;
      const outputs = trunk.run(parameters, { input }, ["input", middle]);
      expect(tf.memory().numTensors - before).toBe(2);
      tf.dispose(outputs);
      expect(input.isDisposed).toBe(false);
    });

    test("the gradient at the pixels and at parameters is that of finite differences", () => {
      const numbers = toNumbers(weights);
      const until = architecture.layers.findIndex((layer) => layer.name === middle);
      const front = { ...architecture, layers: architecture.layers.slice(0, until + 1) };
      const stream = random(5, "probe");
      const size = trunk.taps.find((tap) => tap.name === middle);
      if (!size) throw new Error(middle);
      const probe = Float32Array.from({ length: 2 * pixelCount(size.size) * size.channels }, () => stream.normal());
      for (const mode of architecture.hasBatchNorm ? (["moving", "batch"] as const) : (["moving"] as const)) {
        const loss = (at: typeof numbers, pixels = image.data) => {
          const out = loopTrunk(front, at, { ...image, data: pixels }, { mode }).get(middle)?.data ?? [];
          return probe.reduce((sum, p, i) => sum + p * out[i], 0);
        };
        const names = trunk.parameters
          .filter(
            (spec) => spec.isTrainable && !trunk.layersFrom(middle).slice(1).includes(layerOfParameter(spec.name)),
          )
          .map((spec) => spec.name);
        const batchNorm: BatchNorm =
          mode === "batch" ? { mode, momentum: 0.9, update: (_, value) => value.dispose() } : { mode };
        const [pixelGradient, ...gradients] = tf.grads((...given: tf.Tensor[]) => {
          const all = { ...parameters, ...Object.fromEntries(names.map((key, i) => [key, given[i + 1]])) };
          const out = trunk.run(all, { input: given[0] as tf.Tensor4D }, [middle], { batchNorm })[middle];
          return tf.sum(tf.mul(out, tf.tensor(probe, out.shape)));
        })([input, ...names.map((key) => parameters[key])]);
        const check = (what: string, gradient: tf.Tensor, nudged: (index: number, step: number) => number) => {
          const values = gradient.dataSync();
          const index = stream.integer(values.length);
          // Central differences in float64, with steps so small that no activation crosses its kink.
          const step = 1e-7;
          const expected = (nudged(index, step) - nudged(index, -step)) / (2 * step);
          const scale = Math.max(...values.map(Math.abs));
          expect(Math.abs(values[index] - expected), `${mode} ${what}[${index}]`).toBeLessThan(1e-3 * scale);
        };
        const shifted = (array: Float64Array, index: number, step: number) => {
          const copy = array.slice();
          copy[index] += step;
          return copy;
        };
        check("pixels", pixelGradient, (index, step) => loss(numbers, shifted(image.data, index, step * 100)) / 100);
        for (let i = 0; i < 4; i++) {
          const at = stream.integer(names.length);
          const key = names[at];
          check(key, gradients[at], (index, step) => loss({ ...numbers, [key]: shifted(numbers[key], index, step) }));
        }
      }
    });

    test("names a layer, a value or a parameter that does not fit", () => {
      const run = (values: Record<string, tf.Tensor4D>, want: string[]) => () => trunk.run(parameters, values, want);
      expect(run({ input }, ["nowhere"])).toThrow(ShapeError);
      expect(run({ input }, ["nowhere"])).toThrow(/no layer "nowhere"/);
      expect(run({ nowhere: input }, [middle])).toThrow(/no layer "nowhere"/);
      expect(run({}, [middle])).toThrow(/cannot be computed from nothing/);
      expect(run({ input: tf.zeros([2, 36, 36, 3]) }, [middle])).toThrow(
        /expected input \[batch, 37, 37, 3\], got \[2, 36, 36, 3\]/,
      );
      const [first] = trunk.layersFrom("input");
      const rest = Object.fromEntries(Object.entries(parameters).filter(([key]) => key !== `trunk/${first}/kernel`));
      expect(() => trunk.run(rest, { input }, [middle])).toThrow(WeightsError);
      expect(() => trunk.run(rest, { input }, [middle])).toThrow(`trunk/${first}/kernel is absent`);
    });
  });
