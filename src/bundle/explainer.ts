/** Explains images with a bundle: decode, one call of `explain.onnx`, read; loads no TensorFlow.js. */

import { BundleError, InputError } from "../core/errors.js";
import { type NdArray, type NdArrays, ndArray } from "../core/nd-array.js";
import type { RuntimeOptions } from "../engine/devices.js";
import type { Runtime } from "../engine/session.js";
import { openSessionPool, type Run } from "../engine/session-pool.js";
import type { AspectExplanation, ClassTarget, Explained, MethodChoice } from "../explain/explanation.js";
import { methodOf } from "../explain/methods.js";
import { readExplanation } from "../explain/reading/read-explanation.js";
import { perturbed, relevanceIntervals } from "../explain/reading/relevance-interval.js";
import { targetWeights } from "../explain/reading/target.js";
import { UNCALIBRATED_THRESHOLD } from "../explain/relevance-constants.js";
import type { ClassifierSpec } from "../heads/head.js";
import type { ModelSpec } from "../model/model.js";
import type { RelevanceThreshold } from "../model/trained-model.js";
import { checkImages, checkMethod, checkOpening, checkRequest, checkStem, checkTarget } from "./check-request.js";
import { type BundleDescription, checkImageReading, FILES } from "./description.js";
import { openGraph } from "./graph-session.js";
import { type ImageSource, type LoadedImage, loadImage } from "./image-source.js";

import { type Bundle, readBundle, readBundledModel, readGraph } from "./read-bundle.js";

export type { ImageSource } from "./image-source.js";

export interface ExplainRequest {
  /** The predicted class by default; the method says it where it is no class. */
  readonly target?: ClassTarget;
  /** How the names of mask files begin; the image's own name without its ending by default. */
  readonly stem?: string;
  /** Explains sixteen slightly changed copies too, for `relevanceInterval`. */
  readonly hasInterval?: boolean;
  /** Ends the waiting for a pipe; its reason is thrown then. */
  readonly signal?: AbortSignal;
}

export interface ExplainAllRequest {
  /** Each image is explained for each of them, one after another; the predicted class by default. */
  readonly targets?: readonly ClassTarget[];
  readonly stem?: (image: ImageSource, target?: ClassTarget) => string | undefined;
  readonly hasInterval?: boolean;
  /** Side of a square picture of each file, for people. */
  readonly pictureSize?: number;
  /** As in `ExplainRequest`. */
  readonly signal?: AbortSignal;
}

export interface ExplainedImage extends Explained {
  /** Of the upright original, pixels. */
  readonly width: number;
  readonly height: number;
  /** `[P, P, 3]` RGB 0..255, squeezed into a square, where `pictureSize` asked for it. */
  readonly picture?: Uint8Array;
  /** What is odd about the file, with its name. */
  readonly note?: string;
}

/** What became of one image of many; one that cannot be read does not stop the others. */
export type Outcome =
  | { readonly image: ImageSource; readonly explained: ExplainedImage }
  | { readonly image: ImageSource; readonly error: InputError };

export interface Explainer {
  readonly description: BundleDescription;
  readonly spec: ModelSpec;
  readonly classifier: ClassifierSpec;
  /** Of relevance, for the method; calibrated for the bundle's own only. */
  readonly threshold: RelevanceThreshold;
  /**
   * @throws ImageError where the image cannot be read; InputError where the target is none of the model's, or the image is
   *   neither a path nor pixels of the model's size; BundleError where the graph fails.
   */
  explain(image: ImageSource, request?: ExplainRequest): Promise<ExplainedImage>;
  /** In the order given; a few images are decoded while others are explained, however many there are. */
  explainAll(
    images: Iterable<ImageSource> | AsyncIterable<ImageSource>,
    request?: ExplainAllRequest,
  ): AsyncGenerator<Outcome>;
  dispose(): Promise<void>;
}

/** Enough that neither decoding nor the graph waits for the other; each holds a few megabytes. */
const AHEAD = 4;

export interface ExplainerOptions extends RuntimeOptions {
  /** The bundle's own by default. Another one is traced anew from its weights, which loads TensorFlow.js. */
  readonly method?: MethodChoice;
}

/**
 * Opens a bundle for explaining, reading no more of it than `bundle.json`, `explain.onnx` and the weights.
 *
 * @throws BundleError where the bundle is damaged, or wants images resized in another way; ConfigError where the model does not
 *   allow the method.
 */
