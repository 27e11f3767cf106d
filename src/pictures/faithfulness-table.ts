/** Faithfulness in words and rows, for the terminal and for the page. */

import type { Faithfulness, FaithfulnessMethod } from "../faithfulness/faithfulness.js";

export const METHOD_COLUMNS = [
  "saliency",
  "masking",
  "cause first",
  "cause relevant",
  "distractor relevant",
  "AUC",
  "first by survival",
  "AUC by survival",
  "with removal",
  "deletion",
  "insertion",
  "threshold",
] as const;

/** One row a method and masking, the default first, then by what they name. */
export function methodRows({ methods }: Faithfulness): readonly { isDefault: boolean; cells: readonly string[] }[] {
  const rank = (method: FaithfulnessMethod) => (method.isDefault ? 2 : (method.namedCause ?? -1));
  return [...methods]
    .sort((a, b) => rank(b) - rank(a) || (b.bySurvival.namedCause ?? -1) - (a.bySurvival.namedCause ?? -1))
    .map((method) => ({
      isDefault: method.isDefault,
      cells: [
        method.saliency,
        method.masking,
        percentOf(method.namedCause),
        percentOf(method.causeRelevant),
        percentOf(method.distractorNamed),
        numberOf(method.auc),
        percentOf(method.bySurvival.namedCause),
        numberOf(method.bySurvival.auc),
        numberOf(method.removalCorrelation),
        numberOf(method.curves?.deletion ?? null),
        numberOf(method.curves?.insertion ?? null),
        numberOf(method.threshold),
      ],
    }));
}

/** What the rows are taken over, and what they must be read against; a line each. */
export function faithfulnessLines(faithfulness: Faithfulness): readonly string[] {
  const { count, counts, classifier, coverage, chance, controls } = faithfulness;
  const { presenceOnly, randomClassifier, randomHeads } = controls;
  const own = faithfulness.methods.find(({ isDefault }) => isDefault);
  const lines = [
    `${count} images that hold a cause and another aspect, are answered right and in which the heads see both: ${percentOf(coverage)} of the labelled ones; classifier right on ${percentOf(classifier.accuracy)}`,
    `cause first by lot ${percentOf(chance.namedCause)}, by presence alone ${percentOf(presenceOnly.namedCause)}`,
  ];
  if (own && counts.severalCauses > 0)
    lines.push(
      `${counts.severalCauses} images in which several causes are seen: all called relevant in ${percentOf(own.allCausesRelevant)}; where painting over any of them lowers the answer, in ${percentOf(own.allUsedCausesRelevant)} of ${counts.severalUsedCauses}`,
    );
  if (own && counts.withCause > 0)
    lines.push(
      `${counts.withCause} images in which a cause is seen: "no known aspect explains this" in ${percentOf(own.unexplainedWithCause)}`,
    );
  if (own && counts.withoutCause > 0)
    lines.push(
      `${counts.withoutCause} images that none of the aspects caused: "no known aspect explains this" in ${percentOf(own.unexplainedWithoutCause)}`,
    );
  if (randomClassifier)
    lines.push(
      `under ${randomClassifier.draws} classifiers that learned nothing: cause first ${percentOf(randomClassifier.namedCause)}, called relevant ${percentOf(randomClassifier.relevant)} (at most 5 % is wanted)`,
    );
  for (const [name, { count, relevant, removal }] of Object.entries(faithfulness.aspects)) {
    const painted = removal
      ? `; painted over, the answer changes in ${percentOf(removal.flipped)} and loses ${removal.lost.toFixed(2)} in log-odds`
      : "";
    lines.push(`${name}: relevant in ${percentOf(relevant)} of the ${count} images in which it is seen${painted}`);
  }
  if (chance.curves)
    lines.push(
      `places by lot: deletion ${numberOf(chance.curves.deletion)} (lower is better), insertion ${numberOf(chance.curves.insertion)} (higher is better)`,
    );
  if (randomHeads)
    lines.push(
      `under ${randomHeads.draws} sets of heads that learned nothing: cause first ${percentOf(randomHeads.namedCause)}, called relevant ${percentOf(randomHeads.relevant)}`,
    );
  const { twins } = faithfulness;
  if (twins)
    lines.push(
      `beside its twin, ${twins.count} images that hold both causes and that both answer right: each names its own first in ${percentOf(twins.ownFirst)}, both the same in ${percentOf(twins.sameFirst)}`,
    );
  return lines;
}

/** Of a dataset, what is wrong with it where no image can be judged. */
export const NO_CAUSES =
  'no test image is labelled with a cause of its class and another aspect. Name causes in dataset.json, as "causes": { "malignant": ["mitosis"] }.';

/** What is wrong with the question itself, where there is nothing to answer. */
export function emptyReason({ count, counts, coverage, classifier }: Faithfulness): string | undefined {
  if (count > 0 || counts.withoutCause > 0) return undefined;
  if (coverage === null) return NO_CAUSES;
  return `in none of the images that are labelled so do the heads see a cause and another aspect, or the answer is wrong (right on ${percentOf(classifier.accuracy)}).`;
}

function percentOf(share: number | null): string {
  return share === null ? "–" : `${(100 * share).toFixed(1)} %`;
}

function numberOf(value: number | null): string {
  return value === null ? "–" : value.toFixed(3);
}
