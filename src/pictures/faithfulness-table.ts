/** The results of a faithfulness run as rows and sentences, for the terminal and for the page. */

import { scoreText } from "../explain/headline.js";
import type { Faithfulness, FaithfulnessMethod, RandomControl } from "../faithfulness/faithfulness.js";

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
  "line",
] as const;

/** One row per method and masking, the default first, then by the share of causes ranked first. */
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
        method.scale && "line" in method.scale ? scoreText(method.scale.line) : "–",
      ],
    }));
}

/** The images that the rows are computed on, and the controls to compare them with; one line each. */
export function faithfulnessLines(faithfulness: Faithfulness): readonly string[] {
  const { chance, controls, twins } = faithfulness;
  const { randomClassifier, randomHeads } = controls;
  return [
    faithfulness.verdict.text,
    ...comparedLines(faithfulness),
    ...causeLines(faithfulness),
    ...(randomClassifier ? [randomLine(randomClassifier, "classifier", "classifiers")] : []),
    ...aspectLines(faithfulness),
    ...faithfulness.inseparable,
    ...(chance.curves ? [curveLine(chance.curves)] : []),
    ...(randomHeads ? [randomLine(randomHeads, "set of heads", "sets of heads")] : []),
    ...(twins ? [pairLine(twins)] : []),
  ];
}

function comparedLines({ count, classifier, coverage, chance, controls }: Faithfulness): string[] {
  if (coverage === null) return [];
  const labelled = `${percentOf(coverage)} of the labelled ones`;
  const byPresence = percentOf(controls.presenceOnly.namedCause);
  return [
    `${count} images that hold a cause and another aspect, are classified correctly and in which the heads see both: ` +
      `${labelled}; classifier right on ${percentOf(classifier.accuracy)}`,
    `cause first at random ${percentOf(chance.namedCause)}, by presence alone ${byPresence}`,
  ];
}

/** Results by the causes that the heads see in an image, for the default method. */
function causeLines({ counts, methods }: Faithfulness): string[] {
  const own = methods.find(({ isDefault }) => isDefault);
  if (!own) return [];
  const lines: string[] = [];
  if (counts.severalCauses > 0)
    lines.push(
      `${images(counts.severalCauses)} in which several causes are seen: all called relevant in ` +
        `${percentOf(own.allCausesRelevant)}; where painting over any of them lowers the answer, in ` +
        `${percentOf(own.allUsedCausesRelevant)} of ${counts.severalUsedCauses}`,
    );
  const nothing = "no aspect is relevant";
  if (counts.withCause > 0)
    lines.push(
      `${images(counts.withCause)} in which a cause is seen: ${nothing} in ${percentOf(own.unexplainedWithCause)}, ` +
        `and much or all of the evidence elsewhere in ${percentOf(own.elsewhereWithCause)}`,
    );
  if (counts.withoutCause > 0)
    lines.push(
      `${images(counts.withoutCause)} that none of the aspects caused: ${nothing} in ` +
        `${percentOf(own.unexplainedWithoutCause)}`,
    );
  return lines;
}

function images(count: number): string {
  return count === 1 ? "1 image" : `${count} images`;
}

function aspectLines({ aspects }: Faithfulness): string[] {
  return Object.entries(aspects).map(([name, { count, relevant, removal }]) => {
    const painted = removal
      ? `; painted over, the answer changes in ${percentOf(removal.flipped)} ` +
        `and loses ${removal.lost.toFixed(2)} in log-odds`
      : "";
    return `${name}: relevant in ${percentOf(relevant)} of the ${images(count)} in which it is seen${painted}`;
  });
}

function randomLine({ draws, namedCause, relevant }: RandomControl, one: string, many: string): string {
  return (
    `under ${draws} ${draws === 1 ? one : many} that learned nothing: cause first ${percentOf(namedCause)}, ` +
    `called relevant ${percentOf(relevant)}`
  );
}

function curveLine({ deletion, insertion }: Record<"deletion" | "insertion", number>): string {
  return (
    `random places: deletion ${numberOf(deletion)} (lower is better), ` +
    `insertion ${numberOf(insertion)} (higher is better)`
  );
}

function pairLine({ count, ownFirst, sameFirst }: NonNullable<Faithfulness["twins"]>): string {
  return (
    `against the paired model, ${count} images that hold both causes and that both models classify correctly: ` +
    `each names its own first in ${percentOf(ownFirst)}, both the same in ${percentOf(sameFirst)}`
  );
}

/** The error for a dataset on which nothing can be measured. */
export const NOTHING_TO_MEASURE =
  "no test image is labelled with a cause of its class, and none has an aspect with a mask or boxes to paint over. " +
  'Name causes in dataset.json, as "causes": { "malignant": ["mitosis"] }, or label where the aspects are.';

/** Why nothing could be measured, or undefined if something was. */
export function emptyReason({ count, counts, coverage, classifier, methods }: Faithfulness): string | undefined {
  if (count > 0 || counts.withCause > 0 || counts.withoutCause > 0) return undefined;
  if (methods.some(({ removal }) => removal !== null)) return undefined;
  if (coverage === null && classifier.accuracy === null) return NOTHING_TO_MEASURE;
  return (
    "in none of the images with a known cause do the heads see it, " +
    `or the answer is wrong (right on ${percentOf(classifier.accuracy)}). Train longer, or label more of it.`
  );
}

function percentOf(share: number | null): string {
  return share === null ? "–" : `${(100 * share).toFixed(1)} %`;
}

function numberOf(value: number | null): string {
  return value === null ? "–" : value.toFixed(3);
}
