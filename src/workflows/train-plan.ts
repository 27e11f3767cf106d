/** What a run is about to do: the configuration with every default, the model, and what it starts from. */

import { join } from "node:path";
import { ConfigError } from "../core/errors.js";
import { isRecord } from "../core/json-values.js";
import { clashingName } from "../core/result-file-names.js";
import { type Dataset, splitSize } from "../dataset/dataset.js";
import { type DataFingerprint, takeFingerprint } from "../dataset/fingerprint.js";
import { annotatedPart, openPart } from "../dataset/open-part.js";
import { drawCount, repeatFactors } from "../dataset/repeats.js";
import type { Pooling } from "../heads/head-spec.js";
import { createModel } from "../model/model.js";
import type { ModelSpec } from "../model/model-spec.js";
import { readTrainedModel, type TrainedModel } from "../model/trained-model.js";
import { partOf, type RawConfig, resolveConfig, type TrainConfig } from "../train/config.js";
import { modelSpecOf } from "../train/planned-model.js";
import { priorBiases } from "../train/prior-bias.js";
import { readObject } from "../train/read-run.js";
import type { TrainOptions } from "../train/train-stages.js";
import { createTrunk } from "../trunk/create-trunk.js";
import type { TrunkSpec } from "../trunk/trunk-spec.js";
import { findStartingWeights, readTeacher, type StartingWeights, startingParameters } from "./starting-weights.js";

/** What a run is about to do. */
export interface TrainPlan {
  readonly config: TrainConfig;
  readonly spec: ModelSpec;
  readonly dataset: Dataset;
  /** What is learned from: all of it, or the images that are annotated for heads that are added to a finished model. */
  readonly annotated: Dataset;
  readonly fingerprint: DataFingerprint;
  /** Images of an epoch, those that show something rare more than once. */
  readonly drawCount: number;
  /** By key of the configuration, why the data made its default so. */
  readonly reasons: Readonly<Record<string, string>>;
  /** One line each: layers initialised at random, what the data cannot teach, taps whose explanations mean less. */
  readonly notes: readonly string[];
}

/** With what it starts from. */
export type Plan = TrainPlan & Pick<TrainOptions, "startingWeights" | "teacher" | "factors">;

/**
 * Brings configuration, dataset and weights together.
 *
 * @param options.base the finished model that heads are added to.
 * @throws ConfigError where they do not fit, WeightsError where the weights are not here.
 */
export async function planOf(
  raw: RawConfig,
  { dataset, base, isResumed }: { dataset: Dataset; base?: TrainedModel; isResumed?: boolean },
): Promise<Plan> {
  if (base) checkTask(base, dataset);
  const begun: StartingWeights = base ? { known: base.spec.trunk } : await findStartingWeights(raw, { isResumed });
  const known = new Set(base?.spec.heads.map(({ name }) => name));
  const added = dataset.manifest.aspects.flatMap(({ name }) => (known.has(name) ? [] : [name]));
  const annotated = base ? await annotatedPart(dataset, added) : dataset;
  const { fingerprint, shown } = await takeFingerprint(annotated);
  const reasons: Record<string, string> = {};
  const count = splitSize(annotated, "train");
  const repeats = (least: number) => repeatFactors(shown, { count, least });
  const asked = base ? onBase(raw, base) : isResumed ? await asBegun(raw) : raw;
  const config = resolveConfig(asked, {
    trainCount: count,
    task: dataset.manifest.task,
    drawsOf: (least) => drawCount(repeats(least)),
    aspects: dataset.manifest.aspects,
    weights: begun.known,
    trunkOf: (trunk: TrunkSpec) => createTrunk(trunk),
    fingerprint,
    onChoice: (key, reason) => Object.assign(reasons, { [key]: reason }),
  });
  const factors = repeats(config.repeatBelow);
  const drawn = drawCount(factors);
  const extra = drawn / count - 1;
  if (extra > 0) reasons.repeatBelow = `rare things are drawn more often: an epoch is ${percentMore(extra)} longer`;
  const { task } = dataset.manifest;
  if (config.heads.class?.labelSmoothing && task !== "single")
    throw new ConfigError(`heads.class.labelSmoothing: is for one class of several, the task is "${task}".`, {
      cure: "Leave it out.",
    });
  const trunk = createTrunk(config.trunk);
  const facts = {
    task,
    classes: dataset.manifest.classes,
    aspects: dataset.manifest.aspects,
    scale: dataset.summary.scale,
    mapped: new Set(
      Object.entries(dataset.summary.heads)
        .filter(([, head]) => (head.mapCount ?? 0) > 0)
        .map(([name]) => name),
    ),
  };
  const planned = modelSpecOf(config, facts, { output: trunk.output });
  const decided = { config, dataset, annotated, factors, drawCount: drawn, fingerprint, reasons };
  const begin = (spec: ModelSpec) => priorBiases(createModel(spec), { fingerprint, classes: countsOf(dataset) });
  if (base) {
    const spec = withBaseHeads(planned, base.spec);
    return { ...decided, spec, startingWeights: { ...begin(spec), ...base.parameters }, notes: [] };
  }
  const teacher = config.teacher && (await readTeacher(config.teacher, { pupil: trunk, stages: config.stages }));
  const { parameters, notes } = await startingParameters(trunk, begun, config);
  return { ...decided, spec: planned, teacher, startingWeights: { ...begin(planned), ...parameters }, notes };
}

