/** Metrics of every head over batches of a split. */

import type { NdArrays } from "../core/nd-array.js";
import { createMetrics, type HeadMetrics, scoreOf } from "../heads/metrics.js";
import type { Model } from "../model/model.js";

import { type Batch, labelOf } from "./inputs.js";

/** Metrics by head, in the form of `aspectlens-metrics/1`; a metric without labels is `null`. */
export type Metrics = Readonly<Record<string, HeadMetrics>>;

/**
 * @param run gives every head's answer before the sigmoid, `[batch, ...]`, for a batch's inputs.
 */
export async function evaluateSplit(
  model: Model,
  stream: AsyncIterable<Batch>,
  { run, signal }: { run: (inputs: NdArrays) => Promise<NdArrays>; signal?: AbortSignal },
): Promise<Metrics> {
  const metrics = model.heads.map((head) => createMetrics(head.spec));
  for await (const { inputs, samples } of stream) {
    signal?.throwIfAborted();
    const outputs = await run(inputs);
    model.heads.forEach((head, index) => {
      metrics[index].add(
        outputs[head.spec.name],
        samples.map((sample) => labelOf(sample, head)),
      );
    });
  }
  return Object.fromEntries(model.heads.map((head, index) => [head.spec.name, metrics[index].result()]));
}

/**
 * One number, 0..1, higher is better: a head's own score, or the mean over the heads that have one.
 *
 * @param options.unscored heads that the mean leaves out.
 * @returns `null` where nothing was labelled.
 */
export function scoreOfMetrics(
  metrics: Metrics,
  score: string,
  { unscored = [] }: { unscored?: readonly string[] } = {},
): number | null {
  const scores = Object.entries(metrics)
    .filter(([name]) => (score === "mean" ? !unscored.includes(name) : name === score))
    .map(([, result]) => scoreOf(result))
    .filter((value) => value !== null);
  return scores.length === 0 ? null : scores.reduce((sum, value) => sum + value, 0) / scores.length;
}
