/** What the results should reach: the numbers that were set before anything was trained. */

/**
 * @typedef {object} Wanted of the mean over the seeds, on the test split where `split` is absent
 * @property {string} set name of a training
 * @property {string} [head] absent: of `faithfulness`
 * @property {string} metric
 * @property {import("./results.js").Result["split"]} [split]
 * @property {number} [least]
 * @property {number} [most]
 * @property {string} [beside] training whose same number is taken away first; `least` is of the difference
 */

const DEFECTS = ["open", "short", "mousebite", "spur", "copper", "pin-hole"];
const CROPS = "deeppcb-crops";

/** @param {string} set @param {readonly string[]} heads @param {string} metric @param {Partial<Wanted>} bound @returns {Wanted[]} */
const each = (set, heads, metric, bound) => heads.map((head) => ({ set, head, metric, ...bound }));

/** @param {string} set @returns {Wanted[]} */
const explained = (set) => [
  { set, metric: "namedCause", least: 0.97 },
  { set, metric: "distractorNamed", most: 0.05 },
];

/** The interval of joint less separate does not lie below -1 point. @param {string} set @param {readonly string[]} heads */
const notBelow = (set, heads) => each(set, heads, "upper end", { split: "separate", least: -0.01 });

/** The same heads of another training beside it. @param {string} set @param {string} beside @param {Record<string, string>} metrics @param {number} least */
const against = (set, beside, metrics, least) =>
  Object.entries(metrics).map(([head, metric]) => ({ set, head, metric, beside, least }));

const all = (/** @type {readonly string[]} */ heads, /** @type {string} */ metric) =>
  Object.fromEntries(heads.map((head) => [head, metric]));

/** @type {readonly Wanted[]} */
export const WANTED = [
  ...["boxes", "segmentation", "presence"].flatMap((kind) => [
    { set: `${CROPS}-${kind}`, head: "class", metric: "accuracy", least: 0.97 },
    ...explained(`${CROPS}-${kind}`),
  ]),
  ...each(`${CROPS}-boxes`, DEFECTS, "ap50", { least: 0.85 }),
  ...each(`${CROPS}-presence`, DEFECTS, "auc", { least: 0.95 }),
  ...each(`${CROPS}-segmentation`, DEFECTS, "iou", { least: 0.6 }),
  ...against(`${CROPS}-boxes-half`, `${CROPS}-boxes`, { class: "accuracy", ...all(DEFECTS, "ap50") }, -0.03),
  ...["", "-by-group"].flatMap((how) => [
    ...each(`deeppcb-boards-boxes${how}`, DEFECTS, "ap50", {}),
    ...each(`deeppcb-boards-presence${how}`, DEFECTS, "auc", {}),
    ...each(`deeppcb-boards-segmentation${how}`, DEFECTS, "iou", {}),
  ]),
  { set: "pets", head: "class", metric: "accuracy", least: 0.96 },
  { set: "pets", head: "pet", metric: "iou", least: 0.86 },
  { set: "pets", head: "head", metric: "ap50", split: "validation", least: 0.85 },
  { set: "pets-void", head: "class", metric: "accuracy", least: 0.96 },
  { set: "pets-void", head: "pet", metric: "iou", least: 0.92 },
  { set: "pets-void", head: "head", metric: "ap50", split: "validation", least: 0.85 },
  ...against("pets-half-masks", "pets", { class: "accuracy", pet: "iou" }, -0.02),
  { set: "pets-half-masks", head: "head", metric: "ap50", split: "validation", beside: "pets", least: -0.02 },
  ...against("pets-built-in", "pets", { class: "accuracy", pet: "iou" }, Number.NEGATIVE_INFINITY),
  { set: "wbc-folds", head: "class", metric: "accuracy", split: "folds", least: 0.93 },
  { set: "wbc-folds", head: "nucleus", metric: "iou", split: "folds", least: 0.9 },
  { set: "wbc-folds", head: "cytoplasm", metric: "iou", split: "folds", least: 0.82 },
  ...against("wbc-half-masks", "wbc", { class: "accuracy", nucleus: "iou", cytoplasm: "iou" }, -0.02),
  ...against("wbc-built-in", "wbc", { class: "accuracy", nucleus: "iou", cytoplasm: "iou" }, Number.NEGATIVE_INFINITY),
  { set: "bccd", head: "WBC", metric: "ap50", least: 0.95 },
  { set: "bccd", head: "RBC", metric: "ap50", least: 0.85 },
  { set: "bccd", head: "platelets", metric: "ap50", least: 0.8 },
  ...each("tissue-small", ["mitosis", "lymphocyte"], "ap50", { least: 0.8 }),
  ...each("tissue-small", ["nucleus", "necrosis"], "iou", { least: 0.6 }),
  { set: "tissue-rare", head: "lymphocyte", metric: "ap50", beside: "tissue", least: -0.1 },
  ...against("tissue-rare", "tissue", { class: "accuracy", nucleus: "iou", necrosis: "iou", mitosis: "ap50" }, -0.01),
  ...against("tissue-rare", "tissue", { vessel: "auc", "scanner-tag": "auc" }, -0.01),
  { set: `${CROPS}-segmentation-rare`, head: "spur", metric: "iou", beside: `${CROPS}-segmentation`, least: -0.1 },
  ...against(
    `${CROPS}-segmentation-rare`,
    `${CROPS}-segmentation`,
    {
      class: "accuracy",
      ...all(
        DEFECTS.filter((name) => name !== "spur"),
        "iou",
      ),
    },
    -0.01,
  ),
  ...notBelow("pets-separate", ["class", "pet", "head"]),
  ...notBelow("wbc-separate", ["class", "nucleus", "cytoplasm"]),
  ...notBelow(`${CROPS}-boxes-separate`, ["class", ...DEFECTS]),
  { set: "copper-one-in-eight", head: "copper", metric: "iouWherePresent", beside: "copper-positives", least: -0.05 },
  { set: "copper-one-in-eight", head: "copper", metric: "falseAlarmRate", most: 0.05 },
];
