/**
 * A training run from configuration file to a model that can be exported: data, weights, training, references,
 * threshold.
 *
 * Ctrl-C: the command's signal goes to `train/epoch.ts`, which saves after the running batches, and to
 * `train/stage.ts`, which saves in a validation. Nothing else needs saving: before the first batch (inventory, cached
 * features) nothing was learned, and after the last epoch all of it is saved.
 */

import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { EpochRecord } from "../core/epoch-record.js";
import { ConfigError } from "../core/errors.js";
import { exists, writeFileAtomic } from "../core/files.js";
import { fewJudges, unjudged, unlearnable } from "../dataset/dataset-warnings.js";
import { dividedGroups } from "../dataset/group-counts.js";
import { type Inventory, takeInventory } from "../dataset/inventory.js";
import { openPart } from "../dataset/open-part.js";
import { locate } from "../dataset/paths.js";
import { tooSmallForTraining } from "../dataset/too-small.js";
import type { Engine } from "../engine/engine.js";
import { checkTaps } from "../explain/graph/explained-taps.js";
import { createModel } from "../model/model.js";
import {
  type Provenance,
  readTrainedModel,
  type SplitMetrics,
  type TrainedModel,
  writeTrainedModel,
} from "../model/trained-model.js";
import { runPage } from "../pages/run-page.js";
import { blindHeads } from "../review/advice.js";
import type { RunFacts } from "../review/run-facts.js";
import { holdsCheckpoint, holdsUntrained, readFileList, runIsThere } from "../train/checkpoint.js";
import { partOf, type RawConfig } from "../train/config.js";
import type { TrainProgress } from "../train/epoch.js";
import { inRunFolder } from "../train/run-folder.js";
import {
  finishedEpochs,
  readReasons,
  type TrainOptions,
  type TrainResult,
  trainStages,
} from "../train/train-stages.js";
import { checkFolderKind } from "./folder-kind.js";
import { measureRelevance, reviewRun, tuneRun } from "./measure-run.js";
import { runFacts } from "./run-facts.js";
import { type Plan, planOf, type TrainPlan } from "./train-plan.js";

/** How `runTraining` trains, and whom it tells. */
export interface RunOptions {
  readonly engine: Engine;
  /** Goes on exactly where the run stopped. */
  readonly isResumed?: boolean;
  /** A run that has come to its end is read as it is; else what follows its training is done again. */
  readonly isKept?: boolean;
  /** Trains no further: the best epoch so far becomes the model. The run can be resumed afterwards. */
  readonly isFinishing?: boolean;
  /** A finished run folder: its trunk and heads stay byte for byte, heads of aspects it does not know are added. */
  readonly addHeadsTo?: string;
  /** By key of the configuration, why it was given so; beside those of the defaults on the run's page. */
  readonly reasons?: Readonly<Record<string, string>>;
  /** Called once, before the first epoch, with what the defaults came to. */
  readonly onStart?: (plan: TrainPlan) => void;
  /** Called within an epoch. */
  readonly onProgress?: (progress: TrainProgress) => void;
  /** While features of a frozen trunk are computed. */
  readonly onCache?: (done: number, count: number) => void;
  /** Called after each epoch, with its line of `metrics.jsonl`. */
  readonly onEpoch?: (record: EpochRecord) => void;
  /** Said before each part that follows the training. */
  readonly onPhase?: (phase: string) => void;
  /** Interrupts at the next batch; `runTraining` says where that saves. */
  readonly signal?: AbortSignal;
}

/**
 * Trains jointly, computes the references, calibrates relevance, and writes `best/` in the run folder.
 *
 * @throws ConfigError where the run folder is another's, or a cross-validation's or a comparison's.
 * @throws InterruptedError where the signal asks, after saving; before the first batch the signal's reason, since there
 *   is nothing to save.
 */
export async function runTraining(raw: RawConfig, options: RunOptions): Promise<TrainedModel> {
  await checkFolderKind(raw.out, "run");
  return trainRun(raw, options);
}

