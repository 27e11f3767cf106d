/**
 * Explains one image by one graph: the pixels and the target go in, the outputs are read; with an interval, for changed
 * copies too.
 */

import type { Absences } from "../core/absences.js";
import type { Crop } from "../core/augmented-view.js";
import { type NdArray, type NdArrays, ndArray } from "../core/nd-array.js";
import type { ScoreScale } from "../core/relevance-scale.js";
import type { RunGraph } from "../engine/session-pool.js";
import type { AspectExplanation, Explained, MethodChoice } from "../explain/explanation.js";
import { headlineText } from "../explain/headline.js";
import { type DrawnRegion, readDrawnRegions } from "../explain/reading/drawn-region.js";
import { readExplanation } from "../explain/reading/read-explanation.js";
import { perturbed, relevanceIntervals } from "../explain/reading/relevance-interval.js";
import { targetWeights } from "../explain/reading/target-weights.js";
import { PERTURBATIONS } from "../explain/relevance-constants.js";
import { classTargetOf, innerTargetOf, type Target } from "../explain/target.js";
import type { ClassifierSpec } from "../heads/head-spec.js";
import { imageInputs } from "../model/image-inputs.js";
import type { ModelSpec } from "../model/model-spec.js";
import type { LoadedImage } from "./image-source.js";

/** What is the same for all images of a request. */
export interface HowToExplain {
  readonly spec: ModelSpec;
  readonly classifier: ClassifierSpec;
  readonly method: MethodChoice;
  readonly scale: ScoreScale;
  /** Aspects whose heads see nothing. */
  readonly unseen: readonly string[];
  readonly absences: Absences;
  readonly target?: Target;
  readonly stem?: string;
  readonly hasInterval?: boolean;
  /** Regions that are asked about. */
  readonly drawn?: readonly Uint8Array[];
}

/** @param run of the graph that explains the target. */
export async function explainImage(
  run: RunGraph,
  { name, pixels, otherSizes, crop }: LoadedImage,
  { hasInterval = false, ...how }: HowToExplain,
): Promise<Explained & { readonly drawn?: readonly DrawnRegion[] }> {
  const size = how.spec.trunk.inputSize;
  const sample = { path: name, image: pixels, otherSizes, target: {}, aspects: {} };
  const images = imageInputs(how.spec, [sample], { batchSize: 1 });
  const explained = await explainPixels(run, images, { ...how, image: name, crop });
  if (!hasInterval) return explained;
  // A changed image may be answered otherwise; the question stays.
  const { target } = explained.explanation;
  const readings: (readonly AspectExplanation[])[] = [];
  const copies = Object.entries(images).map(([input, image]) => [input, perturbed(image, { size })] as const);
  for (let index = 0; index < PERTURBATIONS.count; index++) {
    const changed = Object.fromEntries(copies.map(([input, copy]) => [input, copy.next().value as NdArray]));
    const { explanation } = await explainPixels(run, changed, {
      ...how,
      drawn: undefined,
      stem: undefined,
      target,
      image: name,
    });
    readings.push(explanation.aspects);
  }
  const intervals = relevanceIntervals(readings);
  const aspects = explained.explanation.aspects.map((aspect) => ({
    ...aspect,
    relevanceInterval: aspect.relevance === null ? null : intervals[aspect.name],
  }));
  const explanation = { ...explained.explanation, aspects };
  const headline = { ...explanation.headline, text: headlineText(explanation) };
  return { ...explained, explanation: { ...explanation, headline } };
}

async function explainPixels(
  run: RunGraph,
  images: NdArrays,
  { classifier, ...how }: Omit<HowToExplain, "hasInterval"> & { image: string; crop?: Crop },
): Promise<Explained & { readonly drawn?: readonly DrawnRegion[] }> {
  // The graph of an inner target asks for no class.
  const asked: NdArrays = innerTargetOf(how.target)
    ? {}
    : { target: targetWeights(classTargetOf(how.target), classifier) };
  // A session in a worker takes the numbers away with it.
  const copies = Object.entries(images).map(([input, { shape, data }]) => [
    input,
    ndArray(shape, Float32Array.from(data)),
  ]);
  const outputs = await run({ ...Object.fromEntries(copies), ...asked });
  const explained = readExplanation(outputs, how);
  return how.drawn ? { ...explained, drawn: readDrawnRegions(outputs, how.drawn, how) } : explained;
}
