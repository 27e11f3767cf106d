/** The explanation in one sentence: the answer, and what it is based on, or why that cannot be said. */

import { RELEVANT_FROM } from "../core/relevance-scale.js";
import { clip } from "../core/terminal.js";
import type {
  AspectExplanation,
  Explanation,
  Headline,
  HeadlineCase,
  Prediction,
  Strength,
  TargetAspect,
} from "./explanation.js";
import { MOSTLY, STRENGTHS } from "./relevance-constants.js";

/** Of an aspect on a network of its own. */
const TOO_POOR = "the mapping to its network carries too little of it. Map with more images, or from another layer";

/** The question about the predicted class. */
export const BECAUSE = "because of";

/** What the sentence is made of. */
export interface HeadlineParts {
  readonly case: HeadlineCase;
  /** "malignant 97 %". */
  readonly answer: string;
  /** "because of", "what speaks for benign (3 %)", "what speaks for benign rather than malignant". */
  readonly question: string;
  /** The relevant aspects, the largest share first; where scores only rank, those that have one, highest first. */
  readonly named: readonly AspectExplanation[];
  /** What is said beside the named aspects, or instead of them; may be empty. */
  readonly rest: string;
}

type Unspoken = Omit<Explanation, "headline">;
type Cased = Unspoken & { readonly headline: Pick<Headline, "case"> };

interface HeadlineOptions {
  readonly isPeakElsewhere: boolean;
  readonly isTargetAbsent: boolean;
  readonly unseen: readonly string[];
}

/**
 * @param options.isPeakElsewhere whether the highest place of the map lies in no relevant aspect.
 * @param options.isTargetAbsent whether the target is what a head says where it sees its aspect, and it sees none.
 * @param options.unseen aspects whose heads see nothing, by training.
 */
export function headlineOf(explanation: Unspoken, options: HeadlineOptions): Headline {
  const found = caseOf(explanation, options);
  return { case: found, text: headlineText({ ...explanation, headline: { case: found } }) };
}

/** The sentence, of an explanation that has its case. */
export function headlineText(explanation: Cased): string {
  const { case: found, answer, question, named, rest } = headlineParts(explanation);
  const list = joined(named.map((aspect) => `${clip(aspect.name)} ${noteOn(aspect)}`));
  const said = [list, rest].filter((text) => text !== "").join("; ");
  if (question !== BECAUSE) return `${answer}; ${question}: ${said}`;
  return named.length > 0 && found !== "ranked" ? `${answer} ${BECAUSE} ${said}` : `${answer}: ${said}`;
}

/** The parts of a headline, from an explanation that has its case. */
export function headlineParts({
  headline: { case: found },
  prediction,
  target,
  targetAspect,
  aspects,
  elsewhere,
  outside,
  absenceOf,
}: Cased): HeadlineParts {
  const isTargetUnread = targetAspect?.mapping?.isTooPoor === true;
  const named =
    found === "target-absent" || isTargetUnread ? [] : found === "ranked" ? ranked(aspects) : relevant(aspects);
  return {
    case: found,
    answer: answerText(prediction),
    question: questionText(prediction, target, targetAspect),
    named,
    rest: isTargetUnread
      ? `cannot be said, ${TOO_POOR}`
      : [restText(found, aspects, { elsewhere: elsewhere ?? 0, outside: outside ?? 0 }), absenceText(absenceOf)]
          .filter((text) => text !== "")
          .join("; "),
  };
}

function caseOf(
  { aspects, scale, elsewhere, absenceOf, targetAspect }: Unspoken,
  { isPeakElsewhere, isTargetAbsent, unseen }: HeadlineOptions,
): HeadlineCase {
  if (isTargetAbsent) return "target-absent";
  if (targetAspect?.mapping?.isTooPoor) return "unreadable";
  const present = aspects.filter(({ isPresent }) => isPresent);
  if (present.length === 0) {
    if (absenceOf.length > 0) return "absence";
    return aspects.length > 0 && aspects.every(({ name }) => unseen.includes(name)) ? "blind" : "nothing-seen";
  }
  if (scale.kind === "uncalibrated") return present.some(({ score }) => score !== null) ? "ranked" : "unreadable";
  if (relevant(aspects).length > 0) return isPeakElsewhere || (elsewhere ?? 0) > MOSTLY ? "partly-elsewhere" : "named";
  if (present.some(({ score }) => score === null)) return "unreadable";
  if (absenceOf.length > 0) return "absence";
  return elsewhere === null ? "no-evidence" : "elsewhere";
}

