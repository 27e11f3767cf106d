/**
 * The training configuration: what a user may write, checked key by key, and every default resolved to suit the data.
 */

import type { AspectKind } from "../core/annotation.js";
import { checkKeys } from "../core/check-keys.js";
import { ConfigError } from "../core/errors.js";
import { shown } from "../core/message-text.js";
import type { TrunkSpec } from "../trunk/trunk.js";
import { BUILTIN, TRUNK_NAMES, trunkDefinition } from "../trunk/trunks.js";
import { HEAD_KEYS, type HeadConfig, resolveHeads } from "./config-heads.js";
import { resolveStages, STAGE_KEYS, type StageConfig } from "./config-stages.js";
import { boolean, integer, number, oneOf, text } from "./config-values.js";

/** A training configuration with every default filled in; docs/configuration.md describes each key. */
export interface TrainConfig {
  readonly dataset: string;
  readonly out: string;
  readonly seed: number;
  readonly batchSize: number;
  /**
   * So many batches make one optimizer step, their gradients averaged: the step of a larger batch in the memory of a
   * small one. Statistics of batch normalisation remain those of each batch. The last step of an epoch takes the
   * batches left.
   */
  readonly accumulate: number;
  /** `weights`: `builtin:<name>`, `random`, a path, or the name of weights that were pulled or imported. */
  readonly trunk: TrunkSpec & { readonly weights: string };
  /** A trained trunk whose last features this one learns to predict, in stages that train `all`; for pre-training. */
  readonly teacher?: { readonly weights: string; readonly weight: number };
  readonly source: string;
  readonly heads: Readonly<Record<string, HeadConfig>>;
  readonly stages: readonly StageConfig[];
  readonly augment: { readonly flip: boolean; readonly crop: number; readonly colour: number };
  /** A head's name, or `mean` of all heads' scores. */
  readonly score: string;
  /** Stop a stage after so many epochs without a better score; 0 never stops early. */
  readonly patience: number;
  /** What is kept between epochs: decoded images up to here; features of a frozen trunk too, and past it in a file. */
  readonly cacheMegabytes: number;
}

/** What a user writes: everything but `dataset` and `out` may be left out. */
export type RawConfig = Record<string, unknown> & { dataset: string; out: string };

const KEYS = [
  "dataset",
  "out",
  "seed",
  "batchSize",
  "accumulate",
  "trunk",
  "teacher",
  "source",
  "heads",
  "stages",
  "augment",
  "score",
  "patience",
  "cacheMegabytes",
];
/** `convention` stands in a run's own configuration; the weights decide. */
const TRUNK_KEYS = ["name", "alpha", "inputSize", "convention", "weights"];
const AUGMENT_KEYS = ["flip", "crop", "colour"];
const TEACHER_KEYS = ["weights", "weight"];
/** Every key by where it stands; `docs/configuration.md` explains them. */
export const CONFIG_KEYS: Readonly<Record<string, readonly string[]>> = {
  "": KEYS,
  "trunk.": TRUNK_KEYS,
  "heads.<name>.": HEAD_KEYS,
  "stages[].": STAGE_KEYS,
  "augment.": AUGMENT_KEYS,
  "teacher.": TEACHER_KEYS,
};
const DEFAULT_TRUNK = "mobilenet-v1";
/** Side of what they see where a configuration does not say, pixels. */
export const BUILTIN_INPUT_SIZE = 96;
/** What the defaults depend on. */
export interface ConfigFacts {
  readonly trainCount: number;
  readonly aspects: readonly { readonly name: string; readonly kind: AspectKind }[];
  /** Name and width that the weights themselves tell; absent for random weights. */
  readonly weights?: {
    readonly name: TrunkSpec["name"];
    readonly alpha: number;
    readonly inputSize?: number;
    readonly convention?: TrunkSpec["convention"];
  };
  /** Default source layer of a trunk. */
  readonly sourceOf: (spec: TrunkSpec) => string;
}

/**
 * Checks that `dataset` and `out` name folders, that no key is unknown, and that `trunk.name` is a trunk. Defaults are
 * filled in, and all other values checked, when the training starts.
 *
 * @param file named in the error.
 * @throws ConfigError naming the file.
 */
