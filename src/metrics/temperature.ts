/**
 * Temperature scaling (Guo et al. 2017, arXiv:1706.04599): one number that all logits are divided by, so that scores
 * mean what they say. It moves no score past another, so no decision changes.
 */

import { sigmoid, softmax } from "../core/logistic.js";

/** Logits, and what was true. */
export interface LabelledLogits {
  /** Of one answer after the other. */
  readonly logits: ArrayLike<number>;
  /** 1 where it was so, else 0; as many as logits. */
  readonly isTrue: ArrayLike<number>;
  /** Logits of one answer. */
  readonly width: number;
  /** One of each answer's logits is true (softmax); else each for itself (sigmoid). */
  readonly isExclusive: boolean;
}

/** Fewer answers say too little. */
const FEWEST = 10;
const [LOWEST, HIGHEST] = [0.05, 20];
/** Of the bisection; each halves the range of the logarithm. */
const STEPS = 40;

/**
 * The temperature at which answers are as sure, on average, as they are often right (expectation consistency, Clarte et
 * al. 2023, arXiv:2303.02644). Of n answers of which k were right, (k + 1) / (n + 2) count as the share (Laplace): n
 * right answers do not prove that the next one is. The likelihood, which Guo et al. maximise, follows single answers
 * that are surely wrong, and with some fifty images made others far too unsure.
 *
 * @returns 0.05..20, or `null` where there are fewer than ten answers.
 */
export function fitTemperature(given: LabelledLogits): number | null {
  const answers = answersOf(given);
  if (answers.length < FEWEST) return null;
  const right = answers.reduce((count, { isRight }) => count + (isRight ? 1 : 0), 0);
  const wanted = (right + 1) / (answers.length + 2);
  let [low, high] = [Math.log(LOWEST), Math.log(HIGHEST)];
  for (let step = 0; step < STEPS; step++) {
    const middle = (low + high) / 2;
    const temperature = Math.exp(middle);
    const sum = answers.reduce((total, { confidence }) => total + confidence(temperature), 0);
    if (sum / answers.length > wanted) low = middle;
    else high = middle;
  }
  return Math.exp((low + high) / 2);
}

interface Answer {
  readonly isRight: boolean;
  /** How sure it is, falling with the temperature. */
  readonly confidence: (temperature: number) => number;
}

function answersOf({ logits, isTrue, width, isExclusive }: LabelledLogits): Answer[] {
  const answers: Answer[] = [];
  for (let start = 0; start < logits.length; start += isExclusive ? width : 1) {
    if (!isExclusive) {
      const confidence = (temperature: number) => sigmoid(Math.abs(logits[start]) / temperature);
      answers.push({ isRight: (logits[start] >= 0 ? 1 : 0) === isTrue[start], confidence });
      continue;
    }
    const row = Array.from({ length: width }, (_, i) => logits[start + i]);
    const best = row.indexOf(Math.max(...row));
    const confidence = (temperature: number) => softmax(row.map((logit) => logit / temperature))[best];
    answers.push({ isRight: isTrue[start + best] === 1, confidence });
  }
  return answers;
}