/** Shares of the map, as in an explanation. */
type Rest = Readonly<Record<"elsewhere" | "outside", number>>;

function restText(found: HeadlineCase, aspects: readonly AspectExplanation[], { elsewhere, outside }: Rest): string {
  if (found === "ranked" && ranked(aspects).length === 0) return `no aspect accounts for any of it; ${caseText(found)}`;
  const lies = found === "elsewhere" || found === "partly-elsewhere" ? liesIn(aspects, elsewhere) : undefined;
  if (found === "absence") return ""; // the names say all
  if (found === "elsewhere" && outside > MOSTLY) return `${caseText(found)}; most of the evidence lies outside of them`;
  if (lies && found === "elsewhere") return `${caseText(found)}; most of the evidence lies in ${clip(lies.name)}`;
  if (found === "partly-elsewhere" && elsewhere <= MOSTLY) return "the highest place of the evidence lies elsewhere";
  if (lies) return `${caseText(found)}, most of that in ${clip(lies.name)}`;
  if (found !== "unreadable") return caseText(found);
  return unreadableText(aspects.filter(({ isPresent, score }) => isPresent && score === null));
}

/** What a case means, beside the names of aspects; empty where the names say all. */
export function caseText(found: HeadlineCase): string {
  switch (found) {
    case "named":
      return "";
    case "partly-elsewhere":
      return "much of the evidence lies elsewhere";
    case "elsewhere":
      return "no known aspect explains this";
    case "no-evidence":
      return "nothing that is seen speaks for this";
    case "absence":
      return "what is not seen explains this";
    case "nothing-seen":
      return "no known aspect is seen";
    case "blind":
      return "cannot be said, the model's aspect heads have learned nothing. Label more images, or train longer";
    case "unreadable":
      return "cannot be said, what is seen cannot be read";
    case "target-absent":
      return "there is nothing to explain";
    case "ranked":
      return "not calibrated, scores only rank";
  }
}

/** "no open or short is seen, either of which would change the answer"; empty without a name. */
function absenceText(names: readonly string[]): string {
  if (names.length === 0) return "";
  const which = ["which", "either of which"][names.length - 1] ?? "any of which";
  return `no ${joined(
    names.map((name) => clip(name)),
    "or",
  )} is seen, ${which} would change the answer`;
}

/** The aspect in which most of what lies elsewhere is, by more than its size; it is no reason all the same. */
function liesIn(aspects: readonly AspectExplanation[], elsewhere: number): AspectExplanation | undefined {
  const partOf = (aspect: AspectExplanation) => (elsewhere > 0 ? (aspect.elsewhere ?? 0) / elsewhere : 0);
  const [most] = aspects
    .filter(
      (aspect) => !aspect.isRelevant && partOf(aspect) > MOSTLY && 1 - partOf(aspect) < (1 - (aspect.area ?? 0)) / 2,
    )
    .sort((a, b) => partOf(b) - partOf(a));
  return most;
}

function unreadableText(unreadable: readonly AspectExplanation[]): string {
  const poor = unreadable.filter(({ mapping }) => mapping?.isTooPoor);
  if (poor.length > 0) return `cannot be said, ${clip(poor[0].name)} is seen, but ${TOO_POOR}`;
  const names = joined(unreadable.map(({ name }) => clip(name)));
  const [is, its] = unreadable.length === 1 ? ["is", "its head answers"] : ["are", "their heads answer"];
  const cure = unreadable.every(({ kind }) => kind === "amount") ? "with less of it" : "without it";
  return `cannot be said, ${names} ${is} seen, but ${its} a typical image alike. Label images ${cure}, or train longer`;
}

