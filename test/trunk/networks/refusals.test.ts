import { describe, expect, test } from "vitest";
import { WeightsError } from "../../../src/core/errors.js";
import { placesOf } from "../../../src/trunk/networks/places.js";
import { defaultSource, sourceLayers } from "../../../src/trunk/networks/source-layers.js";
import { rowName } from "../../../src/trunk/networks/table.js";
import type { Model, Node } from "../write-onnx.js";
import { drawn, modelOf, readModel } from "./run-network.js";

const node = (operator: string, inputs: string[], attributes?: Node["attributes"], output = "out"): Node => ({
  operator,
  inputs,
  output,
  ...(attributes && { attributes }),
});
const KERNEL = { k: drawn([4, 3, 3, 3], 2) };
const CONV = node("Conv", ["image", "k"], {}, "four");
const input = (shape: readonly (number | undefined)[], nodes: readonly Node[] = [node("Relu", ["image"])]): Model => ({
  ...modelOf(nodes),
  input: { name: "image", shape },
});

/** What is refused, and a part of the one line that says so. */
const REFUSED: Readonly<Record<string, readonly [Model, RegExp]>> = {
  "a transformer": [
    modelOf([node("MatMul", ["image", "image"])]),
    /node out \(MatMul\) multiplies two things that both depend on the image, as the attention of transformers does/,
  ],
  "a recurrent network": [modelOf([node("LSTM", ["image", "k", "k"])], KERNEL), /node out \(LSTM\) is recurrent\./],
  "control flow": [modelOf([node("If", ["image"])]), /\(If\) is control flow/],
  "a shape that depends on the image": [modelOf([node("NonZero", ["image"])]), /makes a shape that depends on/],
  "an operator of nobody": [modelOf([node("Einsum", ["image"])]), /node out \(Einsum\) is an operator that is not read/],
  "a kernel that is computed": [modelOf([node("Conv", ["image", "image"])]), /\(Conv\) computes its kernel from the image/],
  "a kernel that is nowhere": [modelOf([node("Conv", ["image", "k"])]), /node out \(Conv\) reads k, which nothing before it makes/],
  "more nodes than the limit": [
    modelOf(Array.from({ length: 3001 }, (_, index) => node("Relu", [index === 0 ? "image" : `r${index - 1}`], {}, `r${index}`))),
    /network\.onnx: has more than 3000 nodes, which is the limit\./,
  ],
  "a tensor that two nodes make": [
    modelOf([node("Relu", ["image"], {}, "r"), node("Relu", ["image"], {}, "r"), node("Relu", ["r"])]),
    /node r \(Relu\) makes r, which is there already/,
  ],
  "other groups than channels": [
    modelOf([node("Conv", ["image", "k"], { group: 2 })], KERNEL),
    /has 2 groups of 3 channels for 3/,
  ],
  "three dimensions": [input([1, 3, 8, 8, 8]), /wants image of 5 dimensions, no image/],
  "one channel": [input([1, 1, 8, 8]), /wants images of 1 channels/],
  "a size that is open": [input([1, 3, undefined, undefined]), /leaves the size of its image open.*--input-size/],
  "a batch that is put together": [
    modelOf([node("Concat", ["image", "image"], { axis: 0 })]),
    /puts images together in a batch/,
  ],
  "a window larger than the image": [modelOf([CONV, node("Conv", ["four", "k4"])], { ...KERNEL, k4: drawn([1, 4, 5, 5]) }), /leaves nothing of its input\. Take a larger input size/],
  "a reshape of the batch": [
    modelOf([node("Reshape", ["image", "s"])], { s: { shape: [2], values: [6, 18], form: "int64" } }),
    /makes 6 x 18 of a batch/,
  ],
  "normalisation in training": [
    modelOf([node("BatchNormalization", ["image", "a", "a", "a", "a"], { training_mode: 1 })], { a: drawn([3]) }),
    /is in training mode\. Call model\.eval\(\)/,
  ],
  "an opset of long ago": [modelOf([CONV], KERNEL, { opset: 8 }), /is of opset 8; 9 to 21 are read/],
  "an opset to come": [modelOf([CONV], KERNEL, { opset: 22 }), /is of opset 22/],
  "an output that is a constant": [
    modelOf([node("Identity", ["k"])], KERNEL),
    /its output out does not depend on the image/,
  ],
}; // biome-ignore format: one line each

describe("what is no convolutional network is refused in one line", () => {
  test.each(Object.entries(REFUSED))("%s", async (_, [model, said]) => {
    const error = await readModel(model).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(WeightsError);
    expect((error as Error).message).toMatch(said);
    expect((error as Error).message).not.toContain("\n");
  });

  test("a size for a network of another", async () => {
    await expect(readModel(modelOf([CONV], KERNEL), { inputSize: 32 })).rejects.toThrow(
      /is for images of 6 x 6, not of 32/,
    );
    const open = input([1, 3, undefined, undefined], [{ ...CONV, output: "out" }]);
    const { size, operations } = await readModel({ ...open, tensors: KERNEL }, { inputSize: 32 });
    expect([size, operations[0].shape]).toEqual([
      [32, 32],
      [30, 30, 4],
    ]);
  });
});

