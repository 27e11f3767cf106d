/**
 * Every number that scores, relevance and shares depend on, with its reason. docs/explanations.md has the formulas;
 * bench/results/relevance.md has what they lead to on models whose causes are known.
 */

import type { SaliencyName } from "./methods.js";

/** A relevant aspect is decisive, or strong, from this share of the map on; below, it is some of the reason. */
export const STRENGTHS = { decisive: 0.5, strong: 0.2 } as const;

/** Where more of the map than this lies in no relevant aspect, the headline says so. */
export const MOSTLY = 0.5;

/**
 * Below this mean of u - e (a head's logits on the features and on the reference), the head answers both alike, and
 * there is no relevance.
 */
export const LEAST_CONTRAST = 1;

/**
 * An aspect by presence is derived to be where its evidence is at least this share of the highest: what overlaps the true
 * masks best in bench/results/derived-place.json. Zhou et al. 2016 (arXiv:1512.04150) take 0.2 of a class activation map,
 * Selvaraju et al. 2017 (arXiv:1610.02391) 0.15 of Grad-CAM.
 */
export const SHARE_OF_PEAK = 0.3;

/** Smaller connected parts of a mask are no instances: 0.1 % of the image. */
export const SMALLEST_INSTANCE = 0.001;

/**
 * By method, the scale that all models share: the score at which a cause is as likely as a distractor, and how fast
 * relevance grows around it (bench/results/relevance.md). Without a line, each model gets its own.
 */
export const GENERAL_LINES: Readonly<Record<SaliencyName, { readonly slope: number; readonly line?: number }>> = {
  evidence: { slope: 2.5, line: 0.02 },
  "grad-cam": { slope: 2.5 },
  cam: { slope: 2.5 },
  "grad-cam++": { slope: 2.5 },
  "score-cam": { slope: 2.5 },
  "hires-cam": { slope: 2.5 },
  "layer-cam": { slope: 2.5 },
  "gradient-x-activation": { slope: 2.5 },
  "integrated-gradients": { slope: 2.5 },
  "guided-backpropagation": { slope: 2.5 },
  deconvnet: { slope: 2.5 },
  "guided-grad-cam": { slope: 2.5 },
};

/**
 * A line by randomized classifiers is at least this share of the general one: where they reach next to nothing, theirs
 * would call much of what is there relevant. In eleven models a third costs no cause and takes up to 9 points of the
 * distractors away (bench/results/relevance.md, "Where no cause is known"); a half costs causes, there and in finished
 * classifiers with few annotations (bench/finished).
 */
export const LEAST_SHARE_OF_GENERAL = 1 / 3;

/**
 * How far the lines of models lie from the general one: the standard deviation of their natural logarithms. A line by
 * known causes has it as its prior.
 */
export const SPREAD_OF_LINES = 1;

/**
 * Causes and distractors of which a line tells apart less than this, in balanced accuracy, are hardly told apart: a
 * warning says so. In every model of bench/results/relevance.md it is 0.9 and more, at random it would be 0.5.
 */
export const LEAST_SEPARATION = 0.75;

/** Of the aspects that did not cause the answer, at most this share may be called relevant. */
export const FALSE_RELEVANCE = 0.03;

/** Fewer causes, distractors, or images of one distractor say too little to set a line from. */
export const LEAST_COUNT = 5;

/** Fewer images with a cause give a line of their own that is often off (bench/results/relevance.md). */
export const FEW_IMAGES = 20;

/** A distractor that is relevant in more than this share of its images is a shortcut candidate. */
export const SHORTCUT_SHARE = 0.5;

/** Most validation images that calibration explains: more change the thresholds little. */
export const MOST_CALIBRATION_IMAGES = 1000;

/** Fewer aspects under randomized classifiers say nothing of a share of 3 %. */
export const LEAST_RANDOMIZED_COUNT = 20;

/** Images, and randomized classifiers that explain each, for the relevance that needs no reason. */
export const RANDOMIZATION = { images: 16, classifiers: 24 } as const;

/** The same of methods other than the default, and validation images on which their scales are found. */
export const OTHER_METHODS = { images: 32, randomization: { images: 8, classifiers: 8 } } as const;

/** For targets that are no classifier's: images, randomized models that explain each, and targets of a kind. */
export const INNER_RANDOMIZATION = { images: 8, models: 8, targets: 2 } as const;

/**
 * Changed copies for an interval of relevance: shifted by so many pixels at most, brightness changed by such a share at
 * most. The interval goes from one quantile to the other.
 */
export const PERTURBATIONS = { count: 16, shift: 8, brightness: 0.15, quantiles: [0.05, 0.95] } as const;

/**
 * An aspect on a network of its own has no relevance where its head answers less alike than this on mapped and on true
 * features: what the mapping carries is then another thing than what the head sees.
 */
export const LEAST_AGREEMENT = 0.5;
