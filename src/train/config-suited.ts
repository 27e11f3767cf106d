/** Settings that are left out, filled in by what suits the data; `suit.ts` has the rules. */

import type { Task } from "../core/annotation.js";
import { ownValue } from "../core/own-value.js";
import { pixelCount } from "../core/size.js";
import type { Augment } from "../dataset/augment.js";
import type { DataFingerprint } from "../dataset/fingerprint.js";
import type { Trunk } from "../trunk/trunk.js";
import type { HeadConfig } from "./config-heads.js";
import { suitedCrop, suitedTaps, suitedTurn } from "./suit.js";

type Heads = Readonly<Record<string, HeadConfig>>;

/** The data, and who is told why a setting is so. */
export interface SuitedTo {
  /** Sizes and counts of the training data; without it defaults suit no data in particular. */
  readonly fingerprint?: DataFingerprint;
  /** Told of each default that the data decided: `heads.crack.tap`, and why. */
  readonly onChoice?: (key: string, reason: string) => void;
}

/** Images without an up and down are turned; those whose labels have no place are not cropped. */
export function suitedAugment(
  { augment: given = {} }: { readonly augment?: Partial<Augment> },
  augment: Required<Augment>,
  { fingerprint, onChoice }: SuitedTo,
): Required<Augment> {
  if (!fingerprint) return augment;
  const suited = { turn: suitedTurn(fingerprint), crop: suitedCrop(fingerprint) };
  const chosen = Object.entries(suited).flatMap(([key, choice]) => {
    if (!choice || given[key as keyof Augment] !== undefined) return [];
    onChoice?.(`augment.${key}`, choice.reason);
    return [[key, choice.value]];
  });
  return { ...augment, ...Object.fromEntries(chosen) };
}

/** A head whose layers are not given reads those that suit its things. */
export function withSuitedTaps(
  heads: Heads,
  { fingerprint, onChoice }: SuitedTo,
  trunk: Pick<Trunk, "source" | "taps" | "output">,
): Heads {
  const suit = ([name, head]: [string, HeadConfig]): [string, HeadConfig] => {
    const own = ownValue(fingerprint?.heads, name);
    const suited = own && head.tap === undefined ? suitedTaps(own, trunk) : undefined;
    if (suited) onChoice?.(`heads.${name}.tap`, suited.reason);
    return [name, suited ? { ...head, tap: suited.value } : head];
  };
  return Object.fromEntries(Object.entries(heads).map(suit));
}

/**
 * A number is the mean of what all places say; a class may be told by a small part of them. Layers without an activation
 * have values below 0, of which the generalized mean knows nothing.
 */
export function withSuitedPooling(
  heads: Heads,
  { task, taps, output }: { task?: Task } & Pick<Trunk, "taps" | "output">,
): Heads {
  const read = [heads.class.tap ?? output].flat();
  const isMean = task === "regression" || taps.some(({ name, isLinear }) => isLinear && read.includes(name));
  const { pooling = isMean ? "mean" : "generalized-mean" } = heads.class;
  return { ...heads, class: { ...heads.class, pooling } };
}

/** Features of one image at the layers that the aspect heads read. */
export function featureBytes(heads: Heads, { source, taps }: Pick<Trunk, "source" | "taps">): number {
  const read = new Set(Object.entries(heads).flatMap(([name, { tap = source }]) => (name === "class" ? [] : tap)));
  const values = taps.filter(({ name }) => read.has(name)).map(({ size, channels }) => pixelCount(size) * channels);
  return 4 * values.reduce((sum, count) => sum + count, 0);
}
