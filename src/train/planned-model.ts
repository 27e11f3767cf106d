/** The model that a configuration and a dataset ask for. */

import type { AspectKind } from "../core/annotation.js";
import { ownValue } from "../core/own-value.js";
import type { ClassifierSpec, HeadSpec } from "../heads/head-spec.js";
import type { ModelSpec } from "../model/model-spec.js";
import type { TrainConfig } from "./config.js";

/** What of a dataset shapes the model. */
export interface DatasetFacts {
  readonly task: ClassifierSpec["task"];
  readonly classes: readonly string[];
  readonly aspects: readonly { readonly name: string; readonly kind: AspectKind }[];
  /** Regression: mean and deviation of the training values. */
  readonly scale?: ClassifierSpec["scale"];
  /** Aspects of kind amount that carry a map at each pixel. */
  readonly mapped: ReadonlySet<string>;
}

/** Probability from which a head sees its aspect; centres are sparse, so boxes are kept from a lower one. */
const THRESHOLDS: Record<AspectKind, number> = { segmentation: 0.5, boxes: 0.3, presence: 0.5, amount: 0.1 };

/** @param output name of the trunk's last layer, which the classifier reads by default. */
export function modelSpecOf(config: TrainConfig, facts: DatasetFacts, { output }: { output: string }): ModelSpec {
  const tapsOf = (name: string, fallback: string) => {
    const { tap = fallback } = ownValue(config.heads, name) ?? {};
    return typeof tap === "string" ? [tap] : [...tap];
  };
  const { pooling = "mean" } = ownValue(config.heads, "class") ?? {};
  const classifier: ClassifierSpec = {
    name: "class",
    kind: "classifier",
    taps: tapsOf("class", output),
    task: facts.task,
    classes: facts.task === "regression" ? [] : facts.classes,
    ...(pooling === "mean" ? {} : { pooling }),
    ...(facts.scale ? { scale: facts.scale } : {}),
  };
  const aspects = facts.aspects.map(({ name, kind }): HeadSpec => {
    const base = {
      name,
      taps: tapsOf(name, config.source),
      threshold: ownValue(config.heads, name)?.threshold ?? THRESHOLDS[kind],
    };
    if (kind !== "amount") return { ...base, kind };
    return { ...base, kind, form: ownValue(config.heads, name)?.form ?? (facts.mapped.has(name) ? "map" : "number") };
  });
  const { weights: _, ...trunk } = config.trunk;
  return { trunk, source: config.source, heads: [classifier, ...aspects] };
}
