import { expect, test } from "vitest";
import { createModel } from "../../src/model/model.js";
import { priorBiases } from "../../src/train/prior-bias.js";

test("each head begins at what is usual in the data, by hand", () => {
  const taps = ["conv_pw_11"];
  const model = createModel({
    trunk: { name: "mobilenet-v1", alpha: 0.25, inputSize: 64 },
    source: "conv_pw_11",
    heads: [
      { name: "class", kind: "classifier", taps: ["conv_pw_13"], task: "single", classes: ["a", "b"] },
      { name: "crack", kind: "segmentation", taps, threshold: 0.5 },
      { name: "knob", kind: "boxes", taps, threshold: 0.3 },
      { name: "dust", kind: "presence", taps, threshold: 0.5 },
      { name: "nothing", kind: "presence", taps, threshold: 0.5 },
    ],
  });
  const side = { least: 0.1, median: 0.4, largest: 0.5 };
  const biases = priorBiases(model, {
    fingerprint: {
      count: 100,
      imageSide: { least: 64, median: 64, largest: 64 },
      orientation: { images: 0, upDown: 0, rowsColumns: 0 },
      heads: {
        class: { kind: "classifier", labelled: 100, positive: 20 },
        crack: { kind: "segmentation", labelled: 50, positive: 10, area: 0.05, side },
        knob: { kind: "boxes", labelled: 50, positive: 10, side },
        dust: { kind: "presence", labelled: 40, positive: 10 },
        nothing: { kind: "presence", labelled: 0, positive: 0 },
      },
    },
    classes: { a: 80, b: 20 },
  });
  const logit = (p: number) => Math.log(p / (1 - p));
  const of = (name: string) => [...biases[`head/${name}/output/bias`].data];
  expect([...biases["head/class/bias"].data].map((x) => x.toFixed(4))).toEqual(["-0.2231", "-1.6094"]);
  // 5 % of the pixels in one image of five; the network itself begins at 0.12.
  expect(of("crack").every((value) => Math.abs(value - (logit(0.01) - logit(0.12))) < 1e-5)).toBe(true);
  expect(of("knob").slice(0, 5)).toEqual([logit(0.01) - logit(0.1), Math.log(2), Math.log(2), 0, 0].map(Math.fround));
  expect(of("knob").slice(5, 10)).toEqual(of("knob").slice(0, 5));
  expect(of("dust")).toEqual([Math.fround(logit(0.25))]);
  expect(biases["head/nothing/output/bias"]).toBeUndefined();
});
