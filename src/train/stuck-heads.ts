/**
 * Heads that see nothing while others learn: found after a fifth of the last stage, and weighted more from there on. A
 * head's own parameters do not care, since Adam divides by the size of their gradients; but what all heads share turns
 * to what this one needs.
 */

import type { EpochRecord } from "../core/epoch-record.js";
import { ownValue } from "../core/own-value.js";
import type { DataFingerprint } from "../dataset/fingerprint.js";
import { type HeadMetrics, scoreOf } from "../heads/metrics.js";
import { isConstantAsGood } from "../metrics/constant-answer.js";
import { meanOf } from "../metrics/weights.js";
import type { TrainConfig } from "./config.js";

/** So many times its weight counts the loss of a stuck head. */
export const STUCK_WEIGHT = 4;
/** Share of the last stage's epochs after which heads are judged. */
const JUDGED_AFTER = 1 / 5;
/** Shorter stages are not judged. */
const LEAST_EPOCHS = 5;

/**
 * Heads of which no epoch so far was better than the same answer for every image; none but after the epoch in which
 * heads are judged.
 *
 * @param history all epochs until now, the one that is judged last.
 * @param options.learning names of the heads that learn.
 */
export function stuckHeads(
  history: readonly EpochRecord[],
  {
    config,
    learning,
    fingerprint,
  }: { config: TrainConfig; learning: readonly string[]; fingerprint?: DataFingerprint },
): string[] {
  const last = config.stages.length - 1;
  const { epochs } = config.stages[last];
  const stage = history.filter((record) => record.stage === last);
  if (epochs < LEAST_EPOCHS || stage.length !== Math.ceil(JUDGED_AFTER * epochs)) return [];
  const untaught = untaughtHeads(fingerprint);
  return learning.filter((name) => {
    if (untaught.includes(name)) return false;
    if (ownValue(config.heads, name)?.weight === 0) return false; // trained for another head alone
    const all = stage.flatMap(
      ({ validation }) => ownValue((validation ?? {}) as Record<string, HeadMetrics>, name) ?? [],
    );
    const scores = all.flatMap((metrics) => scoreOf(metrics) ?? []);
    const constant = all[0] && constantScore(all[0], ownValue(fingerprint?.heads ?? {}, name));
    return scores.length > 0 && constant !== null && isConstantAsGood(Math.max(...scores), constant);
  });
}

/** Heads that no training image is labelled for. */
export function untaughtHeads(fingerprint?: DataFingerprint): string[] {
  return Object.entries(fingerprint?.heads ?? {}).flatMap(([name, { labelled }]) => (labelled === 0 ? [name] : []));
}

/** Weights of the heads' losses, of `stuck` ones more. */
export function lossWeights(
  { heads }: Pick<TrainConfig, "heads">,
  stuck: readonly string[],
): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(heads).map(([name, { weight }]) => [name, stuck.includes(name) ? STUCK_WEIGHT * weight : weight]),
  );
}

/** Those that were found stuck in this stage. */
export function foundStuck(history: readonly EpochRecord[], stage: number): string[] {
  return history.flatMap((record) => (record.stage === stage ? (record.stuck ?? []) : []));
}

/** What the best answer that is the same for every image reaches, by `scoreOf`; `null` where that is not known. */
function constantScore(metrics: HeadMetrics, data?: DataFingerprint["heads"][string]): number | null {
  switch (metrics.kind) {
    case "classifier":
      if (metrics.task === "single") return metrics.majorityBaseline;
      if (metrics.task === "regression") return 0;
      return meanOf(Object.values(metrics.prevalence));
    case "segmentation": // "everywhere"
      return data && data.labelled > 0 ? ((data.area ?? 0) * data.positive) / data.labelled : 0;
    case "boxes":
      return 0;
    case "presence":
      return metrics.auc === null ? null : 0.5;
    case "amount":
      return null;
  }
}