export async function openExplainer(opened: string | Bundle, given: ExplainerOptions = {}): Promise<Explainer> {
  checkOpening(opened, given);
  const { method: asked = {}, ...options } = given;
  checkMethod(asked);
  const bundle = typeof opened === "string" ? await readBundle(opened) : opened;
  const { description, path } = bundle;
  checkImageReading(description, path);
  const [classifier] = description.model.heads.filter((head) => head.kind === "classifier");
  const name = `${path}: ${FILES.explain}`;
  const { method, isOwn, threshold } = resolveMethod(asked, description);
  const readModel = isOwn ? () => readGraph(bundle, "explain") : await tracedOnce(bundle, method);
  const createSession = async (runtime: Runtime) => openGraph(runtime, await readModel(), { source: name });
  const sessions = await openSessionPool(createSession, options);

  const size = description.model.trunk.inputSize;
  const explainBy = async (run: Run, image: Promise<LoadedImage>, request: ExplainRequest): Promise<ExplainedImage> => {
    const { name, pixels: bytes, width, height, picture, note } = await image;
    const pixels = ndArray([1, size, size, 3], new Float32Array(bytes));
    const read = async (image: NdArray, { target, stem }: ExplainRequest) => {
      // The graph of an inner target asks for no class.
      const asked: NdArrays = method.target ? {} : { target: targetWeights(target, classifier) };
      const how = {
        spec: description.model,
        threshold,
        method,
        image: name,
        target,
        stem,
      };
      // A session in a worker takes the numbers away with it.
      const copy = ndArray(image.shape, Float32Array.from(image.data));
      return readExplanation(await run({ image: copy, ...asked }), how);
    };
    const explained = {
      ...(await read(pixels, request)),
      width,
      height,
      ...(picture && { picture }),
      ...(note && { note }),
    };
    if (!request.hasInterval) return explained;
    // A changed image may be answered otherwise; the question stays.
    const target = method.target ? undefined : (explained.explanation.target as ClassTarget);
    const readings: (readonly AspectExplanation[])[] = [];
    for (const copy of perturbed(pixels)) readings.push((await read(copy, { target })).explanation.aspects);
    const intervals = relevanceIntervals(readings);
    const aspects = explained.explanation.aspects.map((aspect) => ({
      ...aspect,
      relevanceInterval: aspect.relevance === null ? null : intervals[aspect.name],
    }));
    return { ...explained, explanation: { ...explained.explanation, aspects } };
  };
  const explain: Explainer["explain"] = async (image, request = {}) => {
    checkRequest(request, ["target", "stem", "hasInterval", "signal"]);
    checkStem(request.stem);
    checkTarget(request.target, classifier);
    return explainBy(sessions.run, loadImage(image, { size, signal: request.signal }), request);
  };

  async function* explainAll(
    images: Iterable<ImageSource> | AsyncIterable<ImageSource>,
    request: ExplainAllRequest = {},
  ): AsyncGenerator<Outcome> {
    checkImages(images);
    checkRequest(request, ["targets", "stem", "hasInterval", "pictureSize", "signal"]);
    const { targets, stem, hasInterval, pictureSize, signal } = request;
    for (const target of targets ?? []) checkTarget(target, classifier);
    const running: Promise<() => Outcome>[] = [];
    for await (const image of images) {
      const loaded = loadImage(image, { size, pictureSize, signal });
      for (const target of targets?.length ? targets : [undefined]) {
        const request = { target, stem: stem?.(image, target), hasInterval };
        running.push(settled(image, explainBy(sessions.next(), loaded, request)));
        if (running.length >= AHEAD) yield await next(running);
      }
    }
    while (running.length > 0) yield await next(running);
  }

  return {
    description,
    spec: description.model,
    classifier,
    threshold,
    explain,
    explainAll,
    dispose: () => sessions.dispose(),
  };
}

async function next(running: Promise<() => Outcome>[]): Promise<Outcome> {
  const first = await running.shift();
  if (!first) throw new RangeError("nothing runs");
  return first();
}

/** Never rejects, so that a failure waits for its turn; what is no fault of the image is thrown then. */
async function settled(image: ImageSource, work: Promise<ExplainedImage>): Promise<() => Outcome> {
  try {
    const explained = await work;
    return () => ({ image, explained });
  } catch (error) {
    if (error instanceof InputError && !(error instanceof BundleError)) return () => ({ image, error });
    return () => {
      throw error;
    };
  }
}

/** The method with the bundle's own choices filled in, and whether its graph and its threshold serve it. */
function resolveMethod(
  asked: MethodChoice,
  { saliency: ownSaliency, masking: ownMasking, threshold, model }: BundleDescription,
): { method: MethodChoice; isOwn: boolean; threshold: RelevanceThreshold } {
  const { saliency = ownSaliency, tap, mapping = "identity", target, isLogit = false } = asked;
  // All heads' own layer, named, is what they read anyway.
  const isSameLayer = model.heads.every((head) => head.kind === "classifier" || head.taps.every((own) => own === tap));
  const isSameEvidence = saliency === ownSaliency && (tap === undefined || isSameLayer);
  const usual = isSameEvidence ? ownMasking : undefined;
  const { masking } = methodOf({ saliency, masking: asked.masking ?? usual, tap });
  const isFit = isSameEvidence && mapping === "identity" && target === undefined;
  return {
    method: { ...asked, saliency, masking },
    isOwn: isFit && masking === ownMasking && !isLogit && tap === undefined,
    threshold: isFit ? threshold : { value: UNCALIBRATED_THRESHOLD, isCalibrated: false },
  };
}

/** The graph of another method than the bundle's own; every session gets a copy of the same bytes. */
async function tracedOnce(bundle: Bundle, method: MethodChoice): Promise<() => Promise<Uint8Array>> {
  await readGraph(bundle, "explain"); // the description is that of a graph of bounded size
  const { traceExplain } = await import("./export-bundle.js");
  const graph = await traceExplain(await readBundledModel(bundle), method);
  return async () => graph.slice();
}
