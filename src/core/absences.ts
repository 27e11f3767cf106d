/** Answers that are given because an aspect is not there. */

import { isNumber, isRecord } from "./json-values.js";
import { ownValue } from "./own-value.js";

/**
 * By class and aspect: of the calibration images answered so without the aspect, the share whose answer changes when the
 * aspect is put in. Only shares above 0.
 */
export type Absences = Readonly<Record<string, Readonly<Record<string, number>>>>;

/**
 * From this share on the absence is a reason. On drawn tissue and on circuit boards it is 1 for every aspect that causes
 * the other class, and 0 for every other: bench/results/absences.json.
 */
const ABSENT_FROM = 0.95;

/** The aspects of which a class needs that they are absent. */
export function neededAbsences(absences: Absences, answer: string): string[] {
  const shares = ownValue(absences, answer) ?? {};
  return Object.keys(shares).filter((name) => shares[name] >= ABSENT_FROM);
}

/** Whether a value of parsed JSON is such a table. */
export function areAbsences(value: unknown): value is Absences {
  const isShare = (share: unknown) => isNumber(share) && share >= 0 && share <= 1;
  return (
    isRecord(value) &&
    Object.values(value).every((byAspect) => isRecord(byAspect) && Object.values(byAspect).every(isShare))
  );
}
