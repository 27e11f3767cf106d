/** A TensorFlow.js model computed by TensorFlow.js. */

import * as tf from "@tensorflow/tfjs";
import { LIMITS } from "../core/limits.js";
import { sizeOf } from "../core/nd-array.js";
import { graphEnds, graphObstacle } from "../trunk/formats/tfjs-graph.js";
import { readTfjsFile, type TfjsFile } from "../trunk/formats/tfjs-model.js";
import { type NotCompared, type Original, SIDE, unloadable } from "./original-network.js";

/** @throws WeightsError if a graph lacks the layer or has operations that no trunk has; errors of the runtime. */
export async function openTfjs(path: string, lastLayer: string): Promise<Original | NotCompared> {
  const file = await readTfjsFile(path);
  const artifacts = artifactsOf(file);
  if (file.format === "graph-model") return openGraph(path, artifacts, lastLayer);
  return openLayers(path, artifacts, lastLayer);
}

export function artifactsOf({ format, topology, groups }: TfjsFile): tf.io.ModelArtifacts {
  const bytes = Buffer.concat(groups.map((group) => group.bytes));
  return {
    format,
    modelTopology: topology as object,
    // Its dtypes were checked when the file was read.
    weightSpecs: groups.flatMap(({ entries }) => entries) as tf.io.WeightsManifestEntry[],
    weightData: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer,
  };
}

const UNKNOWN_LAYERS =
  "could not be compared with the original: TensorFlow.js cannot load its layers (Keras 3, or layers of its own)";
const TOO_LARGE = "could not be compared with the original, which computes more than a trunk";

async function openLayers(
  path: string,
  artifacts: tf.io.ModelArtifacts,
  lastLayer: string,
): Promise<Original | NotCompared> {
  // Networks of convolutions work at any size; a small one is computed in a second.
  const text = (JSON.stringify(artifacts.modelTopology) ?? "null").replace(
    /("batch_input_shape":\s*\[null,\s*)\d+(,\s*)\d+/g,
    `$1${SIDE}$2${SIDE}`,
  );
  const memory = tf.io.fromMemory({ ...artifacts, modelTopology: JSON.parse(text) });
  const numbers = (artifacts.weightSpecs ?? []).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  let whole: tf.LayersModel;
  try {
    whole = await onCpu(() => withWeightsOf(numbers, () => tf.loadLayersModel(memory)));
  } catch {
    return { notCompared: UNKNOWN_LAYERS };
  }
  const names = [`${lastLayer}_relu`, "out_relu", lastLayer];
  const found = names.flatMap((name) => withLayer(whole, name))[0];
  if (!found) throw unloadable(path, `: it has no layer ${names.join(" or ")}`);
  const model = tf.model({ inputs: found.model.inputs, outputs: found.layer.output });
  if (multiplicationsOf(model) > LIMITS.comparedOperations) return { notCompared: TOO_LARGE };
  return original((image) => model.predict(image) as tf.Tensor, { scaling: 127.5, shift: 1 });
}

/**
 * TensorFlow.js allocates every weight before it reads any, so a model with more numbers than the file is refused
 * before.
 */
export async function withWeightsOf<Result>(numbers: number, work: () => Promise<Result>): Promise<Result> {
  const prototype = tf.layers.Layer.prototype as unknown as { addWeight: (...given: unknown[]) => unknown };
  const { addWeight } = prototype;
  let made = 0;
  prototype.addWeight = function (this: unknown, ...given) {
    made += sizeOf(given[1] as number[]);
    if (!(made <= numbers)) throw new Error(`a layer has more weights than the ${numbers} numbers of the file`);
    return addWeight.apply(this, given);
  };
  try {
    return await work();
  } finally {
    prototype.addWeight = addWeight;
  }
}

/** The number of multiplications: all features, each times the number of weights that it is computed with. */
export function multiplicationsOf({ layers }: tf.LayersModel): number {
  return layers.reduce((sum, layer) => {
    if ("layers" in layer) return sum + multiplicationsOf(layer as unknown as tf.LayersModel);
    // Where it is called first: of a layer that is called again, in a model inside another, the whole has no shape.
    const shapes = [layer.inboundNodes[0].outputShapes].flat(2) as (number | null)[];
    const features = sizeOf(shapes.map((side) => side ?? 1));
    const [kernel] = layer.getWeights();
    // Filters of a depthwise convolution see one channel each.
    const filters = layer.getClassName() === "DepthwiseConv2D" ? kernel?.shape.slice(-2) : kernel?.shape.slice(-1);
    const perFeature = kernel ? kernel.size / sizeOf(filters ?? []) : 1;
    return sum + features * perFeature;
  }, 0);
}

/** Finds a layer by name and the model that has it, at any depth of nested models. */
function withLayer(model: tf.LayersModel, name: string): { model: tf.LayersModel; layer: tf.layers.Layer }[] {
  return model.layers.flatMap((layer) => {
    if (layer.name === name) return [{ model, layer }];
    return "layers" in layer ? withLayer(layer as unknown as tf.LayersModel, name) : [];
  });
}

async function openGraph(path: string, artifacts: tf.io.ModelArtifacts, lastLayer: string): Promise<Original> {
  const { input, output } = graphEnds(artifacts.modelTopology, lastLayer);
  if (!input || !output) throw unloadable(path, `: its graph has no ${input ? `output of ${lastLayer}` : "image"}`);
  const shapes = new Map((artifacts.weightSpecs ?? []).map(({ name, shape }) => [name, shape]));
  const obstacle = graphObstacle(artifacts.modelTopology, { output, shapes });
  if (obstacle) throw unloadable(path, `: ${obstacle}`);
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

/** Runs on the plain JavaScript backend, independent of the backend that an engine may have chosen. */
export async function onCpu<Result>(work: () => Promise<Result>): Promise<Result> {
  tf.enableProdMode(); // otherwise it prints an advertisement for its faster backends
  const before = tf.getBackend();
  await tf.setBackend("cpu");
  try {
    return await work();
  } finally {
    if (before) await tf.setBackend(before);
  }
}
