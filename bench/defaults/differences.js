/** How far two trainings are from each other, and what each took. */

import { median, rounded } from "../harness.js";
import { firstMoment } from "../internals.js";

/** @typedef {import("./peer-training.js").Stage} Stage */

/** So many first steps of a stage are compared loss by loss. */
const COMPARED = 20;
/** Share of the gradient that Adam's first moment takes in: 1 - BETA_1. */
const TAKEN = 0.1;

/** In the first step of a stage, from the same numbers. @param {Stage} stage */
export function oneStepOf({ ours, first, firstMoments = {} }) {
  if (!first) throw new Error("a stage without a step.");
  const gradients = Object.entries(first.gradients).map(([parameter, { data }]) => {
    const own = firstMoments[firstMoment(parameter)].data.map((moment) => moment / TAKEN);
    return { parameter, difference: relativeDistance(own, data) };
  });
  const [worst] = gradients.sort((a, b) => b.difference - a.difference);
  return { loss: lossDifference(ours[0].losses, first.losses), gradient: worst.difference, of: worst.parameter };
}

/** Over the first steps of both trainings. @param {Stage} stage */
export function firstStepsOf({ ours, theirs }) {
  const steps = Math.min(COMPARED, ours.length);
  const each = ours.slice(0, steps).map(({ losses }, step) => lossDifference(losses, theirs[step].losses));
  return { steps, loss: Math.max(...each) };
}

/**
 * The largest difference of any head's loss, or of their sum, as a share of ours (of 0.001 where that is less).
 *
 * @param {Readonly<Record<string, number>>} ours
 * @param {Readonly<Record<string, number>>} theirs
 */
function lossDifference(ours, theirs) {
  const differences = Object.entries(ours).map(
    ([name, loss]) => Math.abs(loss - theirs[name]) / Math.max(Math.abs(loss), 1e-3),
  );
  return Math.max(...differences);
}

/** @param {ArrayLike<number>} ours @param {ArrayLike<number>} theirs of the same length. */
function relativeDistance(ours, theirs) {
  let [distance, length] = [0, 0];
  for (let i = 0; i < ours.length; i++) {
    distance += (ours[i] - theirs[i]) ** 2;
    length += ours[i] ** 2;
  }
  return length === 0 ? Math.sqrt(distance) : Math.sqrt(distance / length);
}

/** Of the steps alone, and ours as a share of theirs: below 1, ours is faster. @param {Stage} stage */
export function timesOf({ ours, theirs, layout }) {
  const [own, other] = [ours, theirs].map((steps) => {
    const seconds = steps.map((step) => step.seconds);
    const sum = seconds.reduce((total, one) => total + one, 0);
    return { seconds: rounded(sum), medianMs: rounded(1000 * median(seconds)) };
  });
  return { ours: own, theirs: { ...other, layout }, ratio: rounded(own.medianMs / other.medianMs) };
}
