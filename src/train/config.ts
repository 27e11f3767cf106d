/**
 * The training configuration: what a user may write, checked key by key, and every default resolved to suit the data.
 */

import type { AspectKind, Task } from "../core/annotation.js";
import { checkKeys } from "../core/check-keys.js";
import { ConfigError, InputError, locating } from "../core/errors.js";
import { shown } from "../core/message-text.js";
import type { Size } from "../core/size.js";
import { type Augment, MOST_MARGIN, TURNS } from "../dataset/augment.js";
import type { Fold } from "../dataset/folds.js";
import type { ImageLimits } from "../dataset/open-part.js";
import type { Trunk } from "../trunk/trunk.js";
import type { TrunkSpec } from "../trunk/trunk-spec.js";
import { BUILTIN, TRUNK_NAMES, trunkDefinition } from "../trunk/trunks.js";
import { FOLD_KEYS, IMAGE_KEYS, resolveFold, resolveImages } from "./config-data.js";
import { HEAD_KEYS, type HeadConfig, resolveHeads } from "./config-heads.js";
import { checkStageKeys, type RawStages, resolveStages, STAGE_KEYS, type StageConfig } from "./config-stages.js";
import { featureBytes, type SuitedTo, suitedAugment, withSuitedPooling, withSuitedTaps } from "./config-suited.js";
import { boolean, integer, keysOf, number, oneOf, text } from "./config-values.js";
import { suitedInputSize } from "./suit.js";

/** A training configuration with every default filled in; docs/configuration.md describes each key. */
export interface TrainConfig {
  readonly dataset: string;
  readonly out: string;
  /** The run is one fold of a cross-validation; its splits are not those that the samples name. */
  readonly fold?: Fold;
  /** Most images of a split, taken evenly. */
  readonly images?: ImageLimits;
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
  readonly augment: Required<Augment>;
  /** Heads with a large loss do not drown the others (`step.ts`); false: losses count by their weights alone. */
  readonly balance: boolean;
  /** Images that show what fewer than this share of the training images do are drawn more often; 0: none are. */
  readonly repeatBelow: number;
  /** A head's name, or `mean` of the scores of all heads that have training labels. */
  readonly score: string;
  /** Stop a stage after so many epochs without a better score; 0 never stops early. */
  readonly patience: number;
  /** What is kept between epochs: decoded images up to here; features of a frozen trunk too, and past it in a file. */
  readonly cacheMegabytes: number;
}

/**
 * What a user writes: everything but `dataset` and `out` may be left out. docs/configuration.md has every key with its
 * default and range.
 */
export interface RawConfig
  extends Pick<TrainConfig, "dataset" | "out">,
    Partial<
      Pick<
        TrainConfig,
        | "images"
        | "seed"
        | "batchSize"
        | "accumulate"
        | "source"
        | "balance"
        | "repeatBelow"
        | "score"
        | "patience"
        | "cacheMegabytes"
      >
    > {
  /** Where an editor finds the schema; not read. */
  readonly $schema?: string;
  /** By default the weights that the package has of the trunk asked for. */
  readonly trunk?: Partial<TrainConfig["trunk"]>;
  readonly teacher?: { readonly weights: string; readonly weight?: number };
  readonly fold?: Partial<Fold>;
  /** By name: `class`, and each aspect's. */
  readonly heads?: Readonly<Record<string, Partial<HeadConfig>>>;
  readonly stages?: RawStages;
  readonly augment?: Partial<TrainConfig["augment"]>;
}

