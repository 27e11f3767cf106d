/** Explains images with a bundle: decode, one call of `explain.onnx`, read; loads no TensorFlow.js. */

import type { InputError } from "../core/errors.js";
import type { ScoreScale } from "../core/relevance-scale.js";
import type { RuntimeOptions } from "../engine/devices.js";
import type { RunGraph } from "../engine/session-pool.js";
import type { Explained, MethodChoice } from "../explain/explanation.js";
import type { DrawnRegion } from "../explain/reading/drawn-region.js";
import type { Target } from "../explain/target.js";
import type { ClassifierSpec } from "../heads/head-spec.js";
import { imageSizes, type ModelSpec } from "../model/model-spec.js";
import { checkImages, checkMethod, checkOpening, checkRequest, checkStem, checkTarget } from "./check-request.js";
import { type BundleDescription, checkImageReading } from "./description.js";
import { explainImage, type HowToExplain } from "./explain-image.js";
import { inOrder } from "./explain-many.js";
import { type ExplanationGraphs, explanationGraphs } from "./explanation-graphs.js";
import { type ImageSource, type LoadedImage, loadImage, type Picture } from "./image-source.js";
import { type Bundle, readBundle } from "./read-bundle.js";

export type { ImageSource, Picture } from "./image-source.js";

/** How one image is explained. */
export interface ExplainRequest {
  /**
   * The predicted class by default. Another part of the network, or a class's own logit, takes a graph that is traced
   * first.
   */
  readonly target?: Target;
  /** How the names of mask files begin; the image's own name without its ending by default. */
  readonly stem?: string;
  /** Explains sixteen slightly changed copies too, for `relevanceInterval`. */
  readonly hasInterval?: boolean;
  /** Longer side of a picture of the file for people, pixels; none by default. */
  readonly pictureSize?: number;
  /** Regions to say something of: masks of the model's input, `[height * width]`, not 0 inside. */
  readonly regions?: readonly Uint8Array[];
  /** Its reason is thrown where it is aborted already, or while a pipe is waited for. */
  readonly signal?: AbortSignal;
}

/** How the images of one `explainAll` are explained. */
export interface ExplainAllRequest {
  /** Each image is explained for each of them, one after another; the predicted class by default. */
  readonly targets?: readonly Target[];
  /** How the names of an image's mask files begin; `undefined` for its own name without its ending. */
  readonly stem?: (image: ImageSource, target?: Target) => string | undefined;
  readonly hasInterval?: boolean;
  /** Longer side of a picture of each file for people, pixels; none by default. */
  readonly pictureSize?: number;
  /** Ends the waiting for a pipe; its reason is thrown then. To stop between images, leave the loop. */
  readonly signal?: AbortSignal;
}

/** An explanation, its maps, and the size of the image that it is about. */
export interface ExplainedImage extends Explained {
  /** Of the upright original, pixels. */
  readonly width: number;
  readonly height: number;
  /** Where `pictureSize` asked for it and the source is a file. */
  readonly picture?: Picture;
  /** Of the regions that were asked about, in order. */
  readonly drawn?: readonly DrawnRegion[];
  /** What is odd about the file, with its name. */
  readonly note?: string;
}

/** What became of one image of many; one that cannot be read does not stop the others. */
export type Outcome =
  | { readonly image: ImageSource; readonly explained: ExplainedImage }
  | { readonly image: ImageSource; readonly error: InputError };

/** An opened bundle that explains images. Whoever opened it disposes it. */
export interface Explainer {
  readonly description: BundleDescription;
  readonly spec: ModelSpec;
  readonly classifier: ClassifierSpec;
  /** What scores mean; calibrated at the heads' own layers alone. */
  scaleOf(target?: Target): ScoreScale;
  /**
   * @throws ImageError where the image cannot be read; InputError where the target is none of the model's, or the image
   *   is neither a path, nor bytes, nor pixels of the model's size; ConfigError where the method cannot explain the target;
   *   BundleError where the graph fails; EngineError after `dispose`.
   */
  explain(image: ImageSource, request?: ExplainRequest): Promise<ExplainedImage>;
  /** In the order given; a few images are decoded while others are explained, however many there are. */
  explainAll(
    images: Iterable<ImageSource> | AsyncIterable<ImageSource>,
    request?: ExplainAllRequest,
  ): AsyncGenerator<Outcome>;
  /** Ends the runtime and frees its graphs. */
  dispose(): Promise<void>;
}