describe("rows", () => {
  test("are named after the last module of a path", () => {
    expect(rowName("/layer3/layer3.5/relu/Relu", "Relu")).toBe("layer3.5.relu");
    expect(rowName("/layer3/layer3.5/relu/Relu_1", "Relu")).toBe("layer3.5.relu.Relu_1");
    expect(rowName("Conv_12", "Conv")).toBe("Conv_12");
    expect(rowName("a/b c/Conv", "Conv")).toBe("a.b_c");
    expect([rowName("", "Add"), rowName("input", "Add")]).toEqual(["Add_", "input_"]);
  });

  test("hold a layer with its normalisation and activation, where nothing else reads what lies between", async () => {
    const relu = node("Relu", ["four"]);
    const { operations } = await readModel(modelOf([CONV, relu], KERNEL));
    expect(operations).toMatchObject([{ op: "convolution", activation: "relu", shape: [4, 4, 4] }]);
    const both = await readModel(modelOf([CONV, { ...relu, output: "r" }, node("Add", ["r", "four"])], KERNEL));
    expect(both.operations.map(({ op }) => op)).toEqual(["convolution", "function", "add"]);
  });

  test("that no output needs are left out, with their parameters", async () => {
    const spare = node("Conv", ["image", "k"], {}, "spare");
    const { operations, parameters } = await readModel(modelOf([spare, node("Relu", ["image"])], KERNEL));
    expect(operations.map(({ op }) => op)).toEqual(["function"]);
    expect(parameters).toEqual({});
  });

  test("nor is read what no output needs, be it known or not", async () => {
    const spare = [CONV, node("TopK", ["four", "k"], {}, "best"), node("Relu", ["best"], {}, "more")];
    const { operations } = await readModel(modelOf([...spare, node("Relu", ["four"])], KERNEL));
    // Nothing else reads the convolution then.
    expect(operations).toMatchObject([{ op: "convolution", activation: "relu" }]);
  });

  test("turned there and back cost nothing", async () => {
    const there = node("Transpose", ["image"], { perm: [0, 2, 3, 1] }, "last");
    const back = node("Transpose", ["last"], { perm: [0, 3, 1, 2] }, "first");
    const { operations } = await readModel(modelOf([there, back, node("Conv", ["first", "k"])], KERNEL));
    expect(operations.map(({ op }) => op)).toEqual(["convolution"]);
  });
});

describe("source layers", () => {
  /** Two blocks with a way around, at strides 2 and 4, pooling and a dense layer. */
  const network = modelOf(
    [
      node("Conv", ["image", "k"], { strides: [2, 2], pads: [1, 1, 1, 1] }, "a0"),
      node("Relu", ["a0"], {}, "a"),
      node("Conv", ["a", "k4"], { pads: [1, 1, 1, 1] }, "b0"),
      node("Relu", ["b0"], {}, "b"),
      node("Add", ["a", "b"], {}, "c"),
      node("Conv", ["c", "k4"], { strides: [2, 2], pads: [1, 1, 1, 1] }, "d0"),
      node("Relu", ["d0"], {}, "d"),
      node("GlobalAveragePool", ["d"], {}, "mean"),
      node("Flatten", ["mean"], {}, "flat"),
      node("Gemm", ["flat", "w"]),
    ],
    { ...KERNEL, k4: drawn([4, 4, 3, 3], 3), w: drawn([4, 2]) },
    { size: [16, 16] },
  );

  test("are those that every path passes, larger than 1 x 1, with a layer that learns behind them", async () => {
    const { operations } = await readModel(network);
    const layers = sourceLayers(operations, { height: 16, width: 16 });
    // Not b, around which the sum leads, nor what pooling makes.
    expect(layers.map(({ name, stride, height, isActivation }) => [name, stride, height, isActivation])).toEqual([
      ["a0", 2, 8, true],
      ["c", 2, 8, false],
      ["d0", 4, 4, true],
    ]);
    expect(defaultSource(layers)?.name).toBe("d0");
    // Before a sum stands the activation of its block.
    expect(defaultSource(layers.slice(0, 2))?.name).toBe("a0");
    expect(defaultSource([])).toBeUndefined();
  });

  test("lie where their receptive fields do", async () => {
    const { operations } = await readModel(network);
    const places = placesOf(operations);
    // Padding of one on each side: centres at 0.5, 2.5, ... and 0.5, 4.5, ...
    expect(places.get("c")).toEqual({ centre: 0.5, step: 2 });
    expect(places.get("d0")).toEqual({ centre: 0.5, step: 4 });
    const plain = await readModel(modelOf([node("MaxPool", ["image"], { kernel_shape: [2, 2], strides: [2, 2] })]));
    expect(placesOf(plain.operations).get("out")).toEqual({ centre: 1, step: 2 });
  });
});
