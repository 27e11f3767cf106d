/**
 * Proves that a change of the code changes no result: a commit's build and the working tree's train, evaluate, export,
 * verify and explain the same three models, and all that they make is compared, bit by bit.
 *
 * `node scripts/same-results.js BASE-REF [--base-folder DIR] [--models NAMES] [--keep]`: with a folder, that built tree
 * is used instead of the commit; `--models single,multi` trains those alone. Prints a table; exit code 1 where anything
 * differs.
 *
 * Training gives the same bits whenever it is run, with any number of threads; one thread is used. Left out are times
 * (`seconds`, `modified`, TensorBoard's events, the marker of a drawn set), and sizes and hashes in lists of files that
 * are compared themselves. Told, but no difference: sentences with other words and the same numbers, pages (html, md,
 * txt), pictures with drawn text (overlay, compare, worst), messages on stderr, and the bytes of graphs, whose outputs
 * are compared.
 */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { ROOT, unpack } from "./house/tree.js";
import { compareBundles } from "./same-results/compare-bundles.js";
import { compareFolders } from "./same-results/compare-files.js";
import { compareOutcomes } from "./same-results/compare-outcomes.js";
import { resultsPage } from "./same-results/results-page.js";
import { runBuild } from "./same-results/run-build.js";
import { MODELS } from "./same-results/worlds.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { "base-folder": { type: "string" }, models: { type: "string" }, keep: { type: "boolean" } },
});
const [ref] = positionals;
const given = values["base-folder"];
if (ref === undefined && given === undefined) throw new Error("which commit? node scripts/same-results.js BASE-REF");

const models = values.models?.split(",") ?? MODELS;
const unknown = models.find((name) => !MODELS.includes(name));
if (unknown !== undefined) throw new Error(`no model ${unknown}; there are ${MODELS.join(", ")}`);

const started = performance.now();
build(ROOT);
const base = given === undefined ? buildCommit(ref) : resolve(given);
const work = mkdtempSync(join(tmpdir(), "same-results-"));
try {
  const [before, after] = [join(work, "before"), join(work, "after")];
  const [outcomesBefore, outcomesAfter] = await Promise.all([
    runBuild(base, before, models, (line) => console.error(`before ${line}`)),
    runBuild(ROOT, after, models, (line) => console.error(`after  ${line}`)),
  ]);
  const items = [...compareOutcomes(outcomesBefore, outcomesAfter), ...(await compareFolders(before, after, MODELS))];
  for (const model of models) {
    const [a, b] = [before, after].map((folder) => join(folder, `${model}.aspect`));
    items.push(...(await compareBundles({ model, before: a, after: b, tree: ROOT })));
  }
  const seconds = Math.round((performance.now() - started) / 1000);
  console.log(resultsPage(items, { models, outcomes: outcomesBefore, base: ref ?? "the given folder", seconds }));
  if (items.some(({ verdict }) => verdict === "different")) process.exitCode = 1;
} finally {
  if (values.keep) console.error(`kept: ${work}`);
  else rmSync(work, { recursive: true, force: true });
  if (given === undefined) rmSync(base, { recursive: true, force: true });
}

/** @param {string} tree */
function build(tree) {
  execFileSync("npm", ["run", "--silent", "build"], { cwd: tree, stdio: ["ignore", "inherit", "inherit"] });
}

/** A commit, built in a temporary folder, which the caller removes. @param {string} commit */
function buildCommit(commit) {
  const tree = unpack(commit);
  const lockOf = (/** @type {string} */ folder) => readFileSync(join(folder, "package-lock.json"), "utf8");
  if (lockOf(tree) === lockOf(ROOT)) symlinkSync(join(ROOT, "node_modules"), join(tree, "node_modules"));
  else execFileSync("npm", ["ci", "--silent", "--no-audit", "--no-fund"], { cwd: tree, stdio: "inherit" });
  build(tree);
  return tree;
}
