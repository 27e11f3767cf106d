import { expect, test } from "vitest";
import { ConfigError } from "../../src/core/errors.js";
import { sizeOf } from "../../src/core/nd-array.js";
import { createTrunk } from "../../src/trunk/create-trunk.js";
import type { TrunkSpec } from "../../src/trunk/trunk-spec.js";

/** Worked by hand from the papers' tables: [name, stride, channels, size]. */
const TAPS: readonly [TrunkSpec, readonly [string, number, number, number][]][] = [
  [
    { name: "mobilenet-v1", alpha: 1, inputSize: 224 },
    [
      ["input", 1, 3, 224],
      ["conv1", 2, 32, 112],
      ["conv_dw_1", 2, 32, 112],
      ["conv_pw_1", 2, 64, 112],
      ["conv_dw_2", 4, 64, 56],
      ["conv_pw_3", 4, 128, 56],
      ["conv_pw_5", 8, 256, 28],
      ["conv_pw_11", 16, 512, 14],
      ["conv_dw_12", 32, 512, 7],
      ["conv_pw_13", 32, 1024, 7],
    ],
  ],
  [
    // 100, 50, 25, 13, 7, 4: halves rounded up.
    { name: "mobilenet-v1", alpha: 0.25, inputSize: 100 },
    [
      ["conv1", 2, 8, 50],
      ["conv_pw_2", 4, 32, 25],
      ["conv_pw_4", 8, 64, 13],
      ["conv_pw_11", 16, 128, 7],
      ["conv_pw_13", 32, 256, 4],
    ],
  ],
  [
    // 32 * 0.35 = 11.2 rounds to 8, more than a tenth down, so 16. 24 * 0.35 = 8.4 to 8, and so on.
    { name: "mobilenet-v2", alpha: 0.35, inputSize: 224 },
    [
      ["Conv1", 2, 16, 112],
      ["expanded_conv_depthwise", 2, 16, 112],
      ["expanded_conv_project", 2, 8, 112],
      ["block_1_expand", 2, 48, 112],
      ["block_1_depthwise", 4, 48, 56],
      ["block_2_add", 4, 8, 56],
      ["block_5_add", 8, 16, 28],
      ["block_13_expand", 16, 192, 14],
      ["block_13_project", 32, 56, 7],
      ["block_16_project", 32, 112, 7],
      ["Conv_1", 32, 1280, 7],
    ],
  ],
  [
    // 32 * 1.4 = 44.8 rounds to 48; 1280 * 1.4 = 1792.
    { name: "mobilenet-v2", alpha: 1.4, inputSize: 96 },
    [
      ["Conv1", 2, 48, 48],
      ["block_2_add", 4, 32, 24],
      ["Conv_1", 32, 1792, 3],
    ],
  ],
  [
    { name: "vgg16", alpha: 1, inputSize: 224 },
    [
      ["block1_conv2", 1, 64, 224],
      ["block1_pool", 2, 64, 112],
      ["block3_conv3", 4, 256, 56],
      ["block5_conv3", 16, 512, 14],
      ["block5_pool", 32, 512, 7],
    ],
  ],
  [
    { name: "vgg19", alpha: 1, inputSize: 65 },
    [
      ["block2_conv1", 2, 128, 32],
      ["block5_conv4", 16, 512, 4],
      ["block5_pool", 32, 512, 2],
    ],
  ],
];

for (const [spec, expected] of TAPS)
  test(`${spec.name} ${spec.alpha} at ${spec.inputSize} has the taps of its paper`, () => {
    const { taps } = createTrunk(spec);
    const found = expected.map(([name]) => taps.find((tap) => tap.name === name));
    expect(found.map((tap) => tap && [tap.name, tap.stride, tap.channels, tap.size])).toEqual(expected);
  });

/** "Total params" of `include_top=False` in keras-applications, moving statistics included. */
const PARAMETER_COUNTS: readonly [TrunkSpec["name"], number, number][] = [
  ["mobilenet-v1", 0.25, 218_544],
  ["mobilenet-v1", 1, 3_228_864],
  ["mobilenet-v2", 0.35, 410_208],
  ["mobilenet-v2", 1, 2_257_984],
  ["vgg16", 1, 14_714_688],
  ["vgg19", 1, 20_024_384],
];

