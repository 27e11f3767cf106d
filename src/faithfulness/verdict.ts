/** What a measurement of faithfulness comes to, in words, with how sure it is. */

import type { Faithfulness, FaithfulnessMethod } from "./faithfulness.js";

/** Fewer images with a cause and another aspect say too little of the ranking. */
export const LEAST_IMAGES = 20;

/** 5 to 95 %. */
const Z = 1.645;

export type VerdictCase = "better-than-chance" | "not-told-from-chance" | "worse-than-chance" | "too-few" | "alone";

/** The verdict on how the default method ranks. */
export interface Verdict {
  readonly case: VerdictCase;
  /** One sentence, and what to do. */
  readonly text: string;
}

export function verdictOf({ count, counts, methods, chance }: Omit<Faithfulness, "verdict">): Verdict {
  const [own] = methods.filter(({ isDefault }) => isDefault);
  if (counts.withCause + counts.withoutCause + count === 0) return removalVerdict(own);
  if (count === 0) {
    const named = own?.unexplainedWithCause ?? null;
    const part = named === null ? "" : ` In ${percent(1 - named)} of the ${counts.withCause} images it is relevant.`;
    return {
      case: "alone",
      text:
        "no image shows another aspect beside a cause, so it cannot be told whether causes are told from others." +
        `${part} By painting over: ${removalVerdict(own).text}`,
    };
  }
  if (count < LEAST_IMAGES || own?.namedCause == null || chance.namedCause === null)
    return { case: "too-few", text: `too few images to say: ${count}, and ${LEAST_IMAGES} at least are needed.` };
  const [low, high] = wilson(own.namedCause, count);
  const images = `${count} images that hold a cause and another aspect`;
  const found = `the cause is first in ${percent(own.namedCause)} of ${images} (${percent(low)} to ${percent(high)})`;
  const beside = `at random it would be in ${percent(chance.namedCause)}`;
  const rest = counts.withoutCause < LEAST_IMAGES ? "" : uncausedText(counts.withoutCause, own.unexplainedWithoutCause);
  if (low > chance.namedCause) return { case: "better-than-chance", text: `${found}; ${beside}.${rest}` };
  if (high < chance.namedCause)
    return {
      case: "worse-than-chance",
      text: `worse than chance, do not trust this model's ranking: ${found}; ${beside}.`,
    };
  return { case: "not-told-from-chance", text: `not told from chance: ${found}; ${beside}. More images may tell.` };
}

/** Of answers that no aspect caused, those that name one all the same are wrong. */
function uncausedText(count: number, unexplained: number | null): string {
  if (unexplained === null) return "";
  return ` Of the ${count} answers that no aspect caused, ${percent(1 - unexplained)} name one all the same.`;
}

/** Where no cause is known: whether the scores follow what the answers lose. */
function removalVerdict(own: FaithfulnessMethod | undefined): Verdict {
  const { removal, removalCorrelation: found } = own ?? { removal: null, removalCorrelation: null };
  const count = removal ? removal.changed.count + removal.kept.count : 0;
  if (!removal || found === null || count < LEAST_IMAGES)
    return {
      case: "too-few",
      text:
        `too few aspects that are seen and could be painted over: ${count}, and ${LEAST_IMAGES} at least are needed. ` +
        "Name causes, or label masks or boxes.",
    };
  const [low, high] = correlationInterval(found, count);
  const numbers = `rank correlation ${found.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)}) over ${count} aspects, each painted over in one image`;
  const rest = relevanceText(removal);
  if (low > 0)
    return {
      case: "better-than-chance",
      text:
        "the ranking is better than chance: the higher an aspect's score, the more the answer loses when it is " +
        `painted over, ${numbers}.${rest}`,
    };
  if (high < 0)
    return {
      case: "worse-than-chance",
      text:
        "worse than chance, do not trust this model's ranking: the higher an aspect's score, the less the answer loses " +
        `when it is painted over, ${numbers}.${rest}`,
    };
  return {
    case: "not-told-from-chance",
    text: `not told from chance whether scores follow what the answer loses by painting over: ${numbers}.${rest}`,
  };
}

/** Whether more of the aspects that change the answer are called relevant than of those that do not. */
function relevanceText({ changed, kept }: NonNullable<FaithfulnessMethod["removal"]>): string {
  if (changed.relevant === null || kept.relevant === null) return "";
  const [[low], [, high]] = [wilson(changed.relevant, changed.count), wilson(kept.relevant, kept.count)];
  const shares =
    `${percent(changed.relevant)} of the ${changed.count} that change the answer when they are painted over, ` +
    `${percent(kept.relevant)} of the ${kept.count} that do not`;
  if (low > high) return ` Called relevant are ${shares}.`;
  return ` Whether an aspect is called relevant is not told from chance: ${shares}.`;
}

/** Of Spearman's rank correlation of `count` pairs (Fieller, Hartley and Pearson 1957, doi:10.1093/biomet/44.3-4.470). */
export function correlationInterval(found: number, count: number): [low: number, high: number] {
  const middle = Math.atanh(Math.min(1 - 1e-9, Math.max(1e-9 - 1, found)));
  const reach = Z * Math.sqrt(1.06 / (count - 3));
  return [Math.tanh(middle - reach), Math.tanh(middle + reach)];
}

/** Interval of a share of `count` (Wilson 1927, doi:10.1080/01621459.1927.10502953). */
export function wilson(share: number, count: number): [low: number, high: number] {
  const square = Z * Z;
  const middle = share + square / (2 * count);
  const reach = Z * Math.sqrt((share * (1 - share)) / count + square / (4 * count * count));
  const scale = 1 + square / count;
  return [Math.max(0, (middle - reach) / scale), Math.min(1, (middle + reach) / scale)];
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}
