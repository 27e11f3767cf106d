/** What the page of a run tells before any epoch is done: the plan, the data, the machine. */

import { readFileSync } from "node:fs";
import { arch, cpus, platform, release, totalmem } from "node:os";
import type { Engine } from "../engine/engine.js";
import type { Model } from "../model/model.js";
import type { HeadFacts, RunFacts } from "../review/run-facts.js";
import type { TrainPlan } from "./train-plan.js";

const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));

/** @param options.model of the plan. */
export function runFacts(
  { config, spec, dataset, fingerprint, reasons }: TrainPlan,
  {
    model,
    engine,
    warnings,
    learning,
  }: { model: Model; engine: Engine; warnings: readonly string[]; learning: readonly string[] },
): RunFacts {
  const { manifest, hash, summary, whole } = dataset;
  return {
    title: config.out,
    heads: spec.heads.map(
      ({ name, kind, taps }): HeadFacts => ({
        ...{ name, kind, ...(learning.includes(name) && { labels: summary.heads[name]?.states.train }) },
        ...strideOf(model, taps),
      }),
    ),
    score: config.score,
    stages: config.stages,
    inputSize: spec.trunk.inputSize,
    imageSide: fingerprint.imageSide.median,
    ...(whole && whole.train > summary.samples.train && { part: { train: summary.samples.train, of: whole.train } }),
    config,
    reasons,
    dataset: { name: manifest.name, hash, counts: summary.samples },
    machine: machineOf(engine),
    history: [],
    best: null,
    warnings,
  };
}

/** The finest of the layers that a head reads, and the last layer of half that stride. */
function strideOf({ trunk }: Model, names: readonly string[]): Pick<HeadFacts, "stride" | "finerTap"> {
  const stride = Math.min(...trunk.taps.filter(({ name }) => names.includes(name)).map((tap) => tap.stride));
  return { stride, finerTap: trunk.taps.filter((tap) => tap.stride === stride / 2 && tap.stride > 1).at(-1)?.name };
}

function machineOf(engine: Engine): Record<string, string> {
  const cores = cpus();
  return {
    processor: `${cores[0]?.model.trim() ?? arch()}, ${cores.length} cores`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: `${platform()} ${release()}, Node ${process.versions.node}`,
    software: `aspectlens ${version}, engine ${engine.name}`,
  };
}
