/** Writes a MobileNet as a tfjs graph-model in the form that TF-Hub's have: TF-slim's scopes, pixels in [0, 1]. */

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { NdArray, NdArrays } from "../../src/core/nd-array.js";
import type { Architecture, Layer } from "../../src/trunk/architecture.js";

/** `fused`: converter's fused nodes; `folded`: batch norm as BiasAdd; `kept`: FusedBatchNormV3 with its own epsilon. */
export type GraphForm = "fused" | "folded" | "kept";

export interface GraphOptions {
  readonly form: GraphForm;
  /** By our names: with a bias for `fused` and `folded`, with batch norm for `kept`. */
  readonly parameters: NdArrays;
  readonly epsilon?: number;
}

type Node = { name: string; op: string; input?: string[]; attr?: Record<string, unknown> };

const ROOT = "module_apply_default";
const FLOAT = { type: "DT_FLOAT" };

export async function writeGraphModel(folder: string, architecture: Architecture, options: GraphOptions) {
  const constants: Record<string, NdArray> = {
    half: { shape: [], data: Float32Array.of(2) },
    one: { shape: [], data: Float32Array.of(1) },
  };
  const nodes: Node[] = [
    {
      name: "images",
      op: "Placeholder",
      attr: { dtype: FLOAT, shape: { shape: { dim: [-1, -1, -1, 3].map((size) => ({ size: String(size) })) } } },
    },
    { name: "hub_input/Mul", op: "Mul", input: ["images", "half"], attr: { T: FLOAT } },
    { name: "hub_input/Sub", op: "Sub", input: ["hub_input/Mul", "one"], attr: { T: FLOAT } },
  ];
  const outputs = new Map([["input", "hub_input/Sub"]]);
  for (const layer of architecture.layers) {
    const inputs = layer.inputs.map((name) => outputs.get(name) ?? "");
    const output =
      layer.op === "add"
        ? append(nodes, { name: `${scopeOf(layer.name)}/add`, op: "AddV2", input: inputs, attr: { T: FLOAT } })
        : convolution(nodes, constants, { layer, input: inputs[0], options });
    outputs.set(layer.name, output);
  }
  // The classifier's own convolution must not be taken for the trunk's.
  constants["logits/weights"] = { shape: [1, 1, 1, 1], data: Float32Array.of(1) };
  const last = outputs.get(architecture.layers[architecture.layers.length - 1].name) ?? "";
  nodes.push({
    name: `${ROOT}/MobilenetV1/Logits/Conv2d_1c_1x1/Conv2D`,
    op: "Conv2D",
    input: [last, "logits/weights"],
    attr: geometry(1),
  });
  for (const name of Object.keys(constants)) nodes.push({ name, op: "Const", attr: { dtype: FLOAT } });
  const names = Object.keys(constants);
  const bytes = Buffer.concat(names.map((name) => Buffer.from(Float32Array.from(constants[name].data).buffer)));
  const weights = names.map((name) => ({ name, shape: constants[name].shape, dtype: "float32" }));
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "group1-shard1of1"), bytes);
  const model = {
    format: "graph-model",
    modelTopology: { node: nodes, versions: {} },
    weightsManifest: [{ paths: ["group1-shard1of1"], weights }],
  };
  await writeFile(join(folder, "model.json"), JSON.stringify(model));
}

function convolution(
  nodes: Node[],
  constants: Record<string, NdArray>,
  {
    layer,
    input,
    options: { form, parameters, epsilon = 1e-3 },
  }: { layer: Layer; input: string; options: GraphOptions },
): string {
  const scope = scopeOf(layer.name);
  const constant = (part: string) => {
    const name = `${scope}/${part}`;
    constants[name] = parameters[`trunk/${layer.name}/${part}`];
    return name;
  };
  const isDepthwise = layer.op === "depthwise";
  const activation = layer.activation === "relu6" ? "Relu6" : undefined;
  if (form === "fused") {
    const ops = ["BiasAdd", ...(activation ? [activation] : [])].map((op) => Buffer.from(op).toString("base64"));
    return append(nodes, {
      name: `${scope}/${activation ?? "BatchNorm/FusedBatchNormV3"}`,
      op: isDepthwise ? "FusedDepthwiseConv2dNative" : "_FusedConv2D",
      input: [input, constant("kernel"), constant("bias")],
      attr: { ...geometry(layer.stride), fused_ops: { list: { s: ops } }, num_args: { i: "1" } },
    });
  }
  const convolved = append(nodes, {
    name: `${scope}/${isDepthwise ? "depthwise" : "Conv2D"}`,
    op: isDepthwise ? "DepthwiseConv2dNative" : "Conv2D",
    input: [input, constant("kernel")],
    attr: geometry(layer.stride),
  });
  const normalised = append(
    nodes,
    form === "folded"
      ? {
          name: `${scope}/BatchNorm/FusedBatchNorm`,
          op: "BiasAdd",
          input: [convolved, constant("bias")],
          attr: { T: FLOAT, data_format: text("NHWC") },
        }
      : {
          name: `${scope}/BatchNorm/FusedBatchNormV3`,
          op: "FusedBatchNormV3",
          input: [convolved, ...["gamma", "beta", "moving_mean", "moving_variance"].map(constant)],
          attr: { T: FLOAT, epsilon: { f: epsilon }, is_training: { b: false }, data_format: text("NHWC") },
        },
  );
  return activation
    ? append(nodes, { name: `${scope}/${activation}`, op: activation, input: [normalised], attr: { T: FLOAT } })
    : normalised;
}

function append(nodes: Node[], node: Node): string {
  nodes.push(node);
  return node.name;
}

function geometry(stride: number) {
  const four = (n: number) => ({ list: { i: ["1", String(n), String(n), "1"] } });
  return { T: FLOAT, strides: four(stride), dilations: four(1), padding: text("SAME"), data_format: text("NHWC") };
}

function text(value: string) {
  return { s: Buffer.from(value).toString("base64") };
}

/** TF-slim's scope of one of our layers. */
function scopeOf(layer: string): string {
  const v1 = layer
    .replace(/^conv1$/, "Conv2d_0")
    .replace(/^conv_(dw|pw)_(\d+)$/, (_, kind, n) => `Conv2d_${n}_${kind === "dw" ? "depthwise" : "pointwise"}`);
  if (v1 !== layer) return `${ROOT}/MobilenetV1/MobilenetV1/${v1}`;
  const v2 = layer
    .replace(/^Conv1$/, "Conv")
    .replace(
      /^(expanded_conv|block_\d+)_(\w+)$/,
      (_, block, part) => `${block.replace("block", "expanded_conv")}/${part}`,
    );
  return `${ROOT}/MobilenetV2/${v2}`;
}
