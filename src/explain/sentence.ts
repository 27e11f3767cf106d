/**
 * An explanation in plain sentences, made from templates: the answer and its reasons, what is seen and did not count, how
 * much lies elsewhere. They say no more than the numbers do.
 */

import { clip } from "../core/terminal.js";
import type { AspectExplanation, Explanation, Strength } from "./explanation.js";
import { isStable, percentText, scoreText } from "./headline.js";

/** The words of one language. */
export interface SentenceTexts {
  /** "a", "a and b", "a, b and c". */
  readonly list: (names: readonly string[], word: "and" | "or") => string;
  /** "Malignant (94 %)"; of several labels one after another. */
  readonly answer: (labels: readonly { readonly name: string; readonly percent: string }[]) => string;
  /** "necrosis (decisive)", "necrosis (some, not stable)". */
  readonly reason: (name: string, strength: Strength, isStable: boolean) => string;
  /** "Malignant (94 %), because of necrosis (decisive)." */
  readonly because: (answer: string, reasons: string) => string;
  /** "What speaks for benign (6 %): necrosis (decisive)." */
  readonly speaks: (question: string, reasons: string) => string;
  readonly targetAbsent: (question: string) => string;
  readonly unexplained: (answer: string) => string;
  readonly nothingSpeaks: (answer: string) => string;
  readonly nothingSeen: (answer: string) => string;
  readonly blind: (answer: string) => string;
  readonly unreadable: (answer: string, names: string, isOne: boolean) => string;
  readonly tooPoor: (answer: string, names: string, isOne: boolean) => string;
  readonly ranked: (answer: string, names: string) => string;
  readonly rankedNone: (answer: string) => string;
  readonly absent: (answer: string) => string;
  /** What another target asks, in place of the answer. */
  readonly asked: {
    readonly class: (name: string, percent: string) => string;
    readonly margin: (name: string, other: string) => string;
    readonly logit: (name: string) => string;
    readonly aspect: (name: string) => string;
    readonly image: (name: string) => string;
    readonly unit: (layer: string, channel: number, place: readonly [number, number] | undefined) => string;
  };
  /** "Nucleus and lymphocyte are seen, but did not count." */
  readonly didNotCount: (names: string, isOne: boolean) => string;
  /** "No open or short is seen; either would change the answer." */
  readonly notSeen: (names: string, count: number) => string;
  /** "About a fifth of the evidence lies elsewhere." */
  readonly elsewhere: (share: string) => string;
  readonly allElsewhere: string;
  readonly against: (share: string) => string;
  readonly peakElsewhere: string;
  /** "about a fifth", of a share between a twentieth and nineteen twentieths. */
  readonly share: (nearest: Fraction) => string;
}

/** Shares that have a word. */
export type Fraction = (typeof FRACTIONS)[number]["name"];

const FRACTIONS = [
  { name: "tenth", value: 1 / 10 },
  { name: "fifth", value: 1 / 5 },
  { name: "quarter", value: 1 / 4 },
  { name: "third", value: 1 / 3 },
  { name: "half", value: 1 / 2 },
  { name: "two-thirds", value: 2 / 3 },
  { name: "three-quarters", value: 3 / 4 },
  { name: "most", value: 9 / 10 },
] as const;

/** From here on a share is worth a sentence, up to here it is not all. */
const LITTLE = 0.05;
/** Evidence against the answer of which is spoken. */
const MUCH_AGAINST = 0.25;

/** @returns sentences, the answer and its reason first; each ends with a full stop. */
export function sentencesOf(explanation: Explanation, texts: SentenceTexts): readonly string[] {
  const { aspects, absenceOf, elsewhere, against, headline } = explanation;
  const found = headline.case;
  const names = (of: readonly { readonly name: string }[], word: "and" | "or" = "and") =>
    texts.list(
      of.map(({ name }) => clip(name)),
      word,
    );
  const idle =
    found === "ranked"
      ? []
      : aspects.filter(({ isPresent, isRelevant, score }) => isPresent && isRelevant === false && score !== null);
  const isExplained = found === "named" || found === "partly-elsewhere";
  const share = elsewhere === null ? undefined : fractionOf(elsewhere);
  const opposed = against !== null && against >= MUCH_AGAINST ? fractionOf(against) : undefined;
  return [
    firstSentence(explanation, texts),
    idle.length > 0 && found !== "target-absent" && texts.didNotCount(names(idle), idle.length === 1),
    absenceOf.length > 0 &&
      texts.notSeen(
        names(
          absenceOf.map((name) => ({ name })),
          "or",
        ),
        absenceOf.length,
      ),
    isExplained && share && texts.elsewhere(texts.share(share)),
    isExplained && !share && (elsewhere ?? 0) > 1 / 2 && texts.allElsewhere,
    found === "partly-elsewhere" && (elsewhere ?? 0) <= 1 / 2 && texts.peakElsewhere,
    opposed && found !== "target-absent" && texts.against(texts.share(opposed)),
  ].filter((sentence) => typeof sentence === "string");
}