for (const [name, alpha, count] of PARAMETER_COUNTS)
  test(`${name} ${alpha} has as many parameters as Keras counts`, () => {
    const { parameters } = createTrunk({ name, alpha, inputSize: 224 });
    expect(parameters.reduce((sum, spec) => sum + sizeOf(spec.shape), 0)).toBe(count);
  });

test("default sources have stride 16, and outputs come last", () => {
  const ends = (["mobilenet-v1", "mobilenet-v2", "vgg16", "vgg19"] as const).map((name) => {
    const { source, output, taps } = createTrunk({ name, alpha: 1, inputSize: 64 });
    expect(taps.at(-1)?.name).toBe(output);
    expect(taps.find((tap) => tap.name === source)?.stride).toBe(16);
    return [source, output];
  });
  expect(ends).toEqual([
    ["conv_pw_11", "conv_pw_13"],
    ["block_13_expand", "Conv_1"],
    ["block5_conv3", "block5_pool"],
    ["block5_conv3", "block5_pool"],
  ]);
});

test("only the projections and sums of MobileNet v2 are linear", () => {
  const linear = (name: TrunkSpec["name"]) =>
    createTrunk({ name, alpha: 1, inputSize: 64 })
      .taps.filter((tap) => tap.isLinear)
      .map((tap) => tap.name);
  expect(linear("mobilenet-v1")).toEqual([]);
  expect(linear("vgg16")).toEqual([]);
  expect(linear("mobilenet-v2").every((name) => /_(project|add)$/.test(name))).toBe(true);
  expect(linear("mobilenet-v2")).toHaveLength(17 + 10);
});

test("batch norm is four vectors a layer, folded it is one bias, and moving statistics do not train", () => {
  const { parameters, foldedParameters } = createTrunk({ name: "mobilenet-v1", alpha: 0.5, inputSize: 64 });
  const of = (specs: typeof parameters) =>
    specs
      .filter(({ name }) => name.startsWith("trunk/conv_dw_2/"))
      .map(({ name, shape, isTrainable }) => [name.slice("trunk/conv_dw_2/".length), shape, isTrainable]);
  expect(of(parameters)).toEqual([
    ["kernel", [3, 3, 32, 1], true],
    ["gamma", [32], true],
    ["beta", [32], true],
    ["moving_mean", [32], false],
    ["moving_variance", [32], false],
  ]);
  expect(of(foldedParameters)).toEqual([
    ["kernel", [3, 3, 32, 1], true],
    ["bias", [32], true],
  ]);
});

test("names the layers that learn from a layer on, and refuses a layer it does not have", () => {
  const trunk = createTrunk({ name: "mobilenet-v1", alpha: 0.25, inputSize: 64 });
  expect(trunk.layersFrom("conv_pw_12")).toEqual(["conv_pw_12", "conv_dw_13", "conv_pw_13"]);
  expect(trunk.layersFrom("input")).toHaveLength(27);
  expect(() => trunk.layersFrom("conv_pw_14")).toThrow(/no layer "conv_pw_14".*conv_pw_13/);
});

test.each([
  [{ name: "resnet50", alpha: 1, inputSize: 64 }, /no trunk "resnet50".*mobilenet-v1/],
  [{ name: "constructor", alpha: 1, inputSize: 64 }, /no trunk "constructor"/],
  [{ name: "mobilenet-v1", alpha: 1, inputSize: 31 }, /inputSize: got 31/],
  [{ name: "mobilenet-v1", alpha: 1, inputSize: 64.5 }, /inputSize: got 64.5/],
  [{ name: "mobilenet-v1", alpha: 0, inputSize: 64 }, /alpha: got 0/],
  [{ name: "mobilenet-v1", alpha: 0.01, inputSize: 64 }, /conv1 has no channels/],
  [{ name: "vgg16", alpha: 0.01, inputSize: 64 }, /block1_conv1 has no channels/],
])("refuses %j", (spec, message) => {
  const create = () => createTrunk(spec as TrunkSpec);
  expect(create).toThrow(ConfigError);
  expect(create).toThrow(message);
});