/** @throws ConfigError where the finished model answers another kind of question. */
function checkTask({ spec }: TrainedModel, { manifest: { task, name } }: Dataset): void {
  const [classifier] = spec.heads.flatMap((head) => (head.kind === "classifier" ? [head] : []));
  if (classifier.task === task) return;
  throw new ConfigError(
    `dataset "${name}": its task is "${task}", that of the finished model is "${classifier.task}".`,
    {
      cure: 'Set "task" in dataset.json, and "labels" in place of "label" for "multi".',
    },
  );
}

function percentMore(share: number): string {
  return `${Math.max(1, Math.round(100 * share))} %`;
}

/** Training images of each class. */
function countsOf({ summary }: Dataset): Record<string, number> {
  return Object.fromEntries(Object.entries(summary.classes).map(([name, { train }]) => [name, train]));
}

/** What a training would do, without doing any of it. @param options.addHeadsTo a finished run folder. */
export async function planTraining(raw: RawConfig, { addHeadsTo }: { addHeadsTo?: string } = {}): Promise<TrainPlan> {
  const base = addHeadsTo === undefined ? undefined : await readTrainedModel(join(addHeadsTo, "best"));
  return planOf(raw, { dataset: await openPart(raw.dataset, partOf(raw)), base });
}

/** The configuration of heads that are added to a finished model. */
function onBase(raw: RawConfig, { spec, provenance }: TrainedModel): RawConfig {
  const trunk = { ...spec.trunk, weights: provenance.weights };
  const [classifier] = spec.heads.filter((head) => head.kind === "classifier");
  // Where nobody chose another source, the layers that suit what is annotated are read too.
  const isUsual = raw.source === undefined && createTrunk(spec.trunk).source === spec.source;
  const source = isUsual ? {} : { source: spec.source };
  const begun = { ...raw, trunk, ...source, stages: raw.stages ?? [{ train: "heads" }] };
  return withPooling(begun, classifier.pooling ?? "mean");
}

/** A run that was begun before its configuration named a pooling has the mean. */
async function asBegun(raw: RawConfig): Promise<RawConfig> {
  const { heads } = (await readObject(join(raw.out, "config.json"))) ?? {};
  const isOlder = isRecord(heads) && isRecord(heads.class) && heads.class.pooling === undefined;
  return isOlder ? withPooling(raw, "mean") : raw;
}

/** @throws ConfigError where another one is asked for. */
function withPooling(raw: RawConfig, pooling: Pooling): RawConfig {
  const heads: unknown = raw.heads ?? {};
  const own: unknown = isRecord(heads) ? (heads.class ?? {}) : {};
  if (!isRecord(heads) || !isRecord(own)) return raw; // refused where heads are resolved
  if (own.pooling !== undefined && own.pooling !== pooling)
    throw new ConfigError(`heads.class.pooling: the classifier that is there has ${pooling}.`, {
      cure: "Leave it out.",
    });
  return { ...raw, heads: { ...heads, class: { ...own, pooling } } as RawConfig["heads"] };
}

/** Heads of the finished model as they are, then the new ones. */
function withBaseHeads(asked: ModelSpec, base: ModelSpec): ModelSpec {
  const added = asked.heads.filter((head) => !base.heads.some((old) => old.name === head.name));
  for (const { name } of added) {
    const other = clashingName(
      name,
      base.heads.map((head) => head.name),
    );
    if (other === undefined) continue;
    throw new ConfigError(`aspect "${name}" would write its masks to the files of ${other}.`, {
      cure: "Rename it in dataset.json.",
    });
  }
  return { ...base, heads: [...base.heads, ...added] };
}
