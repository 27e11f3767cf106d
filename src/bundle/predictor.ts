/** Answers images with a bundle, without explaining them: decode, one call of `predict.onnx`, read. */

import type { NdArrays } from "../core/nd-array.js";
import type { RuntimeOptions } from "../engine/devices.js";
import type { RunGraph } from "../engine/session-pool.js";
import { openSessionPool } from "../engine/session-pool.js";
import type { TensorInfo } from "../engine/worker-messages.js";
import type { Prediction } from "../explain/explanation.js";
import { predictionOf } from "../explain/reading/prediction.js";
import { readTargetAspect } from "../explain/reading/read-aspects.js";
import type { AspectSpec, ClassifierSpec } from "../heads/head-spec.js";
import { imageInputs } from "../model/image-inputs.js";
import { imageSizes } from "../model/model-spec.js";
import { checkImageReading, FILES } from "./description.js";
import { openGraph } from "./graph-session.js";
import { type ImageSource, loadImage } from "./image-source.js";
import { type Bundle, readBundle, readGraph } from "./read-bundle.js";

/** What the aspect heads see, whether or not it counted for the answer. */
export interface SeenAspect {
  readonly name: string;
  readonly kind: AspectSpec["kind"];
  /** Mean probability over the region; with none, the largest probability; 0..1. */
  readonly presence: number;
  readonly isPresent: boolean;
}

/** The answer to one image. */
export interface PredictedImage {
  readonly image: string;
  readonly prediction: Prediction;
  readonly aspects: readonly SeenAspect[];
}

/** An opened bundle that answers images. Whoever opened it disposes it. */
export interface Predictor {
  /** Of `predict.onnx`; `-1` stands for any size. */
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  /**
   * @throws ImageError where the image cannot be read; BundleError where the graph fails.
   */
  predict(image: ImageSource): Promise<PredictedImage>;
  /** The outputs of `predict.onnx` for it. @throws as `predict` */
  outputsOf(image: ImageSource): Promise<NdArrays>;
  /** `predict.onnx` itself: arrays by input, of which the engine takes possession. */
  readonly run: RunGraph;
  dispose(): Promise<void>;
}

/**
 * @param source path of the bundle, or what `readBundle` gave.
 * @throws BundleError where the bundle is damaged, or wants images resized in another way.
 */
export async function openPredictor(source: string | Bundle, options: RuntimeOptions = {}): Promise<Predictor> {
  const bundle = typeof source === "string" ? await readBundle(source) : source;
  const { model: spec } = bundle.description;
  checkImageReading(bundle.description, bundle.path);
  const ports: { inputs: readonly TensorInfo[]; outputs: readonly TensorInfo[] } = { inputs: [], outputs: [] };
  const sessions = await openSessionPool(async (runtime) => {
    const graph = await readGraph(bundle, "predict");
    const session = await openGraph(runtime, graph, { file: bundle.path, name: FILES.predict });
    Object.assign(ports, { inputs: session.inputs, outputs: session.outputs });
    return session;
  }, options);
  const [classifier] = spec.heads.filter((head): head is ClassifierSpec => head.kind === "classifier");
  const aspects = spec.heads.filter((head): head is AspectSpec => head.kind !== "classifier");
  const { inputSize: size, otherSizes, centerCrop } = imageSizes(spec);
  const answered = async (image: ImageSource) => {
    const { name, pixels, otherSizes: others } = await loadImage(image, { size, otherSizes, centerCrop });
    const sample = { path: name, image: pixels, otherSizes: others, target: {}, aspects: {} };
    return { name, outputs: await sessions.next()(imageInputs(spec, [sample], { batchSize: 1 })) };
  };
  return {
    ...ports,
    run: (inputs) => sessions.next()(inputs),
    outputsOf: async (image) => (await answered(image)).outputs,
    async predict(image) {
      const { name, outputs } = await answered(image);
      return {
        image: name,
        prediction: predictionOf(outputs.scores, classifier),
        aspects: aspects.map((head) => {
          const { presence, isPresent } = readTargetAspect(outputs, head, spec);
          return { name: head.name, kind: head.kind, presence, isPresent };
        }),
      };
    },
    dispose: () => sessions.dispose(),
  };
}
