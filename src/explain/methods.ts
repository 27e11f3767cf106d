/**
 * Names of the saliency methods and maskings, and which go together. A new saliency method gets its traits here; its
 * function is a file in `graph/saliency` and an entry of `SALIENCY_FUNCTIONS` there. Loads no TensorFlow.js, so that
 * the command line can name methods.
 */

import { ConfigError } from "../core/errors.js";

/**
 * What a method tells apart: whole filters (one number a channel), places (one number a position), or elements. It
 * decides the shape of the masks that can be made of it.
 */
export type Granularity = "filter" | "place" | "element";

interface Traits {
  readonly granularity: Granularity;
  /** It has filter weights. */
  readonly hasWeights: boolean;
  /**
   * Its map is that of the last layer which the target reads, wherever the mask goes: a mean gradient over places says
   * little of a layer that strides follow, since there the same filter speaks for the answer in one place and against it
   * in another.
   */
  readonly isOfLastLayer?: true;
}

const byFilter: Traits = { granularity: "filter", hasWeights: true };
const byPlace: Traits = { granularity: "place", hasWeights: false };
const byElement: Traits = { granularity: "element", hasWeights: false };

const SALIENCY_TRAITS = {
  /** Ours. Its filter weights are Grad-CAM's. */
  evidence: { granularity: "element", hasWeights: true },
  "grad-cam": { ...byFilter, isOfLastLayer: true },
  cam: byFilter,
  "grad-cam++": { ...byFilter, isOfLastLayer: true },
  "score-cam": byFilter,
  "hires-cam": byPlace,
  "layer-cam": byPlace,
  "gradient-x-activation": byElement,
  "integrated-gradients": byElement,
  "guided-backpropagation": byElement,
  deconvnet: byElement,
  "guided-grad-cam": { ...byElement, isOfLastLayer: true },
} as const satisfies Readonly<Record<string, Traits>>;

/** The name of a saliency method; docs/explanations.md describes each. */
export type SaliencyName = keyof typeof SALIENCY_TRAITS;

/** The saliency methods, the default first. */
export const SALIENCY_NAMES = Object.keys(SALIENCY_TRAITS) as readonly SaliencyName[];

/** How saliency is applied to features; `maskOf` has the formulas. */
export const MASKING_NAMES = [
  "filter-weights",
  "filter-weights-signed",
  "multiply",
  "both",
  "threshold",
  "threshold-absolute",
] as const;
/** The name of a masking; docs/explanations.md describes each. */
export type MaskingName = (typeof MASKING_NAMES)[number];

/** How a masked representation reaches the layer that a head reads. */
export const MAPPING_NAMES = ["identity", "grey"] as const;
/** The name of a mapping. */
export type MappingName = (typeof MAPPING_NAMES)[number];

/** The defaults: bench/results/methods.md is why. */
export const DEFAULT_SALIENCY: SaliencyName = "evidence";
/** The masking that goes with the default saliency method. */
export const DEFAULT_MASKING: MaskingName = "multiply";

/** What a saliency method tells apart: filters, places or elements. */
export function granularityOf(saliency: SaliencyName): Granularity {
  return SALIENCY_TRAITS[saliency].granularity;
}

/** Whether a method's map is that of the last layer which the target reads. */
export function isOfLastLayer(saliency: SaliencyName): boolean {
  const { isOfLastLayer }: Traits = SALIENCY_TRAITS[saliency];
  return isOfLastLayer === true;
}

/** The maskings that a method has; fewer `atInput`, where the image itself is masked: three colours are no filters. */
export function maskingsOf(saliency: SaliencyName, { atInput = false } = {}): readonly MaskingName[] {
  const hasWeights = SALIENCY_TRAITS[saliency].hasWeights && !atInput;
  return MASKING_NAMES.filter((masking) => hasWeights || !needsWeights(masking));
}

/** Whether a masking reads filter weights. */
export function needsWeights(masking: MaskingName): boolean {
  return masking.startsWith("filter-weights") || masking === "both";
}

/** `filter-weights` where the literature's method has them, else `multiply`. */
export function defaultMaskingOf(saliency: SaliencyName, options: { atInput?: boolean } = {}): MaskingName {
  const hasWeights = maskingsOf(saliency, options).includes("filter-weights");
  return hasWeights && saliency !== DEFAULT_SALIENCY ? "filter-weights" : DEFAULT_MASKING;
}

/** A choice of method and masking with the defaults filled in. */
export function methodOf({
  saliency = DEFAULT_SALIENCY,
  tap,
  masking = defaultMaskingOf(saliency, { atInput: tap === "input" }),
}: {
  readonly saliency?: SaliencyName;
  readonly masking?: MaskingName;
  readonly tap?: string;
} = {}): { saliency: SaliencyName; masking: MaskingName } {
  return { saliency, masking };
}

/** @throws ConfigError where the method has no such masking; it lists those that it has. */
export function checkPair(
  saliency: SaliencyName,
  masking: MaskingName,
  { atInput = false }: { atInput?: boolean } = {},
): void {
  const valid = maskingsOf(saliency, { atInput });
  if (valid.includes(masking)) return;
  const where = atInput ? " on the image" : "";
  throw new ConfigError(`masking "${masking}": saliency "${saliency}" has no filter weights${where}.`, {
    cure: `Take one of ${valid.join(", ")}.`,
  });
}
