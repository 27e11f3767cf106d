/** The one question: does an explanation name the aspect that caused the answer, and not another that is merely there? */

import { ownValue } from "../core/own-value.js";
import { areaUnderCurve, type Ranked, rankCorrelation } from "../core/ranking.js";
import { type Judged, rankedAspects } from "../explain/calibration/ground-truth.js";
import type { AspectExplanation } from "../explain/explanation.js";
import { DEFAULT_MASKING, DEFAULT_SALIENCY, type MaskingName, type SaliencyName } from "../explain/methods.js";
import type { Removal } from "./aspect-inpainting.js";
import type { Curves } from "./deletion-curves.js";
import type { Twins } from "./paired-models.js";

export interface FaithfulnessMethod {
  readonly saliency: SaliencyName;
  readonly masking: MaskingName;
  readonly isDefault: boolean;
  /** From this relevance on, an aspect was called relevant; `null` where no image was explained. */
  readonly threshold: number | null;
  /** Share of the images whose most relevant aspect is a cause; k-way ties count 1/k. */
  readonly namedCause: number | null;
  /** Of the causes, the share called relevant. */
  readonly causeRelevant: number | null;
  /** Of the aspects labelled present that are no cause, the share called relevant. */
  readonly distractorNamed: number | null;
  /** Of all pairs of a cause and a distractor, the share in which the cause is more relevant. */
  readonly auc: number | null;
  /** Of the images in which two or more causes are seen, the share in which all of them are called relevant. */
  readonly allCausesRelevant: number | null;
  /** The same where painting over any of them lowers the target: a cause that is seen need not be used. */
  readonly allUsedCausesRelevant: number | null;
  /** Of the images in which a cause is seen, the share with no relevant aspect: "no known aspect explains this", wrongly. */
  readonly unexplainedWithCause: number | null;
  /** Of the images whose cause is none of the aspects, some of which are seen, the share with no relevant aspect: rightly. */
  readonly unexplainedWithoutCause: number | null;
  /** Spearman's, between an aspect's relevance and what the target loses when it is painted over; of all such aspects. */
  readonly removalCorrelation: number | null;
  /** Mean score of the answered class while the most salient places go, and while they come; of the method's map. */
  readonly curves: Curves | null;
  /** The same by survival. */
  readonly bySurvival: { readonly namedCause: number | null; readonly auc: number | null };
}

export interface FaithfulnessAspect {
  readonly count: number;
  /** Share called relevant. */
  readonly relevant: number | null;
  /** Where it was painted over: how many images, by how much the target fell in the mean, share of other answers. */
  readonly removal: { readonly count: number; readonly lost: number; readonly flipped: number } | null;
}

/** `aspectlens-faithfulness/1`; a share of nothing is `null`. */
export interface Faithfulness {
  readonly format: "aspectlens-faithfulness/1";
  /** Images that the shares are taken over. */
  readonly count: number;
  /** Share of the labelled images answered right; `null` for a regression. */
  readonly classifier: { readonly accuracy: number | null };
  readonly methods: readonly FaithfulnessMethod[];
  /** Images answered right in which two or more causes are seen, and all are used; a cause; aspects, none of which is a cause. */
  readonly counts: {
    readonly severalCauses: number;
    readonly severalUsedCauses: number;
    readonly withCause: number;
    readonly withoutCause: number;
  };
  /** By the default method, of the images answered right, with known causes, in which an aspect is labelled and seen. */
  readonly aspects: Readonly<Record<string, FaithfulnessAspect>>;
  /** `count` over the images labelled with a cause and another aspect: it measures heads and classifier. */
  readonly coverage: number | null;
  /** What drawing an aspect, or a place, by lot would give on the same images. */
  readonly chance: { readonly namedCause: number | null; readonly auc: 0.5; readonly curves: Curves | null };
  readonly controls: {
    readonly presenceOnly: { readonly namedCause: number | null };
    readonly survival: { readonly namedCause: number | null };
    readonly randomClassifier: RandomControl | null;
    /** Aspect heads that have learned nothing; reported, and expected of nobody. */
    readonly randomHeads: RandomControl | null;
  };
  /** Beside a model of the same images with other causes; `null` where none was given. */
  readonly twins: Twins | null;
}

