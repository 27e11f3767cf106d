/** Explains the test images by every method and masking, and keeps the cases in which the default errs most. */

import type { Sample } from "../core/annotation.js";
import { answerPort, maskingPort } from "../core/graph-ports.js";
import type { NdArrays } from "../core/nd-array.js";
import { ownValue } from "../core/own-value.js";
import { type ScoreScale, scaleIn } from "../core/relevance-scale.js";
import { calibrate } from "../explain/calibration/calibrate.js";
import type { GroundTruthComparison } from "../explain/calibration/ground-truth.js";
import { overSamples } from "../explain/calibration/run-over-samples.js";
import type { Explained } from "../explain/explanation.js";
import { allMaskings, withMasking } from "../explain/graph/all-maskings.js";
import { explainConstants } from "../explain/graph/graph-constants.js";
import { type MaskingName, maskingsOf, type SaliencyName } from "../explain/methods.js";
import { headsOf } from "../explain/reading/read-scores.js";
import { elementsOf } from "../explain/reading/regions.js";
import { survivalOver } from "../explain/reading/survival.js";
import type { ModelSpec } from "../model/model-spec.js";
import type { Faithfulness } from "./faithfulness.js";
import { compareSample, type Measuring, readSample } from "./measuring.js";
import type { ImageMaps } from "./method-curves.js";
import type { Effects } from "./removal-tally.js";
import { countedAspects, createTally } from "./tally.js";

/** An explanation beside the ground truth, with what a picture of it needs. */
export interface Case {
  readonly comparison: GroundTruthComparison;
  readonly explained: Explained;
  /** As the model saw it, `[S, S, 3]` RGB. */
  readonly pixels: Uint8Array;
  /**
   * Relevance of the most relevant distractor less that of the most relevant cause; below 0 where the cause is named.
   */
  readonly error: number;
}

/** Cases that are kept. */
export const WORST = 12;
/** Validation images that set the scale of a method for which the model has none. */
const CALIBRATION_IMAGES = 300;

export interface Comparison {
  /** One for each method and masking. */
  readonly reports: readonly Faithfulness[];
  /** The cases in which the default errs most, worst first. */
  readonly worst: readonly Case[];
  /** The first images that are answered right, each with the map of every method. */
  readonly maps: readonly ImageMaps[];
}

/**
 * @param names of the methods, the default first.
 * @param masking of the default.
 * @param effects of painting over aspects, by path of the image.
 * @param curveImages of how many images the maps are kept.
 */
export async function compareMethods(
  measuring: Measuring,
  {
    names,
    masking,
    effects,
    curveImages,
  }: {
    names: readonly SaliencyName[];
    masking: MaskingName;
    effects: ReadonlyMap<string, Effects>;
    curveImages: number;
  },
): Promise<Comparison> {
  const { model, engine, batchSize, trained } = measuring;
  const constants = explainConstants(trained);
  const worst: Case[] = [];
  const maps = new Map<string, { sample: Sample; maps: Explained["maps"]["saliency"][] }>();
  const reports: Faithfulness[] = [];
  for (const [index, saliency] of names.entries()) {
    const isDefault = (way: MaskingName) => index === 0 && way === masking;
    const maskings = maskingsOf(saliency);
    // Read in full; of the other maskings only survival differs.
    const read = index === 0 ? masking : maskings[0];
    const scale = ownValue(trained.scales, saliency)?.class ?? (await scaleOf(measuring, saliency));
    const tallies = new Map(maskings.map((way) => [way, createTally()]));
    const samples = measuring.samples("test", { what: saliency });
    const run = { engine, fn: allMaskings(model, { saliency }), constants, batchSize, name: saliency, samples };
    for await (const { sample, outputs } of overSamples(model, run)) {
      const method = { saliency, masking: read };
      const explained = readSample(measuring, withMasking(outputs, read), { sample, method, scale });
      const comparison = compareSample(measuring, sample, explained);
      keepMap(sample, comparison, explained);
      if (isDefault(read)) keepWorst(worst, { comparison, explained, pixels: sample.image });
      const survivals = survivalsBy(outputs, trained.spec);
      for (const [masking, tally] of tallies) {
        const aspects = explained.explanation.aspects.map((aspect) => ({
          ...aspect,
          survival: survivals(aspect.name, masking),
        }));
        const explanation = { ...explained.explanation, masking, aspects };
        tally.add({ ...comparison, explanation }, effects.get(sample.path));
      }
    }
    for (const [way, tally] of tallies) reports.push(tally.result({ isDefault: isDefault(way) }));
  }
  return { reports, worst, maps: [...maps.values()] };

  /** The same images for each method, since all explain the same answer. */
  function keepMap(sample: Sample, { isRight }: GroundTruthComparison, explained: Explained): void {
    if (!isRight || model.classifier.spec.task === "regression") return;
    const known = maps.get(sample.path);
    if (known) known.maps.push(explained.maps.saliency);
    else if (maps.size < curveImages) maps.set(sample.path, { sample, maps: [explained.maps.saliency] });
  }
}

/** What survives of an aspect by each masking, over one and the same region. */
function survivalsBy(outputs: NdArrays, spec: ModelSpec): (aspect: string, masking: MaskingName) => number | null {
  const regions = new Map(
    headsOf(spec).aspects.map((head) => [head.name, elementsOf(outputs[answerPort(head.name, "unmasked")], head)]),
  );
  return (aspect, masking) =>
    survivalOver(regions.get(aspect) ?? new Uint32Array(), {
      unmasked: outputs[answerPort(aspect, "unmasked")],
      masked: outputs[maskingPort(aspect, masking)],
      reference: outputs[answerPort(aspect, "reference")],
    });
}

async function scaleOf(measuring: Measuring, saliency: SaliencyName): Promise<ScoreScale> {
  const { model, engine, batchSize, unranked, dataset, trained } = measuring;
  const { parameters, references } = trained;
  const samples = () => measuring.samples("validation", { limit: CALIBRATION_IMAGES });
  const { causes } = dataset.manifest;
  const given = { engine, parameters, references, samples, causes, unranked, methods: [saliency], batchSize };
  const { scales } = await calibrate(model, given);
  return scaleIn(scales, saliency, "class");
}

function keepWorst(worst: Case[], { comparison, explained, pixels }: Omit<Case, "error">): void {
  const ranks = countedAspects(comparison);
  if (ranks.length === 0) return;
  const most = (isCause: boolean) =>
    Math.max(...ranks.filter((rank) => rank.isCause === isCause).map(({ aspect }) => aspect.relevance ?? 0));
  const error = most(false) - most(true);
  worst.push({ comparison, explained, pixels, error });
  worst.sort((a, b) => b.error - a.error);
  worst.length = Math.min(worst.length, WORST);
}
