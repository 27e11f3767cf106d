/**
 * From a trained model to a bundle: traces both graphs, and runs them for the goldens; the only part that needs
 * TensorFlow.js.
 */

import type { Tensor2D, Tensor4D } from "@tensorflow/tfjs";
import { BundleError } from "../core/errors.js";
import { answerPort, INPUTS, referenceName } from "../core/graph-ports.js";
import { shown } from "../core/message-text.js";
import { type NdArray, type NdArrays, ndArray } from "../core/nd-array.js";
import { notFinite } from "../core/not-finite.js";
import { ownValue } from "../core/own-value.js";
import { random } from "../core/random.js";
import { pixelCount, shapeOf, sidesOf } from "../core/size.js";
import { RESIZE_KERNEL, resizePixels } from "../dataset/resize-image.js";
import { type Runtime, withRuntime } from "../engine/session.js";
import type { MethodChoice } from "../explain/explanation.js";
import { explainConstants } from "../explain/graph/graph-constants.js";
import type { ExplainOptions } from "../explain/graph/options.js";
import { imageShapes, imageSizesByInput } from "../model/image-inputs.js";
import type { Model } from "../model/model.js";
import type { ModelSpec } from "../model/model-spec.js";
import type { TrainedModel } from "../model/trained-model.js";
import { checkGraph } from "./check-graph.js";
import { FILES } from "./description.js";
import { type Golden, goldenInputs } from "./golden.js";
import { writeBundle } from "./write-bundle.js";

/** What `exportBundle` puts into a bundle beside the model. */
export interface ExportOptions {
  /** Runs the goldens; by default one that is opened for it. */
  readonly runtime?: Runtime;
  /** Images that become goldens, each `[S * S * 3]` RGB 0..255; a drawn one and noise are always added. */
  readonly samples?: readonly Uint8Array[];
  /** The resizing kernel of training; that of `batches` by default. */
  readonly kernel?: string;
  readonly name?: string;
  /** How the bundle explains unless it is asked to do so in another way. */
  readonly method?: Pick<MethodChoice, "saliency" | "masking">;
  /** Text of the model's licence. */
  readonly licence?: string;
  /** Of the noise. */
  readonly seed?: number;
  /** Stops between two parts of the work; nothing is written then. */
  readonly signal?: AbortSignal;
}

/**
 * Writes a trained model as a bundle.
 *
 * Writes `path` whole or not at all; the same model, samples and machine give the same bytes.
 *
 * @throws BundleError where a graph is larger than `LIMITS` allow.
 * @throws BundleError where a number of the model or of its answers is NaN or Infinity.
 * @throws ConfigError where the model cannot be explained, TraceError where it cannot be one static graph.
 */
export async function exportBundle(trained: TrainedModel, path: string, options: ExportOptions = {}): Promise<void> {
  const {
    runtime,
    samples = [],
    kernel = RESIZE_KERNEL,
    name,
    method,
    licence,
    seed = trained.provenance.seed,
  } = options;
  const { signal } = options;
  checkNumbers(trained, path);
  const graphs = await traceGraphs(trained, method);
  const { spec } = trained;
  // What could not be read back is not written.
  for (const graph of ["predict", "explain"] as const)
    checkGraph(graphs[graph], { graph, description: { model: spec }, source: `${path}: ${FILES[graph]}` });
  const images = [...samples.map(toImage(spec)), drawn(spec), noise(spec, { seed })];
  const goldens = await withRuntime(runtime, (runtime) => runGoldens(graphs, { runtime, images, spec, signal }));
  signal?.throwIfAborted();
  await writeBundle(path, trained, { ...graphs, goldens, kernel, name, ...method, licence });
}

/** @throws BundleError where a parameter or reference holds what is no number. */
function checkNumbers({ parameters, references }: TrainedModel, path: string): void {
  const parameter = notFinite(parameters);
  const wrong = parameter ?? notFinite(references);
  if (wrong === undefined) return;
  throw new BundleError(
    `${path}: the ${parameter ? "parameter" : "reference"} ${shown(wrong)} holds NaN or Infinity.`,
    { cure: "Train the model again, at a lower learning rate." },
  );
}

/**
 * Both graphs as standard ONNX with the numbers inside. `predict`: input `image`; outputs `logits`, `scores`,
 * `<aspect>/unmasked`. `explain`: inputs `image` and `target`; outputs as `explainFunction`.
 */
export async function traceGraphs(
  trained: TrainedModel,
  options?: ExplainOptions,
): Promise<{ predict: Uint8Array; explain: Uint8Array }> {
  return { predict: await tracePredict(trained), explain: await traceExplain(trained, options) };
}

/** `explain` for any method and target. @throws ConfigError where the model or the method does not allow it. */
export async function traceExplain(
  { spec, parameters, references }: TrainedModel,
  options: ExplainOptions = {},
): Promise<Uint8Array> {
  // Loaded here, so that whoever only reads bundles does not load TensorFlow.js.
  const [{ createModel }, { explainFunction }, { exportGraph }] = await Promise.all([
    import("../model/model.js"),
    import("../explain/graph/explain-function.js"),
    import("../engine/compile.js"),
  ]);
  const model = createModel(spec);
  checkShapes(model, { parameters, references });
  return exportGraph(explainFunction(model, options), {
    inputs: { ...imageShapes(spec, 1), target: [1, classCount(spec)] },
    constants: explainConstants({ parameters, references }),
    name: "explain",
  });
}

