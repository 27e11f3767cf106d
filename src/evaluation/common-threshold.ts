/** Answers of models whose heads have thresholds of their own, brought to one, so that they are counted together. */

import { logit } from "../core/logistic.js";
import type { HeadSpec } from "../heads/head-spec.js";

/** A head whose threshold is zero before the sigmoid. */
export function atHalf(spec: HeadSpec): HeadSpec {
  if (spec.kind === "classifier" || spec.kind === "amount") return spec;
  if (spec.kind !== "presence") return { ...spec, threshold: 0.5 };
  const { temperature: _, ...rest } = spec;
  return { ...rest, threshold: 0.5 };
}

/**
 * Logits that decide at `atHalf(spec)` as the given ones do at the head's own threshold and temperature; the order of an
 * image's logits stays.
 *
 * @param logits of one image; of boxes only the heat, the first of each cell's five numbers, is moved.
 */
export function movedToHalf(logits: Float32Array | Int32Array, spec: HeadSpec): Float32Array | Int32Array {
  if (spec.kind === "classifier" || spec.kind === "amount") return logits;
  const temperature = spec.kind === "presence" ? (spec.temperature ?? 1) : 1;
  const least = Math.fround(temperature * logit(spec.threshold));
  const step = spec.kind === "boxes" ? 5 : 1;
  const moved = Float32Array.from(logits);
  for (let at = 0; at < moved.length; at += step) moved[at] -= least;
  return moved;
}