/** The same in a folder that may be part of a cross-validation or a comparison. */
export function trainRun(raw: RawConfig, options: RunOptions): Promise<TrainedModel> {
  return inRunFolder(raw.out, () =>
    trainInFolder(raw, { ...options, isResumed: options.isResumed || options.isFinishing }),
  );
}

async function trainInFolder(raw: RawConfig, options: RunOptions): Promise<TrainedModel> {
  const { signal, isResumed } = options;
  // Before anything is read or said of the plan.
  if (!isResumed && (await holdsCheckpoint(raw.out))) throw runIsThere(raw.out);
  const untrained = await holdsUntrained(raw.out);
  if (untrained)
    throw new ConfigError(
      `${raw.out}: holds a ${untrained === "imported" ? "network" : "model"} that was ${untrained}.`,
      {
        cure: `Choose another "out"${untrained === "imported" ? "; heads are added to it with --add-heads" : ""}.`,
        file: raw.out,
      },
    );
  const dataset = await openPart(raw.dataset, partOf(raw));
  const base = options.addHeadsTo === undefined ? undefined : await readTrainedModel(join(options.addHeadsTo, "best"));
  if (base?.spec.networks)
    throw new ConfigError(`${options.addHeadsTo}: has aspects on networks of their own.`, {
      cure: "Add heads first, then map to the other network (aspectlens map).",
      file: options.addHeadsTo,
    });
  const decided = await planOf(raw, { dataset, base, isResumed });
  const plan = { ...decided, reasons: { ...(await readReasons(raw.out)), ...decided.reasons, ...options.reasons } };
  const { config, spec } = plan;
  const planned = createModel(spec);
  const tapWarnings = checkTaps(planned);
  const onlyHeads =
    base && spec.heads.map((head) => head.name).filter((name) => !base.spec.heads.some((old) => old.name === name));
  if (onlyHeads?.length === 0)
    throw new ConfigError(
      `${raw.dataset}: has no aspect that ${options.addHeadsTo} does not know already; nothing to add.`,
    );
  if (options.isKept) {
    const kept = await finishedModel(plan, onlyHeads);
    if (kept) return kept;
  }
  const learning = onlyHeads ?? spec.heads.map((head) => head.name);
  const { manifest, summary } = dataset;
  const dataWarnings = [
    ...[...unlearnable(manifest, summary), ...unjudged(summary)]
      .filter(({ head }) => learning.includes(head))
      .map(({ message }) => message),
    ...fewJudges(summary, learning, { areAdded: base !== undefined }),
    ...dividedGroups(summary.groups),
    ...(plan.fingerprint.remark === undefined ? [] : [plan.fingerprint.remark]),
  ];
  const former = isResumed ? await readFileList(config.out) : null;
  const inventory = await takeInventory(dataset, { former: former ?? [], signal });
  const { inputSize } = spec.trunk;
  const sizeWarnings = await tooSmallForTraining(dataset, { inputSize, aspects: learning });
  const warnings = [...dataWarnings, ...sizeWarnings, ...tapWarnings, ...changesOf(inventory)];
  options.onStart?.({ ...plan, notes: [...plan.notes, ...warnings] });
  const facts = runFacts(plan, { model: planned, engine: options.engine, warnings, learning });
  const onEpoch: TrainOptions["onEpoch"] = async (record, { history, best }) => {
    await writePage({ ...facts, history, best }, plan);
    options.onEpoch?.(record);
  };
  const trainedStages = await trainStages({ ...options, ...plan, inventory, onlyHeads, onEpoch });
  const result = { ...trainedStages, model: createModel(await tuneRun(trainedStages, { plan, onlyHeads, options })) };
  // A classifier without aspects, as it is imported, was measured by none.
  const measured = base && base.spec.heads.length > 1 ? base : undefined;
  const { references, calibration } = await measureRelevance(result, { plan, base: measured, onlyHeads, options });
  const { reviews, metrics } = await reviewRun(result, { plan, options });
  const { history, best } = result;
  const told = { ...facts, history, best, reviews, warnings: [...warnings, ...calibration.warnings] };
  await writePage(told, plan);
  const unseen = unseenOf(told, base);
  const trained: TrainedModel = {
    spec: result.model.spec,
    parameters: result.parameters,
    references,
    // A few images with new labels would move what the former aspects were measured by.
    scales: measured ? measured.scales : calibration.scales,
    absences: measured ? measured.absences : calibration.absences,
    provenance: provenanceOf(plan, {
      result,
      metrics,
      inventory,
      unseen,
      warnings: [
        ...(measured?.provenance.warnings ?? []),
        ...warnings,
        ...(result.isComplete ? [] : [`the training was ended early; epochs done: ${result.history.length}.`]),
        ...Object.values(unseen),
        ...calibration.warnings,
      ],
    }),
  };
  await writeTrainedModel(join(config.out, "best"), trained);
  return trained;
}