export function checkConfig(value: unknown, file = "configuration"): RawConfig {
  checkKeys(value, KEYS, file, ConfigError);
  for (const key of ["dataset", "out"]) {
    if (typeof value[key] !== "string" || value[key] === "")
      throw new ConfigError(`${file}: "${key}" must name a folder.`);
  }
  if (value.trunk !== undefined) {
    checkKeys(value.trunk, TRUNK_KEYS, `${file}: trunk`, ConfigError);
    oneOf(value.trunk.name, TRUNK_NAMES, `${file}: trunk.name`);
  }
  if (value.augment !== undefined) checkKeys(value.augment, AUGMENT_KEYS, `${file}: augment`, ConfigError);
  return value as RawConfig;
}

/**
 * Which weights the trunk starts from; the package's own where there are some of the trunk asked for, else `random`.
 */
export function weightsOf(raw: RawConfig): string {
  const { weights, name = DEFAULT_TRUNK, alpha } = (raw.trunk ?? {}) as Readonly<Record<string, unknown>>;
  if (weights === undefined) {
    const own = BUILTIN.find((trunk) => trunk.name === name && (alpha === undefined || trunk.alpha === alpha));
    return own ? `builtin:${own.name}-${own.alpha}` : "random";
  }
  if (typeof weights !== "string")
    throw new ConfigError(`trunk.weights: expected "random", a name or a path, got ${shown(weights)}.`);
  return weights;
}

/** Resolves every default. @throws ConfigError where a value is out of range or names what does not exist. */
export function resolveConfig(raw: RawConfig, facts: ConfigFacts): TrainConfig {
  const given = (raw.trunk ?? {}) as Partial<TrunkSpec>;
  const weights = weightsOf(raw);
  const name = given.name ?? facts.weights?.name ?? DEFAULT_TRUNK;
  const { defaultAlpha } = trunkDefinition(name);
  const alpha = number(given.alpha, facts.weights?.alpha ?? defaultAlpha, "trunk.alpha", { above: 0, most: 4 });
  if (facts.weights && (facts.weights.name !== name || Math.abs(facts.weights.alpha - alpha) > 1e-9)) {
    throw new ConfigError(
      `trunk: the weights are of ${facts.weights.name} ${facts.weights.alpha}, ` +
        `the configuration says ${name} ${alpha}.`,
      { cure: "Leave name and alpha out." },
    );
  }
  const inputSize = integer(
    given.inputSize,
    facts.weights?.inputSize ?? (weights === "random" ? 128 : 224),
    "trunk.inputSize",
    { least: 32, most: 2048 },
  );
  const convention = facts.weights?.convention;
  if (given.convention !== undefined && given.convention !== convention)
    throw new ConfigError("trunk.convention: is told by the weights, and they say otherwise.", {
      cure: "Leave it out.",
    });
  const trunk = { name, alpha, inputSize, ...(convention && { convention }), weights };
  return {
    dataset: raw.dataset,
    out: raw.out,
    seed: integer(raw.seed, 7, "seed", { least: 0, most: 2 ** 31 }),
    batchSize: integer(raw.batchSize, 16, "batchSize", { least: 1, most: 1024 }),
    accumulate: integer(raw.accumulate, 1, "accumulate", { least: 1, most: 1024 }),
    trunk,
    ...(raw.teacher === undefined ? {} : { teacher: resolveTeacher(raw.teacher) }),
    source: text(raw.source, facts.sourceOf(trunk), "source"),
    heads: resolveHeads(raw.heads, ["class", ...facts.aspects.map((aspect) => aspect.name)]),
    stages: resolveStages(raw.stages, trunk, facts.trainCount),
    augment: resolveAugment(raw.augment),
    score: oneOf(raw.score ?? "mean", ["mean", "class", ...facts.aspects.map((aspect) => aspect.name)], "score"),
    patience: integer(raw.patience, 0, "patience", { least: 0, most: 100_000 }),
    cacheMegabytes: number(raw.cacheMegabytes, 2048, "cacheMegabytes", { least: 0, most: 1e9 }),
  };
}

function resolveTeacher(value: unknown): NonNullable<TrainConfig["teacher"]> {
  checkKeys(value, TEACHER_KEYS, "teacher", ConfigError);
  return {
    weights: text(value.weights ?? null, "", "teacher.weights"),
    weight: number(value.weight, 1, "teacher.weight", { above: 0, most: 1e6 }),
  };
}

function resolveAugment(value: unknown): TrainConfig["augment"] {
  const given = (value ?? {}) as Record<string, unknown>;
  return {
    flip: boolean(given.flip, true, "augment.flip"),
    crop: number(given.crop, 0.2, "augment.crop", { least: 0, most: 0.9 }),
    colour: number(given.colour, 0.2, "augment.colour", { least: 0, most: 1 }),
  };
}
