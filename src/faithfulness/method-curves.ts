/** Mean deletion and insertion curves of each method's map, beside those of places in random order. */

import type { Sample } from "../core/annotation.js";
import type { ExplanationMaps } from "../explain/explanation.js";
import { blurred, type Curves, deletionCurves } from "./deletion-curves.js";
import type { Measuring } from "./measuring.js";

/** One image with the map of each method, in the order of the methods. */
export interface ImageMaps {
  readonly sample: Sample;
  readonly maps: readonly ExplanationMaps["saliency"][];
}

export interface MethodCurves {
  /** In the order of the maps. */
  readonly methods: readonly Curves[];
  readonly random: Curves;
}

/** @returns means over the images; `null` without images. */
export async function methodCurves(
  { model, engine, trained, batchSize, checkInterruption }: Measuring,
  images: readonly ImageMaps[],
): Promise<MethodCurves | null> {
  if (images.length === 0) return null;
  const { inputSize } = trained.spec.trunk;
  async function* followed() {
    for (const { sample, maps } of images) {
      checkInterruption();
      // Cells of equal saliency come in random order.
      const equal = { ...maps[0], values: new Float32Array(maps[0].values.length) };
      yield [{ sample, maps: [...maps, equal], blurred: await blurred(sample.image, inputSize) }];
    }
  }
  const sums = [...images[0].maps, undefined].map(() => ({ deletion: 0, insertion: 0 }));
  const run = { engine, constants: trained.parameters, batchSize, followed: followed() };
  for await (const curves of deletionCurves(model, run)) {
    for (const [index, { deletion, insertion }] of curves.entries()) {
      sums[index].deletion += deletion / images.length;
      sums[index].insertion += insertion / images.length;
    }
  }
  return { methods: sums.slice(0, -1), random: sums[sums.length - 1] };
}