/** Method and runtime of an explainer. */
export interface ExplainerOptions extends RuntimeOptions {
  /** The bundle's own by default. Another one is traced anew from its weights, which loads TensorFlow.js. */
  readonly method?: MethodChoice;
  /**
   * What will be asked for: the graphs of these targets are opened at once, others when they are needed; the predicted
   * class by default.
   */
  readonly targets?: readonly Target[];
}

/**
 * Opens a bundle for explaining, reading no more of it than `bundle.json`, `explain.onnx` and the weights.
 *
 * @param source path of the bundle, or what `readBundle` gave.
 * @returns the explainer; the caller disposes it.
 * @throws BundleError where the bundle is damaged, or wants images resized in another way; ConfigError where the model
 *   does not allow the method.
 */
export async function openExplainer(source: string | Bundle, options: ExplainerOptions = {}): Promise<Explainer> {
  checkOpening(source, options);
  const { method: asked = {}, targets = [], ...runtime } = options;
  checkMethod(asked);
  const bundle = typeof source === "string" ? await readBundle(source) : source;
  const { description } = bundle;
  const { model: spec } = description;
  checkImageReading(description, bundle.path);
  const [classifier] = spec.heads.filter((head) => head.kind === "classifier");
  for (const target of targets) checkTarget(target, classifier);
  const graphs = explanationGraphs(bundle, asked, runtime);
  const openAll = async (wanted: readonly (Target | undefined)[]) => {
    for (const target of wanted) await graphs.sessionsOf(target);
  };
  await openAll(targets.length > 0 ? targets : [undefined]);

  const { inputSize: size, otherSizes, centerCrop } = imageSizes(spec);
  const unseen = Object.keys(description.provenance.unseen ?? {});
  const { absences = {} } = description;
  let underway = 0;
  const explainLoaded = loadedExplainer(graphs, { spec, classifier, unseen, absences });

  async function* begun(
    images: Iterable<ImageSource> | AsyncIterable<ImageSource>,
    { targets, stem, hasInterval, pictureSize, signal }: ExplainAllRequest,
  ): AsyncGenerator<{ image: ImageSource; explained: Promise<ExplainedImage> }> {
    const asked = targets?.length ? targets : [undefined];
    await openAll(asked);
    for await (const image of images) {
      const loaded = loadImage(image, { size, otherSizes, centerCrop, pictureSize, signal });
      for (const target of asked) {
        const sessions = await graphs.sessionsOf(target);
        const request = { target, stem: stem?.(image, target), hasInterval };
        yield { image, explained: explainLoaded(sessions.next(), loaded, request) };
      }
    }
  }

  return {
    description,
    spec,
    classifier,
    scaleOf: (target) => graphs.scaleOf(target),
    async explain(image, request = {}) {
      checkRequest(request, ["target", "stem", "hasInterval", "pictureSize", "regions", "signal"]);
      request.signal?.throwIfAborted();
      checkStem(request.stem);
      checkTarget(request.target, classifier);
      const { pictureSize, signal } = request;
      const loaded = loadImage(image, { size, otherSizes, centerCrop, pictureSize, signal });
      loaded.catch(() => {}); // thrown below, where it is awaited
      const sessions = await graphs.sessionsOf(request.target);
      underway++;
      try {
        // One alone is fastest on all cores; many at once, as a server gets them, on a core each.
        return await explainLoaded(underway > 1 ? sessions.next() : sessions.run, loaded, request);
      } finally {
        underway--;
      }
    },
    async *explainAll(images, request = {}) {
      checkImages(images);
      checkRequest(request, ["targets", "stem", "hasInterval", "pictureSize", "signal"]);
      for (const target of request.targets ?? []) checkTarget(target, classifier);
      yield* inOrder(begun(images, request));
    },
    dispose: () => graphs.dispose(),
  };
}

/** Explains an image as soon as it is loaded. */
function loadedExplainer(
  graphs: ExplanationGraphs,
  common: Pick<HowToExplain, "spec" | "classifier" | "unseen" | "absences">,
) {
  return async (
    run: RunGraph,
    loaded: Promise<LoadedImage>,
    { target, stem, hasInterval, regions }: ExplainRequest,
  ): Promise<ExplainedImage> => {
    const image = await loaded;
    const { width, height, picture, note } = image;
    const how = {
      ...common,
      method: graphs.method,
      scale: graphs.scaleOf(target),
      target,
      stem,
      hasInterval,
      ...(regions && { drawn: regions }),
    };
    const explained = await explainImage(run, image, how);
    return { ...explained, width, height, ...(picture && { picture }), ...(note && { note }) };
  };
}
