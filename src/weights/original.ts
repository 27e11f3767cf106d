/** The network as its own runtime computes it, straight from the file that is imported: what our trunk must give too. */

import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { WeightsError } from "../core/errors.js";
import { parseJson } from "../core/json.js";
import type { NdArray } from "../core/nd-array.js";
import { CAFFE_MEAN_BGR, IMAGENET_DEVIATION, IMAGENET_MEAN } from "../trunk/scaling.js";
import type { TrunkSpec } from "../trunk/trunk.js";
import type { WeightsDescription } from "../trunk/weights/inspect-weights.js";
import { externalData, type OnnxWeights, withOutput } from "../trunk/weights/onnx-file.js";
import type { WeightsFile } from "../trunk/weights/read-weights.js";
import { graphEnds } from "../trunk/weights/tfjs-graph.js";

/** Side of the image where the file leaves it open; a multiple of 32, for which all ways of padding agree. */
const SIDE = 96;

export interface Original {
  readonly runtime: "ONNX Runtime" | "TensorFlow.js";
  /** Height and width of the image it wants. */
  readonly size: number;
  /** Features of the trunk's last layer, `[1, h, w, channels]`, for `[1, size, size, 3]` RGB 0..255. */
  run(image: NdArray): Promise<NdArray>;
}

/**
 * @param file as `readWeights` returned it.
 * @returns `undefined` for a file of a form that no runtime here runs: an `.h5`, one of our own, an `.onnx` in half precision.
 * @throws WeightsError where the runtime cannot read the network, or it has no such layer: then it is not the one it seems to be.
 */
export async function openOriginal(
  file: WeightsFile | OnnxWeights,
  { name, lastLayer }: Pick<WeightsDescription, "name" | "lastLayer">,
): Promise<Original | undefined> {
  const { path } = file;
  try {
    if ("lastTensor" in file) return await openOnnx(file, name);
    if (!path.endsWith(".json")) return undefined;
    const model = parseJson(await readFile(path), { where: path, error: WeightsError }) as ModelJson;
    const artifacts = await tfjsArtifacts(path, model);
    const opened = model.format === "graph-model" ? openGraph(artifacts, lastLayer) : openLayers(artifacts, lastLayer);
    return await opened;
  } catch (cause) {
    if (cause instanceof WeightsError) throw cause;
    const [reason] = (cause instanceof Error ? cause.message : String(cause)).split("\n");
    throw new WeightsError(
      `${path}: its own runtime cannot load it: ${reason} Save the network again, with layers that the framework knows itself.`,
      { cause },
    );
  }
}

async function openOnnx(
  { path, lastTensor, convention }: OnnxWeights,
  name: TrunkSpec["name"],
): Promise<Original | undefined> {
  const { InferenceSession, Tensor } = await import("../engine/onnx-runtime.js");
  const model = await readFile(path);
  const session = await InferenceSession.create(withOutput(model, lastTensor), {
    externalData: await externalData(model, path),
    logSeverityLevel: 3,
  });
  const [input] = session.inputMetadata;
  if (!input.isTensor || input.type !== "float32") {
    await session.release();
    return undefined;
  }
  const [count, ...sides] = input.shape.map((side) => (typeof side === "number" && side > 0 ? side : undefined));
  const isFirst = sides[2] !== 3; // channels before height
  const [height, width] = isFirst ? sides.slice(1) : sides;
  if (height !== width)
    throw new WeightsError(`${path}: wants images of ${height} x ${width}. Export the network for a square.`);
  const [batch, size] = [count ?? 1, height ?? SIDE];
  const scaling = convention ?? (name.startsWith("vgg") ? "caffe" : "unit");
  return {
    runtime: "ONNX Runtime",
    size,
    async run({ data }) {
      const scaled = Float32Array.from(data, (_, i) => scale(data, i, scaling));
      const image = isFirst ? channelsFirst(scaled, size) : scaled;
      const given = new Float32Array(batch * image.length);
      given.set(image); // the other images of a fixed batch are black
      const dims = isFirst ? [batch, 3, size, size] : [batch, size, size, 3];
      try {
        const output = (await session.run({ [input.name]: new Tensor("float32", given, dims) }))[lastTensor];
        const [, channels, height, width] = output.dims;
        const features = new Float32Array(channels * height * width);
        for (let c = 0, i = 0; c < channels; c++)
          for (let at = 0; at < height * width; at++, i++) features[at * channels + c] = Number(output.data[i]);
        return { shape: [1, height, width, channels], data: features };
      } finally {
        await session.release();
      }
    },
  };
}