function firstSentence(explanation: Explanation, texts: SentenceTexts): string {
  const { aspects, headline, scale, targetAspect } = explanation;
  const asked = askedText(explanation, texts);
  const list = (of: readonly AspectExplanation[], say: (aspect: AspectExplanation) => string) =>
    texts.list(of.map(say), "and");
  const plain = ({ name }: AspectExplanation) => clip(name);
  switch (headline.case) {
    case "named":
    case "partly-elsewhere": {
      const relevant = aspects
        .filter(({ isRelevant }) => isRelevant)
        .sort((a, b) => (b.share ?? 0) - (a.share ?? 0) || (b.score ?? 0) - (a.score ?? 0));
      const reason = (aspect: AspectExplanation) =>
        aspect.strength === null
          ? `${clip(aspect.name)} (${scoreText(aspect.score)})`
          : texts.reason(clip(aspect.name), aspect.strength, isStable(aspect));
      return (isOfAnswer(explanation) ? texts.because : texts.speaks)(asked, list(relevant, reason));
    }
    case "elsewhere":
      return texts.unexplained(asked);
    case "no-evidence":
      return texts.nothingSpeaks(asked);
    case "absence":
      return texts.absent(asked);
    case "nothing-seen":
      return texts.nothingSeen(asked);
    case "blind":
      return texts.blind(asked);
    case "target-absent":
      return texts.targetAbsent(asked);
    case "unreadable": {
      const unread = aspects.filter(({ isPresent, score }) => isPresent && score === null);
      const poor = unread.filter(({ mapping }) => mapping?.isTooPoor);
      const isPoor = poor.length > 0 || targetAspect?.mapping?.isTooPoor === true;
      const of = poor.length > 0 ? poor : unread;
      return (isPoor ? texts.tooPoor : texts.unreadable)(asked, list(of, plain), of.length === 1);
    }
    case "ranked": {
      const scored = aspects.filter(({ score }) => (score ?? 0) > 0).sort((a, b) => (b.score ?? 0) - (a.score ?? 0));
      if (scored.length === 0 || scale.kind !== "uncalibrated") return texts.rankedNone(asked);
      return texts.ranked(asked, list(scored, plain));
    }
  }
}

/** Whether the answer itself is explained, and nothing that could have been answered. */
function isOfAnswer({ prediction, target }: Explanation): boolean {
  if (target.kind === "value") return true;
  if ("value" in prediction || !("class" in target) || target.kind === "margin") return false;
  if ("labels" in prediction) return prediction.labels.length === 1 && target.class === prediction.class;
  return target.kind !== "logit" && target.class === prediction.class;
}

/** The answer, or what was asked instead of why. */
function askedText(explanation: Explanation, { answer, asked }: SentenceTexts): string {
  const { prediction, target } = explanation;
  if (target.kind === "aspect") return asked.aspect(clip(target.aspect));
  if (target.kind === "image") return asked.image(clip(target.aspect));
  if (target.kind === "unit") return asked.unit(target.layer, target.channel, target.place);
  if (target.kind === "margin") return asked.margin(clip(target.class), clip(target.other));
  if ("value" in prediction || target.kind === "value") {
    const value = "value" in prediction ? prediction.value : Number.NaN;
    return answer([{ name: Number(value.toPrecision(3)).toString(), percent: "" }]);
  }
  const percent = percentText(prediction.scores[target.class]);
  if (isOfAnswer(explanation)) return answer([{ name: clip(prediction.class), percent }]);
  const isLogit = target.kind === "logit" && !("labels" in prediction);
  return isLogit ? asked.logit(clip(target.class)) : asked.class(clip(target.class), percent);
}

/** The word nearest to a share; none where it is hardly anything, or hardly less than all. */
function fractionOf(share: number): Fraction | undefined {
  if (share < LITTLE || share > 1 - LITTLE) return undefined;
  return FRACTIONS.reduce((best, one) => (Math.abs(one.value - share) < Math.abs(best.value - share) ? one : best))
    .name;
}
