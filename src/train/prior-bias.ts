/**
 * Where the heads' last biases begin: at what is usual in the data, so that the first steps do not go into learning
 * that rare things are rare (Lin et al. 2017, arXiv:1708.02002, section 4.1).
 */

import { logit } from "../core/logistic.js";
import { type NdArray, type NdArrays, ndArray } from "../core/nd-array.js";
import { ownValue } from "../core/own-value.js";
import type { DataFingerprint, HeadFingerprint } from "../dataset/fingerprint.js";
import type { HeadSpec } from "../heads/head-spec.js";
import type { Model } from "../model/model.js";

/** Shares are kept within these, for small counts say little. */
const [LEAST, MOST] = [0.002, 0.998];
/** Probability of a box's centre in a cell (RetinaNet's). */
const CENTRE = 0.01;

/**
 * @param options.classes training images of each class.
 * @returns the biases of the heads whose data tell, by parameter name.
 */
export function priorBiases(
  { heads }: Model,
  { fingerprint, classes }: { fingerprint: DataFingerprint; classes: Readonly<Record<string, number>> },
): NdArrays {
  const biases: Record<string, NdArray> = {};
  for (const { spec, parameters } of heads) {
    const own = ownValue(fingerprint.heads, spec.name);
    const bias = parameters.find(({ name }) => name === `head/${spec.name}/output/bias` || name === "head/class/bias");
    const prior = own && bias && priorOf(spec, own, classes);
    if (prior) {
      const array = ndArray(bias.shape);
      array.data.forEach((_, index) => {
        array.data[index] = prior[index % prior.length];
      });
      biases[bias.name] = array;
    }
  }
  return biases;
}

/** A number a channel, on top of what the head's network itself begins with. */
function priorOf(
  spec: HeadSpec,
  { labelled, positive, area, side }: HeadFingerprint,
  classes: Readonly<Record<string, number>>,
): number[] | undefined {
  if (labelled === 0 || positive === 0) return undefined;
  switch (spec.kind) {
    case "classifier": {
      if (spec.task === "regression") return undefined;
      const shares = spec.classes.map((name) => within((ownValue(classes, name) ?? 0) / labelled));
      return shares.map(spec.task === "multi" ? logit : Math.log);
    }
    case "segmentation":
      return area === undefined ? undefined : [logit(within((area * positive) / labelled)) - logit(0.12)];
    case "boxes": {
      const size = side === undefined ? 0 : Math.log(side.median) - Math.log(0.2);
      return [logit(CENTRE) - logit(0.1), size, size, 0, 0];
    }
    case "presence":
      return [logit(within(positive / labelled))];
    case "amount":
      return undefined;
  }
}

function within(share: number): number {
  return Math.min(MOST, Math.max(LEAST, share));
}
