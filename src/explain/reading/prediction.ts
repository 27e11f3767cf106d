/** The classifier's answer in the words of its task. */

import type { NdArray } from "../../core/nd-array.js";
import type { ClassifierSpec } from "../../heads/head-spec.js";
import type { Prediction } from "../explanation.js";

/** From this probability on, a label of a multi-label classifier counts as said. */
const LABEL_SCORE = 0.5;

/** @param scores of one image, `[1, classes]`, or the value `[1, 1]` of a regression. */
export function predictionOf(scores: NdArray, { task, classes }: ClassifierSpec): Prediction {
  if (task === "regression") return { value: scores.data[0] };
  const best = highest(scores);
  const answer = {
    class: classes[best],
    score: scores.data[best],
    scores: Object.fromEntries(classes.map((name, index) => [name, scores.data[index]])),
  };
  if (task === "single") return answer;
  return { ...answer, labels: classes.filter((_, index) => scores.data[index] >= LABEL_SCORE) };
}

/** Index of the largest number, the first of several. */
export function highest({ data }: NdArray): number {
  let best = 0;
  for (let index = 1; index < data.length; index++) if (data[index] > data[best]) best = index;
  return best;
}
