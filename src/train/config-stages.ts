/** The stages of a training: what learns, how long and how fast, with every default. */

import { checkKeys } from "../core/check-keys.js";
import { ConfigError } from "../core/errors.js";
import { isRecord } from "../core/json-values.js";
import { shown } from "../core/message-text.js";
import { ownValue } from "../core/own-value.js";
import { architectureOf } from "../trunk/architecture-of.js";
import type { TrunkSpec } from "../trunk/trunk-spec.js";
import { trunkDefinition } from "../trunk/trunks.js";
import { boolean, integer, keysOf, number, oneOf, share, text } from "./config-values.js";

/** A stage of a training configuration: which layers learn, for how long, and how fast. */
export interface StageConfig {
  /** `heads`, `all`, or the first trunk layer that learns. */
  readonly train: string;
  readonly epochs: number;
  readonly learningRate: number;
  /** Rate of the trunk's layers; where absent `learningRate`, or a tenth of it in stage `heads` on given weights. */
  readonly trunkLearningRate: number;
  /** `batch`: statistics of the batch, as random weights need. `frozen`: folded into the convolutions. */
  readonly batchNorm: "batch" | "frozen";
  /** Stage `heads` only: compute the frozen trunk's features once, plain and flipped, instead of augmenting again. */
  readonly cache: boolean;
  /**
   * Decay of the exponential moving average of the parameters, in [0, 1); 0 keeps none. Where it is kept, it is what is
   * validated, kept as best and handed on to the next stage.
   */
  readonly movingAverage: number;
}

export const STAGE_KEYS = keysOf<StageConfig>({
  ...{ train: true, epochs: true, learningRate: true, trunkLearningRate: true },
  ...{ batchNorm: true, cache: true, movingAverage: true },
});

/** What a user may write: a list, or changes to the default stages by their place, counted from 0. */
export type RawStages = readonly Partial<StageConfig>[] | Readonly<Record<string, Partial<StageConfig>>>;

/** @throws ConfigError where it is neither a list nor changes, or a stage has an unknown key. */
export function checkStageKeys(value: unknown): asserts value is RawStages {
  const isList = Array.isArray(value) && value.length > 0;
  if (!isList && !isRecord(value)) throw new ConfigError(`stages: expected a list of stages, got ${shown(value)}.`);
  for (const [place, stage] of Object.entries(value)) checkKeys(stage, STAGE_KEYS, `stages[${place}]`, ConfigError);
}

/** An imported network stays as it is. */
function fineTuning({ name, network }: TrunkSpec): readonly { readonly train: string }[] {
  return network ? [] : [{ train: trunkDefinition(name).fineTuneFrom }];
}

/**
 * @param trunk where it starts from `random` weights, all layers learn from the first step.
 * @param options.isCacheable features of all images are few enough to be kept.
 */
export function resolveStages(
  value: unknown,
  trunk: TrunkSpec & { readonly weights: string },
  drawCount: number,
  { isCacheable = true }: { isCacheable?: boolean } = {},
): StageConfig[] {
  const isRandom = trunk.weights === "random";
  const usual = isRandom ? [{ train: "all" }] : [{ train: "heads" }, ...fineTuning(trunk)];
  const stages = isRecord(value) ? changed(usual, value) : (value ?? usual);
  checkStageKeys(stages);
  return Object.values(stages).map((stage, index) => {
    const where = `stages[${index}]`;
    const train = text(stage.train, isRandom ? "all" : "heads", `${where}.train`);
    // Without batch normalisation, as in VGG, random weights diverge at the rate that suits a MobileNet.
    const isFast = train === "all" && isRandom && architectureOf(trunk).hasBatchNorm;
    const rate = train === "heads" ? 0.002 : isFast ? 0.003 : isRandom ? 0.0003 : 0.001;
    const learningRate = number(stage.learningRate, rate, `${where}.learningRate`, { above: 0, most: 10 });
    return {
      train,
      epochs: integer(stage.epochs, defaultEpochs(train, isRandom, drawCount), `${where}.epochs`, {
        least: 1,
        most: 1e6,
      }),
      learningRate,
      trunkLearningRate: number(
        stage.trunkLearningRate,
        learningRate * trunkShare(train, isRandom),
        `${where}.trunkLearningRate`,
        {
          above: 0,
          most: 10,
        },
      ),
      batchNorm: oneOf(
        stage.batchNorm ?? (train === "all" && isRandom ? "batch" : "frozen"),
        ["batch", "frozen"] as const,
        `${where}.batchNorm`,
      ),
      cache: boolean(stage.cache, train === "heads" && isCacheable, `${where}.cache`),
      movingAverage: share(stage.movingAverage, `${where}.movingAverage`, { below: 1 }),
    };
  });
}

/** @param changes to the default stages by their place, as `--set stages.0.epochs=5` makes them. */
function changed(usual: readonly object[], changes: Readonly<Record<string, unknown>>): object[] {
  checkKeys(changes, Object.keys(usual), "stages", ConfigError);
  return usual.map((stage, index) => {
    const change = ownValue(changes, String(index)) ?? {};
    checkKeys(change, STAGE_KEYS, `stages[${index}]`, ConfigError);
    return { ...stage, ...change };
  });
}

/**
 * Layers with given weights learn slower than the heads, which begin at random; on cached features, much slower: those
 * after the taps would overfit a small set.
 */
function trunkShare(train: string, isRandom: boolean): number {
  if (isRandom) return 1;
  return train === "heads" ? 0.1 : 0.5;
}

/** As many passes as show the network a set number of images, within reason. */
function defaultEpochs(train: string, isRandom: boolean, drawCount: number): number {
  const images = train === "heads" ? 6_000 : isRandom ? 48_000 : 36_000;
  return Math.min(100, Math.max(4, Math.round(images / Math.max(1, drawCount))));
}