const KEYS = keysOf<RawConfig>({
  ...{ dataset: true, out: true, fold: true, images: true },
  ...{ seed: true, batchSize: true, accumulate: true, trunk: true, teacher: true },
  ...{
    source: true,
    heads: true,
    stages: true,
    augment: true,
    balance: true,
    repeatBelow: true,
    score: true,
    patience: true,
  },
  ...{ cacheMegabytes: true, $schema: true },
});
/** `convention` stands in a run's own configuration; the weights decide. */
const TRUNK_KEYS = keysOf<Omit<TrainConfig["trunk"], "network">>({
  ...{ name: true, alpha: true, inputSize: true, convention: true, weights: true },
});
const AUGMENT_KEYS = keysOf<TrainConfig["augment"]>({
  ...{ flip: true, turn: true, crop: true, margin: true, colour: true, blur: true, noise: true },
});
const TEACHER_KEYS = keysOf<NonNullable<TrainConfig["teacher"]>>({ weights: true, weight: true });
/** Every key by where it stands; `docs/configuration.md` explains them. */
export const CONFIG_KEYS: Readonly<Record<string, readonly string[]>> = {
  "": KEYS,
  "trunk.": TRUNK_KEYS,
  "heads.<name>.": HEAD_KEYS,
  "stages[].": STAGE_KEYS,
  "augment.": AUGMENT_KEYS,
  "teacher.": TEACHER_KEYS,
  "fold.": FOLD_KEYS,
  "images.": IMAGE_KEYS,
};
/** Paths begin errors too, and these often are names of folders. */
const SAID = KEYS.filter((key) => !["$schema", "dataset", "out"].includes(key));
/** An error that begins with a key, as in `heads.crack.tap: ...`; what a head lacks is said of `head "crack"`. */
const KEY_FIRST = new RegExp(`^(?:(?:${SAID.join("|")})[.:[]|head ")`);
const DEFAULT_TRUNK = "mobilenet-v1";
/** More bytes of features, plain and flipped, are computed anew in each epoch: they would fill a disk. */
const MOST_CACHED = 8 * 2 ** 30;
/** Side of what they see where a configuration does not say, pixels. */
export const BUILTIN_INPUT_SIZE = 96;
/** What the defaults depend on. */
export interface ConfigFacts extends SuitedTo {
  readonly trainCount: number;
  /** One class of several where absent. */
  readonly task?: Task;
  /** Images of an epoch, by `repeatBelow`; `trainCount` without. */
  readonly drawsOf?: (repeatBelow: number) => number;
  readonly aspects: readonly { readonly name: string; readonly kind: AspectKind }[];
  /** Name and width that the weights themselves tell; absent for random weights. */
  readonly weights?: {
    readonly name: TrunkSpec["name"];
    readonly alpha: number;
    readonly inputSize?: Size;
    readonly convention?: TrunkSpec["convention"];
  };
  /** Default source layer and layers of a trunk. */
  readonly trunkOf: (spec: TrunkSpec) => Pick<Trunk, "source" | "taps" | "output">;
}

/**
 * Checks all that can be told without the data: that `dataset` and `out` are there, that no key is unknown, numbers,
 * `augment` and `teacher` whole, and the form of `stages`. `runTraining` fills in the defaults and checks the rest:
 * names of heads and layers, and values of `trunk`, `heads` and `stages`.
 *
 * @param file named in the error.
 * @throws ConfigError naming the file and the key.
 */
export function checkConfig(value: unknown, file = "configuration"): RawConfig {
  checkKeys(value, KEYS, file, ConfigError);
  for (const key of ["dataset", "out"]) {
    if (typeof value[key] !== "string" || value[key] === "")
      throw new ConfigError(`${file}: "${key}" must name a folder.`);
  }
  return inConfig(file, () => {
    if (value.trunk !== undefined) {
      checkKeys(value.trunk, TRUNK_KEYS, "trunk", ConfigError);
      oneOf(value.trunk.name, TRUNK_NAMES, "trunk.name");
    }
    checkStageKeys(value.stages ?? {});
    resolveNumbers(value);
    return value as unknown as RawConfig;
  });
}

/** Does work with a configuration; an error that begins with one of its keys then names the file too. */
export function inConfig<Result>(file: string, work: () => Result): Result {
  return locating((error) => {
    if (!(error instanceof InputError) || error.file !== undefined || !KEY_FIRST.test(error.message)) return;
    error.message = `${file}: ${error.message}`;
  }, work);
}

/** What depends on neither data nor weights. */
function resolveNumbers(raw: { readonly [Key in keyof RawConfig]?: unknown }) {
  return {
    ...(raw.fold === undefined ? {} : { fold: resolveFold(raw.fold, "fold") }),
    ...(raw.images === undefined ? {} : { images: resolveImages(raw.images, "images") }),
    seed: integer(raw.seed, 7, "seed", { least: 0, most: 2 ** 31 }),
    batchSize: integer(raw.batchSize, 16, "batchSize", { least: 1, most: 1024 }),
    accumulate: integer(raw.accumulate, 1, "accumulate", { least: 1, most: 1024 }),
    ...(raw.teacher === undefined ? {} : { teacher: resolveTeacher(raw.teacher, "teacher") }),
    augment: resolveAugment(raw.augment, "augment"),
    balance: boolean(raw.balance, true, "balance"),
    repeatBelow: number(raw.repeatBelow, 0.5, "repeatBelow", { least: 0, most: 1 }),
    patience: integer(raw.patience, 0, "patience", { least: 0, most: 100_000 }),
    cacheMegabytes: number(raw.cacheMegabytes, 2048, "cacheMegabytes", { least: 0, most: 1e9 }),
  };
}