/** @throws BundleError where a parameter or a reference is missing, or of another shape than the model's. */
function checkShapes(
  { trunk, headParameters, aspectTaps, classifier, spec }: Model,
  { parameters, references }: Pick<TrainedModel, "parameters" | "references">,
): void {
  const check = (name: string, found: NdArray | undefined, shape: readonly number[]) => {
    if (found?.shape.join() === shape.join()) return;
    const got = found ? `[${found.shape.join(", ")}]` : "none";
    throw new BundleError(`${name}: the model needs numbers of shape [${shape.join(", ")}], got ${got}.`, {
      cure: "Train or export the model again.",
    });
  };
  for (const { name, shape } of [...trunk.foldedParameters, ...headParameters])
    check(name, ownValue(parameters, name), shape);
  for (const tap of new Set([...aspectTaps, spec.source])) {
    const channels = trunk.taps.find(({ name }) => name === tap)?.channels ?? 0;
    check(referenceName(tap), ownValue(references, tap), [classifier.spec.classes.length + 1, channels]);
  }
}

async function tracePredict({ spec, parameters }: TrainedModel): Promise<Uint8Array> {
  const [{ createModel, predict }, { scoresOf }, { exportGraph }] = await Promise.all([
    import("../model/model.js"),
    import("../explain/graph/logit-target.js"),
    import("../engine/compile.js"),
  ]);
  const model = createModel(spec);
  return exportGraph(
    ({ inputs, constants }) => {
      const values = { input: inputs.image as Tensor4D };
      const { [model.classifier.spec.name]: answer, ...aspects } = predict(model, constants, values, {
        images: inputs,
      });
      const logits = answer as Tensor2D;
      const unmasked = Object.entries(aspects).map(([name, value]) => [answerPort(name, "unmasked"), value]);
      const scores = scoresOf(logits, model.classifier.spec);
      return { outputs: { logits, scores, ...Object.fromEntries(unmasked) } };
    },
    { inputs: imageShapes(spec, 1), constants: parameters, name: "predict" },
  );
}

async function runGoldens(
  graphs: { predict: Uint8Array; explain: Uint8Array },
  {
    runtime,
    images,
    spec,
    signal,
  }: { runtime: Runtime; images: readonly NdArray[]; spec: ModelSpec; signal?: AbortSignal },
): Promise<Golden[]> {
  const results: Record<"predict" | "explain", NdArrays[]> = { predict: [], explain: [] };
  const inputs: Pick<Golden, "image" | "otherImages" | "target">[] = [];
  for (const [index, image] of images.entries())
    inputs.push({
      image,
      otherImages: await otherImages(spec, image),
      target: goldenTarget(classCount(spec), index),
    });
  for (const graph of ["predict", "explain"] as const) {
    const session = await runtime.createSession(graphs[graph], { name: FILES[graph] });
    try {
      for (const given of inputs) {
        signal?.throwIfAborted();
        const outputs = await session.run(goldenInputs(given, graph));
        const wrong = notFinite(outputs);
        if (wrong !== undefined)
          throw new BundleError(`${FILES[graph]}: gives NaN or Infinity in the output ${shown(wrong)}.`, {
            cure: "Train the model again, at a lower learning rate.",
          });
        results[graph].push(outputs);
      }
    } finally {
      await session.dispose();
    }
  }
  return inputs.map((given, index) => ({
    name: String(index + 1),
    ...given,
    predict: results.predict[index],
    explain: results.explain[index],
  }));
}

/** What networks of their own see of an image of the classifier's size, by the name of the input. */
async function otherImages(spec: ModelSpec, { data }: NdArray): Promise<NdArrays> {
  const from = spec.trunk.inputSize;
  const found: Record<string, NdArray> = {};
  for (const [input, to] of imageSizesByInput(spec)) {
    if (input === INPUTS.image) continue;
    const pixels = await resizePixels(Uint8Array.from(data), { from, to });
    found[input] = ndArray([1, ...shapeOf(to), 3], new Float32Array(pixels));
  }
  return found;
}

/** In turn: the predicted class, the first class, the margin between the first two. */
function goldenTarget(count: number, index: number): NdArray {
  const target = ndArray([1, count]);
  if (index % 3 >= 1) target.data[0] = 1;
  if (index % 3 === 2 && count > 1) target.data[1] = -1;
  return target;
}

function classCount({ heads }: ModelSpec): number {
  const [classes] = heads.flatMap((head) => (head.kind === "classifier" ? [head.classes] : []));
  return Math.max(1, classes.length);
}

function toImage({ trunk: { inputSize } }: ModelSpec): (pixels: Uint8Array) => NdArray {
  return (pixels) => ndArray([1, ...shapeOf(inputSize), 3], new Float32Array(pixels));
}

/** Gradients of colour with a dark disc: smooth, with edges, and unlike noise. */
function drawn(spec: ModelSpec): NdArray {
  const { height, width } = sidesOf(spec.trunk.inputSize);
  const pixels = new Uint8Array(height * width * 3);
  const radius = Math.min(height, width) / 5;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const isDisc = Math.hypot(y - height / 2, x - width / 3) < radius;
      const colour = isDisc ? [90, 50, 110] : [(255 * x) / width, (255 * y) / height, 200 - (100 * x) / width];
      pixels.set(colour, (y * width + x) * 3);
    }
  }
  return toImage(spec)(pixels);
}

function noise(spec: ModelSpec, { seed }: { seed: number }): NdArray {
  const length = pixelCount(spec.trunk.inputSize) * 3;
  const stream = random(seed, "golden");
  return toImage(spec)(Uint8Array.from({ length }, () => stream.integer(256)));
}
