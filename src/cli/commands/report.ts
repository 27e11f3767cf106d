/** `aspectlens report`: explains a whole set of images, and writes what each class relies on. */

import { join } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { InputError } from "../../core/errors.js";
import { sharedRoots } from "../../survey/queue/shared-roots.js";
import { REPORT_FILES } from "../../survey/report-folder.js";
import type { ReportSummary } from "../../survey/summary.js";
import { survey } from "../../survey/survey.js";
import { type DeviceOptions, deviceOptions, showNotice } from "../engine-options.js";
import { checkFolder } from "../out-folder.js";
import { printJson, printLine, printNote } from "../output.js";
import { progressBar } from "../progress.js";
import { rateText } from "../rate-text.js";
import { reportLines } from "../report-lines.js";
import { type CommonOptions, runCommand } from "../run-command.js";
import { collect } from "./worker.js";

interface ReportOptions extends CommonOptions, DeviceOptions {
  readonly out: string;
  readonly group?: string;
  readonly against?: string;
  readonly shard?: { readonly part: number; readonly of: number };
  readonly gather?: boolean;
  readonly queue?: string;
  readonly root: readonly string[];
  readonly shardSize?: number;
}

/** Images that cannot be read are no reason to stop, but nobody should overlook them. */
const SOME_UNREADABLE = 1;

const EXAMPLES = `
Examples:
  aspectlens report tissue.aspect data/tissue --out reports/tissue
  aspectlens report tissue.aspect photos --out reports/photos
  find photos -name '*.jpg' > list.txt; aspectlens report tissue.aspect list.txt --out reports/photos
  aspectlens report tissue.aspect data/ward --out reports/ward --group scanner
  aspectlens report new.aspect data/ward --out reports/new --against reports/ward

A report that was stopped goes on by the same command. On several machines that see the same folders:
  aspectlens report tissue.aspect data/ward --out reports/ward --shard 1/8    (and 2/8, ... on the others)
  aspectlens report tissue.aspect data/ward --out reports/ward --gather       (when all are done)
Or by a queue on Redis or PostgreSQL, from which "aspectlens worker" takes the work on any number of machines:
  aspectlens report /mnt/lab/tissue.aspect /mnt/lab/ward --out /mnt/lab/report \\
    --queue redis://queue.local --root /mnt/lab`;

export function addReport(program: Command): void {
  const command = program
    .command("report")
    .description("explain all images of a set, and report which aspects the answers rely on")
    .argument("<bundle>", "the .aspect file")
    .argument("<images>", "a dataset, a folder of images, or a text file with one path a line")
    .requiredOption("--out <folder>", "where the report goes; a report of the same bundle and images goes on there")
    .option("--group <key>", "count by this group of the dataset too, such as patient; or by split")
    .option("--against <report>", "compare with another report: of another bundle, or of other images")
    .option("--shard <i/n>", "do only every n-th part of the work, from number i on, and gather nothing", parts)
    .option("--gather", "explain nothing: make the report of what is done")
    .option("--queue <url>", "have the work done by workers: redis://HOST[:PORT] or postgres://USER@HOST/DATABASE")
    .option(
      "--root <name=folder>",
      "with --queue, a folder that the machines share, under the name that it has on all of them; repeatable",
      collect,
      [],
    )
    .addOption(new Option("--shard-size <images>", "images of a shard").argParser(Number).hideHelp())
    .option("--json", "print the summary as one JSON object")
    .option("--debug", "print the stack of an error")
    .addHelpText("after", EXAMPLES)
    .action((bundle: string, images: string, options: ReportOptions) =>
      runCommand(options, (signal) => runReport(bundle, images, options, signal)),
    );
  deviceOptions(command);
}

async function runReport(
  bundle: string,
  images: string,
  {
    out,
    group,
    against,
    shard: part,
    gather: isGathered,
    queue,
    root,
    shardSize,
    threads,
    device,
    json,
  }: ReportOptions,
  signal: AbortSignal,
): Promise<void> {
  if ((queue !== undefined) !== root.length > 0)
    throw new InputError("--queue and --root need each other.", {
      cure: "Name the queue, and the folder that the machines share.",
    });
  if (queue !== undefined && (part || isGathered))
    throw new InputError(`--queue and --${part ? "shard" : "gather"} cannot be used together.`, {
      cure: "Leave one of them out.",
    });
  await checkFolder(out);
  const bar = progressBar("explaining");
  const rate = rateText();
  const { plan, summary } = await survey(bundle, images, {
    ...(queue !== undefined && {
      queue: {
        url: queue,
        roots: await sharedRoots(root),
        onNotice: (text: string) => {
          bar.clear();
          showNotice(text);
        },
      },
    }),
    ...{ out, group, against, part, isGathered, shardSize, threads, device, signal, onNotice: showNotice },
    onProgress: (done, count) => bar.update(count === 0 ? 1 : done / count, rate(done, count)),
    onStep: (text) => {
      bar.clear();
      bar.say(text);
    },
  });
  bar.clear();
  if (json) printJson(summary ?? { format: plan.format, part });
  else if (summary) for (const line of reportLines(summary)) printLine(line);
  else printLine(`${out}: part ${part?.part} of ${part?.of} is done; gather when all are.`);
  if (!summary) return;
  if (!json) printLine(`page: ${join(out, REPORT_FILES.page)}`);
  tellUnreadable(summary, out);
}

function tellUnreadable({ images: { unreadable, count }, unreadable: shown }: ReportSummary, out: string): void {
  if (unreadable === 0) return;
  for (const { error } of shown.slice(0, 5)) printNote(`aspectlens: ${error}`);
  printNote(`aspectlens: ${unreadable} of ${count} images cannot be read: ${join(out, "unreadable.csv")}`);
  process.exitCode = SOME_UNREADABLE;
}

function parts(value: string): { part: number; of: number } {
  const [, part, of] = /^(\d+)\/(\d+)$/.exec(value)?.map(Number) ?? [];
  if (part >= 1 && part <= of) return { part, of };
  throw new InvalidArgumentError("Give i/n, counted from 1, as in 1/8.");
}