/** What the saved network itself expects of its caller, for the pixel at `i`. */
function scale(pixels: NdArray["data"], i: number, scaling: "torchvision" | "caffe" | "unit"): number {
  const channel = i % 3;
  if (scaling === "unit") return pixels[i] / 127.5 - 1;
  if (scaling === "caffe") return pixels[i - channel + 2 - channel] - CAFFE_MEAN_BGR[channel];
  return (pixels[i] / 255 - IMAGENET_MEAN[channel]) / IMAGENET_DEVIATION[channel];
}

function channelsFirst(image: Float32Array, size: number): Float32Array {
  const area = size * size;
  return Float32Array.from(image, (_, i) => image[(i % area) * 3 + Math.floor(i / area)]);
}

interface ModelJson {
  readonly format?: string;
  readonly modelTopology?: object;
  readonly weightsManifest: readonly {
    readonly paths: readonly string[];
    readonly weights: readonly tf.io.WeightsManifestEntry[];
  }[];
}

/** All shards as one buffer; every group is cut or padded to what its entries take, as the loaders expect. */
async function tfjsArtifacts(path: string, model: ModelJson): Promise<tf.io.ModelArtifacts> {
  const shards = model.weightsManifest.flatMap((group) => group.paths);
  const bytes = Buffer.concat(await Promise.all(shards.map((shard) => readFile(join(dirname(path), shard)))));
  const weightData = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  const weightSpecs = model.weightsManifest.flatMap((group) => group.weights);
  return { format: model.format, modelTopology: model.modelTopology, weightSpecs, weightData };
}

async function openLayers(artifacts: tf.io.ModelArtifacts, lastLayer: string): Promise<Original> {
  // Networks of convolutions work at any size; a small one is computed in a second.
  const text = JSON.stringify(artifacts.modelTopology).replace(
    /("batch_input_shape":\s*\[null,\s*)\d+(,\s*)\d+/g,
    `$1${SIDE}$2${SIDE}`,
  );
  const memory = tf.io.fromMemory({ ...artifacts, modelTopology: JSON.parse(text) });
  const whole = await onCpu(() => tf.loadLayersModel(memory));
  const names = [`${lastLayer}_relu`, "out_relu", lastLayer];
  const found = names.flatMap((name) => withLayer(whole, name))[0];
  if (!found) throw new Error(`it has no layer ${names.join(" or ")}.`);
  const model = tf.model({ inputs: found.model.inputs, outputs: found.layer.output });
  return original((image) => model.predict(image) as tf.Tensor, { scaling: 127.5, shift: 1 });
}

/** A layer by name and the model that has it, however deep the models are nested. */
function withLayer(model: tf.LayersModel, name: string): { model: tf.LayersModel; layer: tf.layers.Layer }[] {
  return model.layers.flatMap((layer) => {
    if (layer.name === name) return [{ model, layer }];
    return "layers" in layer ? withLayer(layer as unknown as tf.LayersModel, name) : [];
  });
}

async function openGraph(artifacts: tf.io.ModelArtifacts, lastLayer: string): Promise<Original> {
  const { input, output } = graphEnds(artifacts.modelTopology, lastLayer);
  if (!input || !output) throw new Error(`its graph has no ${input ? `output of ${lastLayer}` : "image"}.`);
  const model = await onCpu(() => tf.loadGraphModel(tf.io.fromMemory(artifacts)));
  return original((image) => model.execute({ [input]: image }, output) as tf.Tensor, { scaling: 255, shift: 0 });
}

function original(
  compute: (image: tf.Tensor4D) => tf.Tensor,
  { scaling, shift }: { scaling: number; shift: number },
): Original {
  return {
    runtime: "TensorFlow.js",
    size: SIDE,
    run: ({ data }) =>
      onCpu(async () => {
        const features = tf.tidy(() =>
          compute(tf.sub(tf.div(tf.tensor4d(Float32Array.from(data), [1, SIDE, SIDE, 3]), scaling), shift)),
        );
        const numbers = { shape: features.shape, data: Float32Array.from(features.dataSync()) };
        features.dispose();
        return numbers;
      }),
  };
}

/** On TensorFlow.js' own plain backend: not on the one that our engine may have chosen. */
async function onCpu<Result>(work: () => Promise<Result>): Promise<Result> {
  tf.enableProdMode(); // else it advertises its faster backends
  const before = tf.getBackend();
  await tf.setBackend("cpu");
  try {
    return await work();
  } finally {
    if (before) await tf.setBackend(before);
  }
}
