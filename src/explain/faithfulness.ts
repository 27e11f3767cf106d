/** The one question: does an explanation name the aspect that caused the answer, and not another that is merely there? */

import { areaUnderCurve, type Ranked } from "../core/ranking.js";
import type { AspectExplanation } from "./explanation.js";
import { DEFAULT_MASKING, DEFAULT_SALIENCY, type MaskingName } from "./reading/pairs.js";
import { type Judged, rankedAspects, relevancePairs } from "./truth.js";

export interface FaithfulnessMethod {
  readonly saliency: string;
  readonly masking: MaskingName;
  readonly isDefault: boolean;
  /** Share of the images whose most relevant aspect is a cause; k-way ties count 1/k. */
  readonly namedCause: number | null;
  /** Of the aspects labelled present that are no cause, the share called relevant. */
  readonly distractorNamed: number | null;
  /** Of all pairs of a cause and a distractor, the share in which the cause is more relevant. */
  readonly auc: number | null;
}

/** `aspectlens-faithfulness/1`; a share of nothing is `null`. */
export interface Faithfulness {
  readonly format: "aspectlens-faithfulness/1";
  /** Images that the shares are taken over. */
  readonly count: number;
  /** Share of the labelled images answered right; `null` for a regression. */
  readonly classifier: { readonly accuracy: number | null };
  readonly methods: readonly FaithfulnessMethod[];
  /** `count` over the images labelled with a cause and another aspect: it measures heads and classifier. */
  readonly coverage: number | null;
  /** What drawing an aspect by lot would give on the same images. */
  readonly chance: { readonly namedCause: number | null; readonly auc: 0.5 };
  readonly controls: {
    readonly presenceOnly: { readonly namedCause: number | null };
    readonly survival: { readonly namedCause: number | null };
    readonly randomClassifier: { readonly namedCause: number | null; readonly relevant: number | null } | null;
  };
}

interface Rank {
  readonly aspect: AspectExplanation;
  readonly isCause: boolean;
}

/**
 * @param images of the test split, each explained by one method with the default target. Counted are those labelled with a
 *   cause and another aspect, answered right, in which the relevance of a cause and of another aspect could be read.
 */
export async function measureFaithfulness(
  images: AsyncIterable<Judged> | Iterable<Judged>,
  { isDefault = true }: { isDefault?: boolean } = {},
): Promise<Faithfulness> {
  const answers = { right: 0, count: 0 };
  const named = { byRelevance: 0, byPresence: 0, bySurvival: 0, byLot: 0 };
  const distractors = { named: 0, count: 0 };
  const pairs: Ranked[] = [];
  let labelledCount = 0;
  let count = 0;
  let method: Pick<FaithfulnessMethod, "saliency" | "masking"> = {
    saliency: DEFAULT_SALIENCY,
    masking: DEFAULT_MASKING,
  };
  for await (const judged of images) {
    const { explanation } = judged;
    method = { saliency: explanation.saliency, masking: explanation.masking };
    if (judged.isRight !== null && "class" in explanation.prediction) {
      answers.count++;
      if (judged.isRight) answers.right++;
    }
    if (judged.isRight === null || judged.causes.length === 0 || judged.distractors.length === 0) continue;
    labelledCount++;
    const ranks = rankedAspects(judged);
    const isSeen = ranks.some(({ isCause }) => isCause) && ranks.some(({ isCause }) => !isCause);
    if (!judged.isRight || !isSeen) continue;
    count++;
    named.byRelevance += causeShareOfFirst(ranks, ({ relevance }) => relevance ?? 0);
    named.byPresence += causeShareOfFirst(ranks, ({ presence }) => presence);
    named.bySurvival += causeShareOfFirst(ranks, ({ survival }) => survival ?? 0);
    named.byLot += causeShareOfFirst(ranks, () => 0);
    pairs.push(...relevancePairs(judged));
    for (const { aspect, isCause } of ranks) {
      if (isCause) continue;
      distractors.count++;
      if (aspect.isRelevant) distractors.named++;
    }
  }
  return {
    format: "aspectlens-faithfulness/1",
    count,
    classifier: { accuracy: share(answers.right, answers.count) },
    methods: [
      {
        ...method,
        isDefault,
        namedCause: share(named.byRelevance, count),
        distractorNamed: share(distractors.named, distractors.count),
        auc: areaUnderCurve(pairs),
      },
    ],
    coverage: share(count, labelledCount),
    chance: { namedCause: share(named.byLot, count), auc: 0.5 },
    controls: {
      presenceOnly: { namedCause: share(named.byPresence, count) },
      survival: { namedCause: share(named.bySurvival, count) },
      randomClassifier: null,
    },
  };
}

/** Share of causes among those that tie for the first place: 1, 0, or between where they tie. */
function causeShareOfFirst(ranks: readonly Rank[], score: (aspect: AspectExplanation) => number): number {
  const highest = Math.max(...ranks.map(({ aspect }) => score(aspect)));
  const first = ranks.filter(({ aspect }) => score(aspect) === highest);
  return first.filter(({ isCause }) => isCause).length / first.length;
}

function share(part: number, whole: number): number | null {
  return whole > 0 ? part / whole : null;
}
