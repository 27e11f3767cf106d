/** The network as its own runtime computes it, straight from the file that is imported: what our trunk must give too. */

import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { type NdArray, sizeOf } from "../core/nd-array.js";
import { CAFFE_MEAN_BGR, IMAGENET_DEVIATION, IMAGENET_MEAN } from "../trunk/scaling.js";
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
 * @returns `undefined` for a file that no runtime here can run: an `.h5`, a model nested in another, one without the layer.
 */
export async function openOriginal(
  file: WeightsFile | OnnxWeights,
  { lastLayer }: Pick<WeightsDescription, "lastLayer">,
): Promise<Original | undefined> {
  const { path } = file;
  if ("lastTensor" in file) return openOnnx(path, file);
  if (!path.endsWith("model.json")) return undefined;
  const model = JSON.parse(await readFile(path, "utf8"));
  const artifacts = await tfjsArtifacts(path, model);
  return model.format === "graph-model" ? openGraph(artifacts, lastLayer) : openLayers(artifacts, lastLayer);
}

async function openOnnx(path: string, { lastTensor, lastLayer, convention }: OnnxWeights): Promise<Original> {
  const { InferenceSession, Tensor } = await import("onnxruntime-node");
  const model = await readFile(path);
  const session = await InferenceSession.create(withOutput(model, lastTensor), {
    externalData: await externalData(model, path),
    logSeverityLevel: 3,
  });
  const scaling = convention ?? (lastLayer.startsWith("block5") ? "caffe" : "unit");
  const [input] = session.inputMetadata;
  const shape = input.isTensor ? input.shape : [];
  const isFirst = shape[1] === 3; // channels before height
  const side = shape[2];
  const size = typeof side === "number" && side > 0 ? side : SIDE;
  return {
    runtime: "ONNX Runtime",
    size,
    async run({ data }) {
      const scaled = Float32Array.from(data, (_, i) => scale(data, i, scaling));
      const given = isFirst ? channelsFirst(scaled, size) : scaled;
      const feeds = { [input.name]: new Tensor("float32", given, isFirst ? [1, 3, size, size] : [1, size, size, 3]) };
      const output = (await session.run(feeds))[lastTensor];
      await session.release();
      const [, channels, height, width] = output.dims;
      const features = new Float32Array(sizeOf(output.dims));
      for (let c = 0, i = 0; c < channels; c++)
        for (let at = 0; at < height * width; at++, i++) features[at * channels + c] = Number(output.data[i]);
      return { shape: [1, height, width, channels], data: features };
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

async function openLayers(artifacts: tf.io.ModelArtifacts, lastLayer: string): Promise<Original | undefined> {
  // Networks of convolutions work at any size; a small one is computed in a second.
  const text = JSON.stringify(artifacts.modelTopology).replace(
    /("batch_input_shape":\s*\[null,\s*)\d+(,\s*)\d+/g,
    `$1${SIDE}$2${SIDE}`,
  );
  const topology = JSON.parse(text);
  const whole = await onCpu(() =>
    tf.loadLayersModel(tf.io.fromMemory({ ...artifacts, modelTopology: topology })).catch(() => undefined),
  );
  const layer = [`${lastLayer}_relu`, "out_relu", lastLayer]
    .map((name) => whole?.layers.find((candidate) => candidate.name === name))
    .find((candidate) => candidate !== undefined);
  if (!whole || !layer) return undefined;
  const model = tf.model({ inputs: whole.inputs, outputs: layer.output });
  return original((image) => model.predict(image) as tf.Tensor, { scaling: 127.5, shift: 1 });
}

async function openGraph(artifacts: tf.io.ModelArtifacts, lastLayer: string): Promise<Original | undefined> {
  const { input, output } = graphEnds(artifacts.modelTopology, lastLayer);
  if (!input || !output) return undefined;
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
