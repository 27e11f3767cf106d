/** Counts what one method's explanations say of images whose causes are known, image by image. */

import { ownValue } from "../core/own-value.js";
import { areaUnderCurve, type Ranked } from "../core/ranking.js";
import { type GroundTruthComparison, rankedAspects } from "../explain/calibration/ground-truth.js";
import type { AspectExplanation, Explanation, HeadlineCase } from "../explain/explanation.js";
import { DEFAULT_MASKING, DEFAULT_SALIENCY } from "../explain/methods.js";
import type { InpaintingEffect } from "./aspect-inpainting.js";
import type { Faithfulness, FaithfulnessAspect, FaithfulnessMethod } from "./faithfulness.js";
import { inseparableTally } from "./inseparable.js";
import { type Effects, removalTally } from "./removal-tally.js";
import { verdictOf } from "./verdict.js";

export interface Tally {
  /** @param effects what painting over its aspects did, where that was tried. */
  add(comparison: GroundTruthComparison, effects?: Effects): void;
  result(options: { isDefault: boolean }): Faithfulness;
}

type Rank = ReturnType<typeof rankedAspects<Explanation>>[number];
type Score = (aspect: AspectExplanation) => number;

const byScore: Score = ({ score }) => score ?? 0;
const bySurvival: Score = ({ survival }) => survival ?? 0;

/** Headlines that say that the evidence lies outside the aspects that are named. */
const ELSEWHERE: readonly HeadlineCase[] = ["partly-elsewhere", "elsewhere"];

export function createTally(): Tally {
  const accuracy = noShare();
  const named = nameTally();
  const seen = seenTally();
  const removal = removalTally();
  const inseparable = inseparableTally();
  let method: Pick<FaithfulnessMethod, "saliency" | "masking" | "scale"> = {
    saliency: DEFAULT_SALIENCY,
    masking: DEFAULT_MASKING,
    scale: null,
  };
  return {
    add(comparison, effects = {}) {
      const { isRight, causes, distractors } = comparison;
      const { saliency, masking, scale, prediction } = comparison.explanation;
      method = { saliency, masking, scale };
      if (isRight !== null && "class" in prediction) count(accuracy, isRight);
      if (isRight) seen.add(comparison, effects);
      removal.add(comparison.explanation, effects);
      inseparable.add(comparison);
      if (isRight !== null && causes.length > 0 && distractors.length > 0) named.add(comparison);
    },
    result({ isDefault }) {
      const names = named.result();
      const { aspects, counts, ...shares } = seen.result();
      const measured: Omit<Faithfulness, "verdict"> = {
        format: "aspectlens-faithfulness/2",
        count: names.count,
        classifier: { accuracy: shareOf(accuracy) },
        methods: [
          {
            ...method,
            isDefault,
            ...names.method,
            ...shares,
            ...removal.result(),
            curves: null,
            bySurvival: names.bySurvival,
          },
        ],
        counts,
        aspects,
        inseparable: inseparable.result(),
        coverage: names.coverage,
        chance: { namedCause: names.byChance, auc: 0.5, curves: null },
        controls: {
          presenceOnly: { namedCause: names.byPresence },
          survival: { namedCause: names.bySurvival.namedCause },
          randomClassifier: null,
          randomHeads: null,
        },
        twins: null,
      };
      return { ...measured, verdict: verdictOf(measured) };
    },
  };
}

/** Whether causes are named before distractors, of images labelled with both. */
function nameTally() {
  const coverage = noShare();
  const [byRelevanceFirst, byPresenceFirst, bySurvivalFirst, byChanceFirst] = [
    noShare(),
    noShare(),
    noShare(),
    noShare(),
  ];
  const [causes, distractors] = [noShare(), noShare()];
  const [relevances, survivals]: Ranked[][] = [[], []];
  return {
    add(comparison: GroundTruthComparison): void {
      const ranks = countedAspects(comparison);
      count(coverage, ranks.length > 0);
      if (ranks.length === 0) return;
      count(byRelevanceFirst, causeShareOfFirst(ranks, byScore));
      count(
        byPresenceFirst,
        causeShareOfFirst(ranks, ({ presence }) => presence),
      );
      count(bySurvivalFirst, causeShareOfFirst(ranks, bySurvival));
      count(
        byChanceFirst,
        causeShareOfFirst(ranks, () => 0),
      );
      for (const { aspect, isCause } of ranks) {
        relevances.push({ score: byScore(aspect), isPositive: isCause });
        survivals.push({ score: bySurvival(aspect), isPositive: isCause });
        if (aspect.isRelevant !== null) count(isCause ? causes : distractors, aspect.isRelevant);
      }
    },
    result: () => ({
      count: coverage.part,
      coverage: shareOf(coverage),
      method: {
        namedCause: shareOf(byRelevanceFirst),
        causeRelevant: shareOf(causes),
        distractorNamed: shareOf(distractors),
        auc: areaUnderCurve(relevances),
      },
      bySurvival: { namedCause: shareOf(bySurvivalFirst), auc: areaUnderCurve(survivals) },
      byPresence: shareOf(byPresenceFirst),
      byChance: shareOf(byChanceFirst),
    }),
  };
}

