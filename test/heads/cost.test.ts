import * as tf from "@tensorflow/tfjs";
import { beforeAll, expect, test } from "vitest";
import { initialize } from "../../src/core/parameters.js";
import { createHead } from "../../src/heads/create-head.js";

beforeAll(() => tf.setBackend("cpu"));

/** MobileNetV1 1.0 at 224 px, million multiply-adds (Howard et al. 2017, arXiv:1704.04861, table 8). */
const MOBILENET = 569e6;

/** Products of every kernel that ran: a filter's size for each output element, one for each element multiplied, four for one interpolated. */
async function multiplyAdds(run: () => tf.Tensor): Promise<number> {
  const { kernels } = await tf.profile(run);
  const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
  return kernels.reduce((sum, { name, inputShapes, outputShapes }) => {
    const output = size(outputShapes[0]);
    const [first, second] = inputShapes as number[][];
    if (name === "Conv2D") return sum + output * size(second.slice(0, 3));
    if (name === "DepthwiseConv2dNative") return sum + output * size(second.slice(0, 2));
    if (name === "BatchMatMul") return sum + output * (first.at(-1) ?? 1);
    if (name === "ResizeBilinear") return sum + 4 * output;
    if (name === "Multiply" || name === "RealDiv") return sum + output;
    return sum;
  }, 0);
}

test("both passes of the default segmentation head at stride 16 cost at most 5 % of MobileNetV1 1.0", async () => {
  const head = createHead(
    { name: "nucleus", taps: ["conv_pw_11"], kind: "segmentation", threshold: 0.5 },
    { inputSize: 224, taps: [{ name: "conv_pw_11", stride: 16, channels: 512, size: 14 }] },
  );
  const parameters = Object.fromEntries(
    Object.entries(initialize(head.parameters, { seed: 1 })).map(([name, { shape, data }]) => [
      name,
      tf.tensor(data, [...shape]),
    ]),
  );
  const cost = await multiplyAdds(() => head.forward(parameters, [tf.ones([1, 14, 14, 512])]));
  // 14 x 14 x (512 x 64 + 9 x 64 + 64 x 64 + 64 x 64) in the network alone
  expect(cost).toBeGreaterThan(196 * (512 * 64 + 9 * 64 + 2 * 64 * 64));
  expect((2 * cost) / MOBILENET).toBeLessThan(0.05);
});