/** A part of the model that has learned nothing: its naming should be chance, and nothing relevant. */
export interface RandomControl {
  /** Over all draws and images. */
  readonly namedCause: number | null;
  /** Of all aspects labelled present, the share called relevant. */
  readonly relevant: number | null;
  readonly draws: number;
}

/**
 * @param images of the test split, each explained by one method with the default target. Counted are those labelled with a
 *   cause and another aspect, answered right, in which the relevance of a cause and of another aspect could be read.
 */
export async function measureFaithfulness(
  images: AsyncIterable<Judged> | Iterable<Judged>,
  { isDefault = true }: { isDefault?: boolean } = {},
): Promise<Faithfulness> {
  const tally = createTally();
  for await (const judged of images) tally.add(judged);
  return tally.result({ isDefault });
}

type Score = (aspect: AspectExplanation) => number;

const byRelevance: Score = ({ relevance }) => relevance ?? 0;
const bySurvival: Score = ({ survival }) => survival ?? 0;

/** Counts of one method, image by image. */
export function createTally(): {
  /** @param removals what painting over its aspects did, where that was tried. */
  add(judged: Judged, removals?: Readonly<Record<string, Removal>>): void;
  result(options: { isDefault: boolean }): Faithfulness;
} {
  const answers = { right: 0, count: 0 };
  const named = { relevance: 0, presence: 0, survival: 0, lot: 0 };
  const called = { causes: 0, causeCount: 0, distractors: 0, distractorCount: 0 };
  const several = { all: 0, count: 0, allUsed: 0, usedCount: 0 };
  const nothing = { withCause: 0, withCauseCount: 0, withoutCause: 0, withoutCauseCount: 0 };
  const seen = new Map<string, { count: number; relevant: number; removals: Removal[] }>();
  const removed: [relevance: number, lost: number][] = [];
  const pairs: { relevance: Ranked[]; survival: Ranked[] } = { relevance: [], survival: [] };
  let labelledCount = 0;
  let count = 0;
  let method: Pick<FaithfulnessMethod, "saliency" | "masking" | "threshold"> = {
    saliency: DEFAULT_SALIENCY,
    masking: DEFAULT_MASKING,
    threshold: null,
  };
  return {
    add(judged, removals = {}) {
      const { saliency, masking, threshold, prediction } = judged.explanation;
      method = { saliency, masking, threshold };
      if (judged.isRight !== null && "class" in prediction) {
        answers.count++;
        if (judged.isRight) answers.right++;
      }
      if (judged.isRight && judged.possibleCauses !== null) addSeen(judged, removals);
      if (judged.isRight === null || judged.causes.length === 0 || judged.distractors.length === 0) return;
      labelledCount++;
      const ranks = countedAspects(judged);
      if (ranks.length === 0) return;
      count++;
      named.relevance += causeShareOfFirst(ranks, byRelevance);
      named.presence += causeShareOfFirst(ranks, ({ presence }) => presence);
      named.survival += causeShareOfFirst(ranks, bySurvival);
      named.lot += causeShareOfFirst(ranks, () => 0);
      for (const { aspect, isCause } of ranks) {
        pairs.relevance.push({ score: byRelevance(aspect), isPositive: isCause });
        pairs.survival.push({ score: bySurvival(aspect), isPositive: isCause });
        called[isCause ? "causeCount" : "distractorCount"]++;
        if (aspect.isRelevant) called[isCause ? "causes" : "distractors"]++;
      }
    },
    result: ({ isDefault }) => ({
      format: "aspectlens-faithfulness/1",
      count,
      classifier: { accuracy: share(answers.right, answers.count) },
      methods: [
        {
          ...method,
          isDefault,
          namedCause: share(named.relevance, count),
          causeRelevant: share(called.causes, called.causeCount),
          distractorNamed: share(called.distractors, called.distractorCount),
          auc: areaUnderCurve(pairs.relevance),
          allCausesRelevant: share(several.all, several.count),
          allUsedCausesRelevant: share(several.allUsed, several.usedCount),
          unexplainedWithCause: share(nothing.withCause, nothing.withCauseCount),
          unexplainedWithoutCause: share(nothing.withoutCause, nothing.withoutCauseCount),
          removalCorrelation: rankCorrelation(removed),
          curves: null,
          bySurvival: { namedCause: share(named.survival, count), auc: areaUnderCurve(pairs.survival) },
        },
      ],
      counts: {
        severalCauses: several.count,
        severalUsedCauses: several.usedCount,
        withCause: nothing.withCauseCount,
        withoutCause: nothing.withoutCauseCount,
      },
      aspects: Object.fromEntries(
        [...seen].map(([name, one]) => [
          name,
          { count: one.count, relevant: share(one.relevant, one.count), removal: summary(one.removals) },
        ]),
      ),
      coverage: share(count, labelledCount),
      chance: { namedCause: share(named.lot, count), auc: 0.5, curves: null },
      controls: {
        presenceOnly: { namedCause: share(named.presence, count) },
        survival: { namedCause: share(named.survival, count) },
        randomClassifier: null,
        randomHeads: null,
      },
      twins: null,
    }),
  };

  function addSeen(judged: Judged, removals: Readonly<Record<string, Removal>>): void {
    const ranks = rankedAspects(judged);
    for (const { aspect } of ranks) {
      const one = seen.get(aspect.name) ?? { count: 0, relevant: 0, removals: [] };
      one.count++;
      if (aspect.isRelevant) one.relevant++;
      seen.set(aspect.name, one);
      const removal = ownValue(removals, aspect.name);
      if (!removal) continue;
      one.removals.push(removal);
      removed.push([byRelevance(aspect), removal.lost]);
    }
    const causes = ranks.filter(({ isCause }) => isCause);
    // A cause that is not seen, or not labelled, leaves the question open.
    if (ranks.length === 0 || (causes.length === 0 && judged.possibleCauses !== 0)) return;
    const kind = causes.length > 0 ? "withCause" : "withoutCause";
    nothing[`${kind}Count`]++;
    if (!ranks.some(({ aspect }) => aspect.isRelevant)) nothing[kind]++;
    if (causes.length < 2) return;
    const isAll = causes.every(({ aspect }) => aspect.isRelevant);
    several.count++;
    if (isAll) several.all++;
    if (!causes.every(({ aspect: { name } }) => (ownValue(removals, name)?.lost ?? 0) > 0)) return;
    several.usedCount++;
    if (isAll) several.allUsed++;
  }
}

type Rank = ReturnType<typeof rankedAspects>[number];

/** The aspects of an image that counts: answered right, a cause and another aspect seen. Else none. */
export function countedAspects(judged: Judged): readonly Rank[] {
  const ranks = rankedAspects(judged);
  const isSeen = ranks.some(({ isCause }) => isCause) && ranks.some(({ isCause }) => !isCause);
  return judged.isRight && isSeen ? ranks : [];
}

/** Share of causes among those that tie for the first place: 1, 0, or between where they tie. */
function causeShareOfFirst(ranks: readonly Rank[], score: Score): number {
  const highest = Math.max(...ranks.map(({ aspect }) => score(aspect)));
  const first = ranks.filter(({ aspect }) => score(aspect) === highest);
  return first.filter(({ isCause }) => isCause).length / first.length;
}

function summary(removals: readonly Removal[]): FaithfulnessAspect["removal"] {
  const count = removals.length;
  if (count === 0) return null;
  const lost = removals.reduce((sum, removal) => sum + removal.lost, 0) / count;
  return { count, lost, flipped: removals.filter(({ isFlipped }) => isFlipped).length / count };
}

function share(part: number, whole: number): number | null {
  return whole > 0 ? part / whole : null;
}