/** Which samples the run takes. */
export function partOf(raw: RawConfig): { readonly fold?: Fold; readonly images?: ImageLimits; readonly seed: number } {
  const { fold, images, seed } = resolveNumbers(raw);
  return { fold, images, seed };
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
  const asked = (raw.trunk ?? {}) as Partial<TrunkSpec>;
  const weights = weightsOf(raw);
  // Of a finished model that heads are added to; no configuration can name one.
  const { network } = asked;
  const name = asked.name ?? facts.weights?.name ?? DEFAULT_TRUNK;
  const { defaultAlpha } = network ? { defaultAlpha: 1 } : trunkDefinition(name);
  const alpha = number(asked.alpha, facts.weights?.alpha ?? defaultAlpha, "trunk.alpha", { above: 0, most: 4 });
  if (facts.weights && (facts.weights.name !== name || Math.abs(facts.weights.alpha - alpha) > 1e-9)) {
    throw new ConfigError(
      `trunk: the weights are of ${facts.weights.name} ${facts.weights.alpha}, ` +
        `the configuration says ${name} ${alpha}.`,
      { cure: "Leave name and alpha out." },
    );
  }
  const { fingerprint } = facts;
  const own = facts.weights?.inputSize;
  const least = typeof own === "number" ? own : weights === "random" ? 128 : 224;
  const suited = fingerprint && suitedInputSize(fingerprint, { least });
  if (suited && asked.inputSize === undefined) facts.onChoice?.("trunk.inputSize", suited.reason);
  const inputSize =
    network && typeof asked.inputSize === "object"
      ? asked.inputSize
      : integer(asked.inputSize, suited?.value ?? least, "trunk.inputSize", { least: 32, most: 2048 });
  const convention = facts.weights?.convention;
  if (asked.convention !== undefined && asked.convention !== convention)
    throw new ConfigError("trunk.convention: is told by the weights, and they say otherwise.", {
      cure: "Leave it out.",
    });
  const trunk = { name, alpha, inputSize, ...(convention && { convention }), ...(network && { network }), weights };
  const { seed, batchSize, accumulate, augment, balance, repeatBelow, patience, cacheMegabytes, ...more } =
    resolveNumbers(raw);
  const { source, taps, output } = facts.trunkOf(trunk);
  const given = resolveHeads(raw.heads, ["class", ...facts.aspects.map((aspect) => aspect.name)]);
  const pooled = withSuitedPooling(given, { task: facts.task, taps, output });
  const heads = raw.source === undefined ? withSuitedTaps(pooled, facts, { source, taps, output }) : pooled;
  const drawn = facts.drawsOf?.(repeatBelow) ?? facts.trainCount;
  const stages = resolveStages(raw.stages, trunk, drawn, {
    isCacheable: 2 * facts.trainCount * featureBytes(heads, { source, taps }) <= MOST_CACHED,
  });
  if (raw.stages === undefined)
    for (const [index, { epochs }] of stages.entries())
      facts.onChoice?.(`stages.${index}.epochs`, `${epochs * drawn} images in all`);
  return {
    dataset: raw.dataset,
    out: raw.out,
    seed,
    batchSize,
    accumulate,
    trunk,
    ...more,
    source: text(raw.source, source, "source"),
    heads,
    stages,
    augment: suitedAugment(raw, augment, facts),
    balance,
    repeatBelow,
    score: oneOf(raw.score ?? "mean", ["mean", "class", ...facts.aspects.map((aspect) => aspect.name)], "score"),
    patience,
    cacheMegabytes,
  };
}

function resolveTeacher(value: unknown, where: string): NonNullable<TrainConfig["teacher"]> {
  checkKeys(value, TEACHER_KEYS, where, ConfigError);
  return {
    weights: text(value.weights ?? null, "", `${where}.weights`),
    weight: number(value.weight, 1, `${where}.weight`, { above: 0, most: 1e6 }),
  };
}

function resolveAugment(value: unknown, where: string): TrainConfig["augment"] {
  const given = value ?? {};
  checkKeys(given, AUGMENT_KEYS, where, ConfigError);
  return {
    flip: boolean(given.flip, true, `${where}.flip`),
    turn: oneOf(given.turn ?? "none", TURNS, `${where}.turn`),
    crop: number(given.crop, 0.2, `${where}.crop`, { least: 0, most: 0.9 }),
    margin: number(given.margin, 0.2, `${where}.margin`, { least: 0, most: MOST_MARGIN }),
    colour: number(given.colour, 0.2, `${where}.colour`, { least: 0, most: 1 }),
    blur: number(given.blur, 0, `${where}.blur`, { least: 0, most: 10 }),
    noise: number(given.noise, 0, `${where}.noise`, { least: 0, most: 1 }),
  };
}
