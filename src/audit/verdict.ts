/** Whether what was counted keeps a limit, breaks it, or is too little to tell; all from intervals of 95 %. */

import type { Interval } from "../metrics/bootstrap.js";
import { differenceInterval, type Pairs, type Part, pairedDifferenceInterval } from "../metrics/newcombe.js";
import { wilsonInterval, Z } from "../metrics/wilson.js";

/** `undecided`: the limit lies within the interval. */
export type AuditStatus = "passed" | "failed" | "undecided";

/** What a count says of a limit. */
export interface Verdict {
  readonly status: AuditStatus;
  readonly share: number;
  readonly interval: Interval;
  /**
   * Of an undecided one, the smallest number of images that decides, where the share stays as it is (where nothing was
   * counted, where it keeps the limit as well as it can); `null` where the share is the limit itself, or more than a
   * thousand million are needed.
   */
  readonly needed: number | null;
}

/** No data set has more. */
const MOST_IMAGES = 1e9;

/** Of a share that is to stay at most, or at least, at a limit. */
export function shareVerdict(
  { count, total }: Part,
  { side, limit }: { readonly side: "atMost" | "atLeast"; readonly limit: number },
): Verdict {
  const interval = wilsonInterval(count, total);
  const [low, high] = interval;
  const best = side === "atMost" ? 0 : 1;
  const share = total === 0 ? best : count / total;
  const isBroken = side === "atMost" ? low > limit : high < limit;
  // Of "none at all" and "all of them" any exception is a breach, and no number of images proves it.
  const isKept = total > 0 && (side === "atMost" ? high <= limit : low >= limit || (limit === 1 && share === 1));
  const isNone = total > 0 && limit === 0 && count === 0;
  const status = isBroken ? "failed" : isKept || isNone ? "passed" : "undecided";
  const shown = total === 0 ? 0 : share;
  return { status, share: shown, interval, needed: status === "undecided" ? neededFor(share, limit) : null };
}

/** Of a difference of two shares that is to stay within a limit in both directions. */
export function changeVerdict(
  sides: { readonly here: Part; readonly there: Part } | { readonly pairs: Pairs },
  { limit }: { readonly limit: number },
): Verdict {
  const { difference, total, intervalAt } = "pairs" in sides ? ofPairs(sides.pairs) : ofParts(sides);
  if (total === 0) return { status: "undecided", share: 0, interval: [-1, 1], needed: neededFor(0, limit) };
  const interval = intervalAt(1);
  const status = statusOf(interval, limit);
  if (status !== "undecided") return { status, share: difference, interval, needed: null };
  const isDecided = (images: number) => statusOf(intervalAt(images / total), limit) !== "undecided";
  return { status, share: difference, interval, needed: smallest(isDecided, total) };
}

function statusOf([low, high]: Interval, limit: number): AuditStatus {
  if (low > limit || high < -limit) return "failed";
  return low >= -limit && high <= limit ? "passed" : "undecided";
}

function ofParts({ here, there }: { readonly here: Part; readonly there: Part }) {
  const total = Math.min(here.total, there.total) === 0 ? 0 : here.total;
  const grown = ({ count, total: all }: Part, by: number) => ({ count: count * by, total: all * by });
  return {
    difference: here.count / here.total - there.count / there.total,
    total,
    intervalAt: (by: number) => differenceInterval(grown(here, by), grown(there, by)),
  };
}

function ofPairs({ both, firstOnly, secondOnly, neither }: Pairs) {
  const total = both + firstOnly + secondOnly + neither;
  return {
    difference: (firstOnly - secondOnly) / total,
    total,
    intervalAt: (by: number) =>
      pairedDifferenceInterval({
        ...{ both: both * by, firstOnly: firstOnly * by },
        ...{ secondOnly: secondOnly * by, neither: neither * by },
      }),
  };
}

/**
 * A limit L lies in Wilson's interval of a share p exactly while (p - L)^2 <= z^2 L (1 - L) / n, since the interval is
 * the inverse of the score test.
 */
function neededFor(share: number, limit: number): number | null {
  // None at all, and all of them, one image can break.
  const images = limit === 0 || limit === 1 ? 1 : (Z ** 2 * limit * (1 - limit)) / (share - limit) ** 2;
  return images <= MOST_IMAGES ? Math.ceil(images) : null;
}

function smallest(isDecided: (images: number) => boolean, from: number): number | null {
  let [low, high] = [from, 2 * from]; // low is undecided
  while (!isDecided(high)) {
    if (high > MOST_IMAGES) return null;
    [low, high] = [high, 2 * high];
  }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (isDecided(middle)) high = middle;
    else low = middle;
  }
  return high;
}