/** How much of the evidence a share is, in whole percent, as it is printed beside the word. */
export function strengthOf(share: number): Strength {
  const shown = Math.round(100 * share) / 100;
  return shown >= STRENGTHS.decisive ? "decisive" : shown >= STRENGTHS.strong ? "strong" : "some";
}

/**
 * "(decisive)", "(decisive, not stable)" where small changes of the image make it irrelevant; of an aspect without a
 * share its score.
 */
export function noteOn(aspect: AspectExplanation): string {
  const { strength, score } = aspect;
  if (strength === null) return scoreText(score);
  return isStable(aspect) ? `(${strength})` : `(${strength}, not stable)`;
}

/** Whether a relevant aspect stays so under small changes of the image, as far as that was looked at. */
export function isStable({ relevanceInterval }: Pick<AspectExplanation, "relevanceInterval">): boolean {
  return relevanceInterval === null || relevanceInterval[0] >= RELEVANT_FROM;
}

/** Aspects that are relevant, the largest share first. */
function relevant(aspects: readonly AspectExplanation[]): AspectExplanation[] {
  const found = aspects.filter(({ isRelevant }) => isRelevant);
  return found.sort((a, b) => (b.share ?? 0) - (a.share ?? 0) || (b.score ?? 0) - (a.score ?? 0));
}

function ranked(aspects: readonly AspectExplanation[]): AspectExplanation[] {
  return aspects.filter(({ score }) => (score ?? 0) > 0).sort((a, b) => (b.score ?? 0) - (a.score ?? 0));
}

/** "a", "a and b", "a, b and c". */
function joined(names: readonly string[], word: "and" | "or" = "and"): string {
  const [last] = names.slice(-1);
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} ${word} ${last}`;
}

/** Two digits, such as 0.0042; 0 only if exact, and a dash for a number that does not exist. */
export function scoreText(score: number | null): string {
  if (score === null) return "–";
  return score > 0 && score < 0.0001 ? "< 0.0001" : String(Number(score.toPrecision(2)));
}

/** Whole percent; 100 % and 0 % only if exact. */
export function percentText(share: number): string {
  if (share < 1 && share > 0.995) return "> 99 %";
  if (share > 0 && share < 0.005) return "< 1 %";
  return `${Math.round(100 * share)} %`;
}

function answerText(prediction: Prediction): string {
  if ("value" in prediction) return Number(prediction.value.toPrecision(3)).toString();
  if ("labels" in prediction) {
    const labels = prediction.labels.length > 0 ? prediction.labels : [prediction.class];
    return labels.map((label) => `${clip(label)} ${percentText(prediction.scores[label])}`).join(", ");
  }
  return `${clip(prediction.class)} ${percentText(prediction.score)}`;
}

/** " (0.97)", " (0.02, not seen)"; empty without an aspect. */
function seenText(aspect: TargetAspect | null): string {
  if (!aspect) return "";
  return ` (${aspect.presence.toFixed(2)}${aspect.isPresent ? "" : ", not seen"})`;
}

function unitText({ layer, channel, place }: Extract<Explanation["target"], { kind: "unit" }>): string {
  return `channel ${channel} of ${layer}${place ? ` at ${place.join(", ")}` : ""}`;
}

function questionText(prediction: Prediction, target: Explanation["target"], aspect: TargetAspect | null): string {
  if (target.kind === "aspect") return `why ${clip(target.aspect)}${seenText(aspect)}`;
  if (target.kind === "image") return `why the image of ${clip(target.aspect)}${seenText(aspect)}`;
  if (target.kind === "unit") return `why ${unitText(target)}`;
  if (target.kind === "value" || "value" in prediction) return BECAUSE;
  if (target.kind === "margin") return `what speaks for ${clip(target.class)} rather than ${clip(target.other)}`;
  if (target.kind === "logit" && !("labels" in prediction)) return `what raises the logit of ${clip(target.class)}`;
  const isWhole = !("labels" in prediction) || prediction.labels.length === 1;
  if (isWhole && target.class === prediction.class) return BECAUSE;
  return `what speaks for ${clip(target.class)} (${percentText(prediction.scores[target.class])})`;
}
