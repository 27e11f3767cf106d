/**
 * Every number that relevance and its thresholds depend on, with its reason. docs/explanations.md has the formulas;
 * bench/results/faithfulness.md has what they lead to on models whose causes are known.
 */

/** A place belongs to an aspect from this share on of the highest `p^2` in the layer. */
export const LEAST_SHARE_OF_PLACE = 0.01;

/**
 * From this share on, an aspect occupies a place: it no longer counts towards `uniqueRelevance` of less relevant
 * aspects.
 */
export const LEAST_SHARE_TO_OCCUPY = 0.02;

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

/** A distractor that is relevant in more than this share of its images is a shortcut candidate. */
export const SHORTCUT_SHARE = 0.5;

/** Most validation images that calibration explains: more change the thresholds little. */
export const MOST_CALIBRATION_IMAGES = 1000;

/** Fewer aspects under randomized classifiers say nothing of a share of 3 %. */
export const LEAST_RANDOMIZED_COUNT = 20;

/** Images, and randomized classifiers that explain each, for the relevance that needs no reason. */
export const RANDOMIZATION = { images: 16, classifiers: 24 } as const;

/**
 * An aspect's evidence fades wholly from this quantile of it on, so that a few extreme elements do not set the scale.
 */
export const REMOVAL_QUANTILE = 0.95;

/**
 * How much of the target an aspect's removal must cost for the answer to need the aspect: a share of the difference
 * between the target of the image and that of the reference.
 */
export const NEEDED_SHARE = 0.25;

/**
 * Changed copies for an interval of relevance: shifted by so many pixels at most, brightness changed by such a share at
 * most. An aspect that is seen in fewer than `leastSeen` has no interval; else it goes from one quantile to the other.
 */
export const PERTURBATIONS = { count: 16, shift: 8, brightness: 0.15, leastSeen: 8, quantiles: [0.05, 0.95] } as const;
