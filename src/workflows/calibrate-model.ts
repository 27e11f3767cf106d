/** What a model's scores mean: for every saliency method and kind of target, on the validation images. */

import type { Absences } from "../core/absences.js";
import type { RelevanceScales } from "../core/relevance-scale.js";
import { type CalibrateOptions, calibrate } from "../explain/calibration/calibrate.js";
import { innerScales } from "../explain/calibration/inner-targets.js";
import { measureAbsences } from "../explain/calibration/measure-absences.js";
import { allowsCam } from "../explain/graph/explained-taps.js";
import { DEFAULT_SALIENCY, SALIENCY_NAMES, type SaliencyName } from "../explain/methods.js";
import { OTHER_METHODS } from "../explain/relevance-constants.js";
import type { Model } from "../model/model.js";

/** With what `calibrateModel` measures. */
export interface CalibrateModelOptions extends Omit<CalibrateOptions, "methods" | "limit" | "randomization"> {
  /** Beside the default. */
  readonly others: readonly SaliencyName[];
  /** Called with the share of all work that is done, 0..1, and what is being done. */
  readonly onProgress?: (share: number, what: string) => void;
}

/** Scales of all that was asked for, and what the default method found odd. */
export async function calibrateModel(
  model: Model,
  { others, batchSize = 8, onProgress, ...given }: CalibrateModelOptions,
): Promise<{ scales: RelevanceScales; absences: Absences; imageCount: number; warnings: readonly string[] }> {
  const common = { ...given, batchSize };
  onProgress?.(0, DEFAULT_SALIENCY);
  const { scales, imageCount, warnings } = await calibrate(model, common);
  const { images: limit, randomization } = OTHER_METHODS;
  if (others.length > 0) onProgress?.(1 / 3, "the other methods");
  const more =
    others.length > 0 ? await calibrate(model, { ...common, methods: others, limit, randomization }) : { scales: {} };
  onProgress?.(2 / 3, "targets other than classes");
  const inner = await innerScales(model, common);
  onProgress?.(5 / 6, "the absence of aspects");
  const absences = await measureAbsences(model, common);
  return {
    absences,
    scales: { ...more.scales, [DEFAULT_SALIENCY]: { ...scales[DEFAULT_SALIENCY], ...inner } },
    imageCount,
    warnings,
  };
}

/**
 * The methods that training calibrates beside the default: all that the model allows, but for Score-CAM, which runs the
 * rest of the network once for every channel of every image.
 */
export function usualMethods(model: Model): readonly SaliencyName[] {
  return methodsOf(model).filter((name) => name !== "score-cam");
}

/** All that the model allows, but for the default. */
export function methodsOf(model: Model): readonly SaliencyName[] {
  return SALIENCY_NAMES.filter((name) => name !== DEFAULT_SALIENCY && (name !== "cam" || allowsCam(model)));
}
