/**
 * Every number that decides what is called relevant, with its reason; docs/explanations.md has the formulas. What they lead to on
 * models whose causes are known stands in bench/results/faithfulness.md.
 */

/** A place belongs to an aspect from this share on of the highest `p^2` in the layer. */
export const LEAST_SHARE_OF_PLACE = 0.01;

/**
 * From this share on, an aspect occupies a place: it no longer counts towards `uniqueRelevance` of less relevant
 * aspects.
 */
export const LEAST_SHARE_TO_OCCUPY = 0.02;

/** Below this mean of u - e (logits of the head, unmasked and on the reference) a head cannot tell its answer from nothing. */
export const LEAST_CONTRAST = 1;

/** Smaller connected parts of a mask are no instances: 0.1 % of the image. */
export const SMALLEST_INSTANCE = 0.001;

/** Where nothing can set the threshold: about the highest that calibration set on the models of bench/faithfulness. */
export const UNCALIBRATED_THRESHOLD = 0.2;

/** Of the aspects that did not cause the answer, at most this share may be called relevant. */
export const FALSE_RELEVANCE = 0.03;

/** The low threshold is the high one divided by this, unless distractors ask for more; Canny 1986 takes 2 or 3. */
export const HIGH_TO_LOW = 3;

/** Thresholds are whole multiples of 1 / this, rounded up: they read well, and stay above what they exclude. */
export const STEPS_OF_THRESHOLD = 1e4;

/** Fewer causes, distractors, or images of one distractor say too little to set a threshold from. */
export const LEAST_COUNT = 5;

/** Fewer aspects under randomized classifiers say nothing of a share of 3 %. */
export const LEAST_RANDOMIZED_COUNT = 20;

/** Images, and randomized classifiers that explain each, for the relevance that comes by chance. */
export const CHANCE = { images: 16, classifiers: 24 } as const;

/** An answer needs an aspect where fading its evidence takes more than this share of what the image has over the reference. */
export const NEEDED_SHARE = 0.25;

/**
 * Changed copies for an interval of relevance: shifted by so many pixels at most, brightness changed by such a share at most. An
 * aspect that is seen in fewer than `leastSeen` has no interval; else it goes from one quantile to the other.
 */
export const PERTURBATIONS = { count: 16, shift: 8, brightness: 0.15, leastSeen: 8, quantiles: [0.05, 0.95] } as const;
