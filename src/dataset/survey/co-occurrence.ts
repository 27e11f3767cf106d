/** How often classes and aspects come together; what always does cannot be told apart. */

import { classLabels } from "../../core/annotation.js";
import { ownValue } from "../../core/own-value.js";
import type { Manifest } from "../manifest.js";
import { annotationState } from "../record.js";
import type { SeenSample, SurveyPart } from "./seen-sample.js";

/** Of the samples in which both are labelled. */
export interface PairCounts {
  readonly both: number;
  readonly firstOnly: number;
  readonly secondOnly: number;
  readonly neither: number;
}

export interface CoOccurrence {
  /** By class, then by aspect. */
  readonly classes: Readonly<Record<string, Readonly<Record<string, PairCounts>>>>;
  /** Sentences: what comes and goes together. */
  readonly together: readonly string[];
}

/** Fewer samples, or fewer with or without, say nothing. */
const LEAST_SAMPLES = 20;
const LEAST_OF_EACH = 5;
/** Share of exceptions up to which two come together as good as always. */
const MOST_EXCEPTIONS = 0.01;

/** Keeps four numbers for each pair. */
export function coOccurrence({ classes, aspects, causes }: Manifest): SurveyPart<CoOccurrence> {
  const names = [...classes, ...aspects.map(({ name }) => name)];
  /** By pair of places in `names`: both, first, second, neither. */
  const counts = new Map<string, [number, number, number, number]>();
  const countsOf = (a: number, b: number): PairCounts => {
    const [both, firstOnly, secondOnly, neither] = counts.get(`${a} ${b}`) ?? [0, 0, 0, 0];
    return { both, firstOnly, secondOnly, neither };
  };
  return {
    add({ record }: SeenSample) {
      const labels = classLabels(record.target);
      const states = [
        ...classes.map((name) => labels?.includes(name)),
        ...aspects.map(({ name, kind }) => {
          const state = annotationState(ownValue(record.aspects, name), kind);
          return state === "unlabelled" ? undefined : state === "labelled";
        }),
      ];
      for (let b = classes.length; b < names.length; b++) {
        for (let a = 0; a < b; a++) {
          const [first, second] = [states[a], states[b]];
          if (first === undefined || second === undefined) continue;
          const own = counts.get(`${a} ${b}`) ?? [0, 0, 0, 0];
          own[(first ? 0 : 2) + (first === second ? (first ? 0 : 1) : first ? 1 : 0)]++;
          counts.set(`${a} ${b}`, own);
        }
      }
    },
    result() {
      const together: string[] = [];
      // Of an amount it matters how much there is: it may well be there whenever another aspect is.
      const isAmount = (at: number) => aspects[at - classes.length]?.kind === "amount";
      for (let b = classes.length; b < names.length; b++) {
        for (let a = 0; a < b; a++) {
          if (isAmount(a) || isAmount(b)) continue;
          if (a < classes.length && areNamedAlike(names[a], names[b])) continue;
          // A cause is meant to come with its class.
          if (a < classes.length && ownValue(causes, names[a])?.includes(names[b])) continue;
          const sentence = togetherText(countsOf(a, b), {
            first: a < classes.length ? `class "${names[a]}"` : `aspect "${names[a]}"`,
            second: `aspect "${names[b]}"`,
          });
          if (sentence !== undefined) together.push(sentence);
        }
      }
      const byAspect = (a: number) =>
        Object.fromEntries(aspects.map(({ name }, index) => [name, countsOf(a, classes.length + index)]));
      return { classes: Object.fromEntries(classes.map((name, a) => [name, byAspect(a)])), together };
    },
  };
}

/**
 * A class and an aspect of one name: the class follows from the aspect, so that no image could have one alone. Names
 * of aspects lack some characters that names of classes may have.
 */
function areNamedAlike(name: string, aspect: string): boolean {
  const lettersOf = (text: string) => text.replace(/[^\p{L}\p{N}]/gu, "");
  return name === aspect || (lettersOf(name) !== "" && lettersOf(name) === lettersOf(aspect));
}

function togetherText(
  { both, firstOnly, secondOnly, neither }: PairCounts,
  { first, second }: { first: string; second: string },
): string | undefined {
  const exceptions = firstOnly + secondOnly;
  const count = both + neither + exceptions;
  if (count < LEAST_SAMPLES || both < LEAST_OF_EACH || neither < LEAST_OF_EACH) return undefined;
  if (exceptions > MOST_EXCEPTIONS * count) return undefined;
  const how = exceptions === 0 ? "always come" : `come, but for ${exceptions} of ${count} images,`;
  return (
    `${first} and ${second} ${how} together (${both} images with both, ${neither} with neither): ` +
    "they cannot be told apart, neither by a model nor by an explanation. Add images with one of them alone."
  );
}