/** What is called relevant in images answered right, and what painting it over does. */
function seenTally() {
  const [all, allUsed] = [noShare(), noShare()];
  const [unexplainedWithCause, elsewhereWithCause, unexplainedWithoutCause] = [noShare(), noShare(), noShare()];
  const aspects = new Map<string, { relevant: Share; effects: InpaintingEffect[] }>();
  const addAspect = (aspect: AspectExplanation, effect: InpaintingEffect | undefined) => {
    const one = aspects.get(aspect.name) ?? { relevant: noShare(), effects: [] };
    aspects.set(aspect.name, one);
    if (aspect.isRelevant !== null) count(one.relevant, aspect.isRelevant);
    if (effect) one.effects.push(effect);
  };
  return {
    add(comparison: GroundTruthComparison, effects: Effects): void {
      const ranks = rankedAspects(comparison);
      for (const { aspect } of ranks) addAspect(aspect, ownValue(effects, aspect.name));
      const causes = ranks.filter(({ isCause }) => isCause).map(({ aspect }) => aspect);
      // A cause that is not seen, or not labelled, leaves the question open.
      if (ranks.length === 0 || (causes.length === 0 && comparison.possibleCauses !== 0)) return;
      if (ranks.every(({ aspect }) => aspect.isRelevant === null)) return;
      const isUnexplained = !ranks.some(({ aspect }) => aspect.isRelevant);
      count(causes.length > 0 ? unexplainedWithCause : unexplainedWithoutCause, isUnexplained);
      if (causes.length > 0) count(elsewhereWithCause, ELSEWHERE.includes(comparison.explanation.headline.case));
      if (causes.length < 2) return;
      const isAll = causes.every(({ isRelevant }) => isRelevant);
      count(all, isAll);
      if (causes.every(({ name }) => (ownValue(effects, name)?.lost ?? 0) > 0)) count(allUsed, isAll);
    },
    result: () => ({
      allCausesRelevant: shareOf(all),
      allUsedCausesRelevant: shareOf(allUsed),
      unexplainedWithCause: shareOf(unexplainedWithCause),
      elsewhereWithCause: shareOf(elsewhereWithCause),
      unexplainedWithoutCause: shareOf(unexplainedWithoutCause),
      counts: {
        severalCauses: all.whole,
        severalUsedCauses: allUsed.whole,
        withCause: unexplainedWithCause.whole,
        withoutCause: unexplainedWithoutCause.whole,
      },
      aspects: Object.fromEntries(
        [...aspects].map(([name, { relevant, effects }]) => [
          name,
          { count: relevant.whole, relevant: shareOf(relevant), removal: meanEffect(effects) },
        ]),
      ),
    }),
  };
}

/** The aspects of an image that counts: answered right, a cause and another aspect seen. Else none. */
export function countedAspects(comparison: GroundTruthComparison): readonly Rank[] {
  const ranks = rankedAspects(comparison);
  const isSeen = ranks.some(({ isCause }) => isCause) && ranks.some(({ isCause }) => !isCause);
  return comparison.isRight && isSeen ? ranks : [];
}

/** Share of causes among those that tie for the first place: 1, 0, or between where they tie. */
function causeShareOfFirst(ranks: readonly Rank[], score: Score): number {
  const highest = Math.max(...ranks.map(({ aspect }) => score(aspect)));
  const first = ranks.filter(({ aspect }) => score(aspect) === highest);
  return first.filter(({ isCause }) => isCause).length / first.length;
}

function meanEffect(effects: readonly InpaintingEffect[]): FaithfulnessAspect["removal"] {
  const count = effects.length;
  if (count === 0) return null;
  const lost = effects.reduce((sum, effect) => sum + effect.lost, 0) / count;
  return { count, lost, flipped: effects.filter(({ isFlipped }) => isFlipped).length / count };
}

interface Share {
  part: number;
  whole: number;
}

function noShare(): Share {
  return { part: 0, whole: 0 };
}

/** @param part whether, or by what share, one more counts. */
function count(share: Share, part: number | boolean): void {
  share.part += Number(part);
  share.whole++;
}

function shareOf({ part, whole }: Share): number | null {
  return whole > 0 ? part / whole : null;
}