/** The model of a run that is whole; `undefined` where there is more to do. */
async function finishedModel(
  { config, dataset }: Plan,
  onlyHeads?: readonly string[],
): Promise<TrainedModel | undefined> {
  const epochs = await finishedEpochs(config, { dataset, onlyHeads });
  const best = join(config.out, "best");
  if (epochs === undefined || !(await exists(join(best, "model.json")))) return undefined;
  const trained = await readTrainedModel(best);
  return trained.provenance.epochs === epochs ? trained : undefined;
}

/** A sentence for each head that sees nothing (`blindHeads`); those of a finished model as they were. */
function unseenOf(facts: RunFacts, base?: TrainedModel): Record<string, string> {
  const sentence = ({ name, why }: ReturnType<typeof blindHeads>[number]) =>
    `this model does not see ${name === "class" ? "its classes" : `"${name}"`}: ${why}.`;
  return {
    ...base?.provenance.unseen,
    ...Object.fromEntries(blindHeads(facts).map((head) => [head.name, sentence(head)])),
  };
}

/** `run.html`. */
async function writePage(facts: RunFacts, { config, dataset }: Plan): Promise<void> {
  const page = await runPage(facts, { locate: (path) => locate(dataset, path) });
  await writeFileAtomic(join(config.out, "run.html"), page);
}

/** Shown by name up to here. */
const SHOWN_FILES = 20;

function changesOf({ changed }: Inventory): string[] {
  if (changed.length === 0) return [];
  const more = changed.length > SHOWN_FILES ? ` and ${changed.length - SHOWN_FILES} more` : "";
  const names = changed.slice(0, SHOWN_FILES).join(", ");
  const what = changed.length === 1 ? "1 file of the dataset" : `${changed.length} files of the dataset`;
  return [`${what} changed since the run began: ${names}${more}. What was learned before is of the former ones.`];
}

function provenanceOf(
  { config, dataset }: Plan,
  {
    result,
    inventory,
    metrics,
    warnings,
    unseen,
  }: {
    result: TrainResult;
    inventory: Inventory;
    metrics?: SplitMetrics["heads"];
    warnings: readonly string[];
    unseen: Readonly<Record<string, string>>;
  },
): Provenance {
  return {
    dataset: {
      name: dataset.manifest.name,
      hash: dataset.hash,
      contentHash: inventory.contentHash,
      counts: dataset.summary.samples,
    },
    seed: config.seed,
    epochs: result.history.length,
    weights: config.trunk.weights === "random" ? "random" : nameOfWeights(config.trunk.weights),
    metrics: metrics ? { validation: { format: "aspectlens-metrics/1", split: "validation", heads: metrics } } : {},
    warnings: [...new Set(warnings)],
    ...(Object.keys(unseen).length === 0 ? {} : { unseen }),
  };
}

/** The folder's own name: a bundle must not tell where its maker keeps files. */
function nameOfWeights(text: string): string {
  const path = resolve(text.startsWith("file:") ? fileURLToPath(text) : text);
  return basename(/^(model\.json|trunk\.safetensors)$/.test(basename(path)) ? dirname(path) : path);
}
