/** `aspectlens audit`: holds what a bundle relies on against rules, and fails where one is broken. */

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { audit } from "../../audit/audit.js";
import { JUNIT_NAME, junitText } from "../../audit/junit.js";
import { readRules } from "../../audit/read-rules.js";
import { type AuditRule, withKnownNames } from "../../audit/rules.js";
import { type Bundle, readBundle } from "../../bundle/read-bundle.js";
import { InputError } from "../../core/errors.js";
import { writeFileAtomic } from "../../core/files.js";
import { bundleHash } from "../../survey/plan.js";
import { isReport } from "../../survey/report-folder.js";
import { survey } from "../../survey/survey.js";
import { auditLines, checkText } from "../audit-lines.js";
import { type DeviceOptions, deviceOptions, showNotice } from "../engine-options.js";
import { checkOutFile } from "../out-file.js";
import { checkFolder } from "../out-folder.js";
import { printJson, printLine, printNote } from "../output.js";
import { progressBar } from "../progress.js";
import { rateText } from "../rate-text.js";
import { type CommonOptions, runCommand } from "../run-command.js";

interface AuditOptions extends CommonOptions, DeviceOptions {
  readonly rules: string;
  readonly junit?: string;
  readonly out?: string;
}

const A_RULE_IS_BROKEN = 1;

const EXAMPLES = `
Examples:
  aspectlens audit tissue.aspect data/release --rules audit.json
  aspectlens audit tissue.aspect data/release --rules audit.json --out reports/release --junit audit.xml
  aspectlens audit tissue.aspect reports/release --rules audit.json

Rules, as in audit.json:
  { "rules": [
    { "class": "malignant", "never": "scanner-tag", "atMost": 0.02 },
    { "class": "malignant", "always": "mitosis", "atLeast": 0.8, "where": "present" },
    { "elsewhere": "wholly", "atMost": 0.3, "by": "site" } ] }

Exit code: 0 where no rule is broken, 1 where one is, 2 for bad input.`;

export function addAudit(program: Command): void {
  const command = program
    .command("audit")
    .description("fail where a bundle's answers rely on what they must not, or not on what they should")
    .argument("<bundle>", "the .aspect file")
    .argument("<images>", "a dataset, a folder of images, a list of paths, or the folder of a finished report")
    .requiredOption("--rules <file>", "what must hold, as JSON")
    .option("--junit <file>", "write the results as JUnit's XML too, for continuous integration")
    .option("--out <folder>", "keep the report of the images there; one that is there already goes on")
    .option("--json", "print the results as one JSON object (aspectlens-audit/1)")
    .option("--debug", "print the stack of an error")
    .addHelpText("after", EXAMPLES)
    .action((bundle: string, images: string, options: AuditOptions) =>
      runCommand(options, (signal) => runAudit(bundle, images, options, signal)),
    );
  deviceOptions(command);
}

async function runAudit(path: string, images: string, options: AuditOptions, signal: AbortSignal): Promise<void> {
  const { rules: file, junit, out, threads, json } = options;
  const rules = await readRules(file);
  if (junit !== undefined) await checkOutFile(junit, { isOurs: isJunit, what: "the result of an audit" });
  const isMade = await isReport(images);
  if (isMade && out !== undefined)
    throw new InputError(`--out: ${images} is a report already.`, { cure: "Leave --out out." });
  if (out !== undefined) await checkFolder(out);
  const sha256 = await bundleHash(path).catch(() => ""); // what is wrong with it, opening it says
  checkNames(rules, await readBundle(path));
  const scratch = isMade || out !== undefined ? undefined : await mkdtemp(join(tmpdir(), "aspectlens-audit-"));
  try {
    const folder = isMade ? images : (out ?? join(scratch as string, "report"));
    if (!isMade) await explain(path, images, { ...options, out: folder }, signal);
    const result = await audit(folder, rules, { bundle: { path, sha256 }, ...(threads && { threads }) });
    if (junit !== undefined) await writeFileAtomic(junit, junitText(result, checkText));
    if (json) printJson(result);
    else for (const line of auditLines(result)) printLine(line);
    const { unreadable, count } = result.images;
    if (unreadable > 0) printNote(`aspectlens: ${unreadable} of ${count} images cannot be read, and are not counted`);
    if (result.failed > 0) process.exitCode = A_RULE_IS_BROKEN;
  } finally {
    if (scratch !== undefined) await rm(scratch, { recursive: true, force: true });
  }
}

/** Before images are explained, which may take hours; groups are checked with the report. */
function checkNames(rules: readonly AuditRule[], { description }: Bundle): void {
  const { heads } = description.model;
  const classes = heads.flatMap((head) => (head.kind === "classifier" ? head.classes : []));
  const aspects = heads.flatMap(({ kind, name }) => (kind === "classifier" ? [] : [name]));
  withKnownNames(
    rules.map(({ by: _, ...rule }) => rule),
    { classes, aspects, groups: [] },
  );
}

async function explain(
  bundle: string,
  images: string,
  { out, threads, device }: AuditOptions & { readonly out: string },
  signal: AbortSignal,
): Promise<void> {
  const bar = progressBar("explaining");
  const rate = rateText();
  await survey(bundle, images, {
    ...{ out, threads, device, signal, onNotice: showNotice },
    onProgress: (done, count) => bar.update(count === 0 ? 1 : done / count, rate(done, count)),
    onStep: () => bar.clear(),
  });
}

async function isJunit(path: string): Promise<boolean> {
  const beginning = (await readFile(path, "utf8").catch(() => "")).slice(0, 1000);
  return beginning.includes(`<testsuites name="${JUNIT_NAME}"`);
}
