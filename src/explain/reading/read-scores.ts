/** The score of each aspect of one image, and no more: calibration reads many images, and draws none. */

import { answerPort, overlapPort, tapPort } from "../../core/graph-ports.js";
import type { NdArrays } from "../../core/nd-array.js";
import type { AspectSpec, ClassifierSpec } from "../../heads/head-spec.js";
import { layersOf, type ModelSpec } from "../../model/model-spec.js";
import type { AspectExplanation, Explanation } from "../explanation.js";
import { explainedAspect, type Target } from "../target.js";
import { aspectMapping } from "./aspect-mapping.js";
import type { AspectOverlap, TapSums } from "./overlap.js";
import { predictionOf } from "./prediction.js";
import { elementsOf } from "./regions.js";
import { type Scores, scoresOf } from "./scores.js";
import { isReadable } from "./survival.js";

/** What is compared with the ground truth: a part of an explanation. */
export interface Scored {
  readonly prediction: Explanation["prediction"];
  readonly aspects: readonly Pick<AspectExplanation, "name" | "isPresent" | "score">[];
}

/**
 * The same numbers as `readExplanation`, of the heads' own layers.
 *
 * @param outputs as there; `masked` and the maps are not read.
 */
export function readScores(outputs: NdArrays, { spec, target }: { spec: ModelSpec; target?: Target }): Scored {
  const { classifier, aspects } = headsOf(spec, target);
  const readings = readOverlaps(outputs, { heads: aspects, spec }).map(({ head, overlaps }) => {
    const unmasked = outputs[answerPort(head.name, "unmasked")];
    const elements = elementsOf(unmasked, head);
    const reference = outputs[answerPort(head.name, "reference")];
    const mapped = outputs[answerPort(head.name, "mapped")];
    const isTooPoor = aspectMapping(spec, head)?.isTooPoor ?? false;
    const isSeen = !isTooPoor && isReadable(elements, { unmasked, mapped, reference });
    return { head, overlaps, isPresent: elements.length > 0, isSeen };
  });
  const scores = scoresOfSeen(readings, outputs);
  return {
    prediction: predictionOf(outputs.scores, classifier),
    aspects: readings.map(({ head, isPresent }, index) => ({
      name: head.name,
      isPresent,
      score: scores[index]?.score ?? null,
    })),
  };
}

/** The heads of a model in one explanation. */
export interface Heads {
  readonly classifier: ClassifierSpec;
  /** Those that explain, in the model's order. */
  readonly aspects: readonly AspectSpec[];
  /** The one that is explained itself, and so does not explain. */
  readonly target: AspectSpec | undefined;
}

/** @param target the predicted class without it. */
export function headsOf(spec: ModelSpec, target?: Target): Heads {
  const own = explainedAspect(target);
  const [classifier] = spec.heads.filter((head) => head.kind === "classifier");
  const aspects = spec.heads.flatMap((head) => (head.kind === "classifier" ? [] : head));
  return {
    classifier,
    aspects: aspects.filter(({ name }) => name !== own),
    target: aspects.find(({ name }) => name === own),
  };
}

/**
 * Each head's overlap with the answer at each layer that is masked for it.
 *
 * @param options.heads those that explain, in the model's order.
 * @param options.tap the one layer that was masked for all of them, if it was.
 */
export function readOverlaps(
  outputs: NdArrays,
  { heads, spec, tap }: { heads: readonly AspectSpec[]; spec: ModelSpec; tap?: string },
): { head: AspectSpec; overlaps: AspectOverlap[] }[] {
  const readersOf = (name: string) => heads.filter((head) => maskedTaps(spec, head, tap).includes(name));
  return heads.map((head) => ({
    head,
    overlaps: maskedTaps(spec, head, tap).map((name) => ({
      tap: name,
      index: readersOf(name).indexOf(head),
      overlap: outputs[overlapPort(head.name, name)],
    })),
  }));
}

/**
 * Scores of the aspects that are seen, each beside the others. A head that answers the reference alike has no evidence
 * worth comparing.
 *
 * @returns in the order of the readings, `undefined` where an aspect is not seen.
 */
export function scoresOfSeen(
  readings: readonly { readonly overlaps: readonly AspectOverlap[]; readonly isSeen: boolean }[],
  outputs: NdArrays,
): (Scores | undefined)[] {
  const seen = readings.filter(({ isSeen }) => isSeen);
  const found = scoresOf(
    seen.map(({ overlaps }) => overlaps),
    tapSums(readings, outputs),
  );
  return readings.map((reading) => found[seen.indexOf(reading)]);
}

export function tapSums(
  readings: readonly { readonly overlaps: readonly AspectOverlap[] }[],
  outputs: NdArrays,
): Readonly<Record<string, TapSums>> {
  const all = readings.flatMap(({ overlaps }) => overlaps.map(({ tap }) => tap));
  return Object.fromEntries(
    [...new Set(all)].map((tap) => {
      const sums = outputs[tapPort("pairs", tap)];
      const aspectCount = all.filter((other) => other === tap).length;
      return [tap, { evidence: outputs[tapPort("evidence", tap)], ...(sums && { shared: { aspectCount, sums } }) }];
    }),
  );
}

/** The layers that are masked for a head: the one that was asked for, or those at which it is explained. */
export function maskedTaps(spec: ModelSpec, head: AspectSpec, tap?: string): readonly string[] {
  return tap === undefined ? layersOf(spec, head) : [tap];
}
