/** What is trained: a set, with nothing but defaults and at most `weights`. */

/**
 * @typedef {object} Training
 * @property {string} name
 * @property {"choose" | "show"} half `choose`: defaults were chosen on it, looking at its validation split alone; `show`:
 *   trained when they stood.
 * @property {string} [dataset] a name of datasets.js; by default the training's own
 * @property {string} [weights]
 * @property {readonly number[]} seeds
 * @property {readonly ("validation" | "test")[]} [splits] measured; `test` by default. Of the first half only validation,
 *   until `--final`
 * @property {boolean} [hasCauses] faithfulness, which is of the test split, is measured too
 * @property {"folds" | "separate"} [how] several trainings in place of one: `train --folds 5`, `train --compare-separate`
 */

const SMALL_V2 = "weights/mobilenet_v2_0.35_224_notop_f32";
const LARGE_V2 = "weights/mobilenet_v2_1.0_224_imagenet_u8";
const THREE = [7, 8, 9];
const SHOW = /** @type {const} */ ("show");
const KINDS = ["boxes", "segmentation", "presence"];
/** No test photograph has a head box. */
const BOTH = /** @type {const} */ (["validation", "test"]);

/** @type {readonly Training[]} */
export const TRAININGS = [
  ...KINDS.map((kind) => ({
    name: `deeppcb-crops-${kind}`,
    half: /** @type {const} */ ("choose"),
    weights: LARGE_V2,
    seeds: THREE,
    hasCauses: true,
  })),
  { name: "pets", half: "choose", weights: LARGE_V2, seeds: THREE, splits: BOTH },
  { name: "pets-void", half: "show", weights: LARGE_V2, seeds: THREE, splits: BOTH },
  { name: "pets-half-masks", half: "show", weights: LARGE_V2, seeds: THREE, splits: BOTH },
  { name: "pets-built-in", half: "show", dataset: "pets", seeds: THREE, splits: BOTH },
  { name: "wbc-folds", half: "show", weights: SMALL_V2, seeds: THREE, how: "folds" },
  { name: "wbc", half: "show", weights: SMALL_V2, seeds: THREE },
  { name: "wbc-half-masks", half: "show", weights: SMALL_V2, seeds: THREE },
  { name: "wbc-built-in", half: "show", dataset: "wbc", seeds: THREE },
  { name: "bccd", half: "show", weights: SMALL_V2, seeds: THREE },
  { name: "tissue-small", half: "show", weights: SMALL_V2, seeds: [7], hasCauses: true },
  { name: "deeppcb-crops-boxes-half", half: "show", weights: LARGE_V2, seeds: THREE, hasCauses: true },
  { name: "deeppcb-crops-segmentation-rare", half: "show", weights: LARGE_V2, seeds: THREE },
  { name: "copper-one-in-eight", half: "show", weights: LARGE_V2, seeds: THREE },
  { name: "copper-positives", half: "show", weights: LARGE_V2, seeds: THREE },
  { name: "tissue", half: "show", weights: SMALL_V2, seeds: THREE, hasCauses: true },
  { name: "tissue-rare", half: "show", weights: SMALL_V2, seeds: THREE },
  ...KINDS.flatMap((kind) => [
    { name: `deeppcb-boards-${kind}`, half: SHOW, weights: SMALL_V2, seeds: [7] },
    { name: `deeppcb-boards-${kind}-by-group`, half: SHOW, weights: SMALL_V2, seeds: [7] },
  ]),
  ...[
    { dataset: "pets", weights: SMALL_V2 },
    { dataset: "wbc", weights: SMALL_V2 },
    { dataset: "deeppcb-crops-boxes", weights: SMALL_V2 },
  ].map((one) => ({
    name: `${one.dataset}-separate`,
    half: SHOW,
    ...one,
    seeds: THREE,
    how: /** @type {const} */ ("separate"),
  })),
];
