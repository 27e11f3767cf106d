/** `aspectlens worker`: does shards of reports that are on a queue, until it is stopped. */

import type { Command } from "commander";
import { InputError } from "../../core/errors.js";
import { type DeviceOptions, deviceOptions, showNotice } from "../engine-options.js";
import { printJson, printLine } from "../output.js";
import { type CommonOptions, runCommand } from "../run-command.js";

interface WorkerCommandOptions extends CommonOptions, DeviceOptions {
  readonly queue: string;
  readonly root: string[];
  readonly lock: string;
}

const EXAMPLES = `
Examples:
  aspectlens worker --queue redis://queue.local --root /mnt/lab
  aspectlens worker --queue postgres://lab@db.local/lab --root images=/data/slides --root reports=/data/reports`;

/** An option that may be given several times. */
export function collect(word: string, former: readonly string[]): string[] {
  return [...former, word];
}

export function addWorker(program: Command): void {
  const command = program
    .command("worker")
    .description("do shards of reports that other machines put on a queue, until it is stopped")
    .requiredOption("--queue <url>", "redis://HOST[:PORT] or postgres://USER@HOST[:PORT]/DATABASE")
    .option(
      "--root <name=folder>",
      "a folder that the machines share, under the name that it has on all of them (share by default); repeatable",
      collect,
      [],
    )
    .option("--lock <seconds>", "a worker that is silent for longer loses its shard to another", "30")
    .option("--json", "print one JSON object a shard")
    .option("--debug", "print the stack of an error")
    .addHelpText("after", EXAMPLES)
    .action((options: WorkerCommandOptions) => runCommand(options, (signal) => runWorkerCommand(options, signal)));
  deviceOptions(command);
}

async function runWorkerCommand(options: WorkerCommandOptions, signal: AbortSignal): Promise<void> {
  const { queue, root, lock, threads, device, json } = options;
  if (root.length === 0)
    throw new InputError("--root: none is named.", {
      cure: "Name the folder that the machines share: --root NAME=FOLDER.",
    });
  const lockMs = 1000 * Number(lock);
  if (!(lockMs >= 2000 && lockMs <= 3_600_000)) throw new InputError(`--lock ${lock}: expected 2 to 3600 seconds.`);
  const [{ runWorker }, { sharedRoots }] = await Promise.all([
    import("../../survey/queue/worker.js"),
    import("../../survey/queue/shared-roots.js"),
  ]);
  await runWorker({
    url: queue,
    roots: await sharedRoots(root),
    signal,
    lockMs,
    threads,
    device,
    onNotice: showNotice,
    onReady: () => {
      if (!json) printLine("waiting for shards; Ctrl-C stops it");
    },
    onShard: (report, shard, images) => {
      if (json) printJson({ report, shard: shard + 1, images });
      else printLine(`${report}: shard ${shard + 1}, ${images} images`);
    },
  });
}
