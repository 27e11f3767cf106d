/** Runs all command lines with one build, in a folder of its own. */

import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { modelCommands, OTHER_COMMANDS, SYNTH } from "./commands.js";
import { makeWorlds } from "./worlds.js";

/** @typedef {import("./commands.js").Command & { code: number | null, stdout: string, stderr: string }} Outcome */

/**
 * @param {string} tree with `package.json` and the built `dist`.
 * @param {string} folder made here; all paths that a command gets are relative to it.
 * @param {readonly string[]} models which to train; what is asked beside the models needs `single`.
 * @param {(line: string) => void} told hears of each command that ended.
 * @returns {Promise<Outcome[]>}
 */
export async function runBuild(tree, folder, models, told) {
  mkdirSync(folder, { recursive: true });
  const main = join(tree, JSON.parse(readFileSync(join(tree, "package.json"), "utf8")).bin.aspectlens);
  /** @type {Outcome[]} */
  const outcomes = [];
  const run = async (/** @type {readonly import("./commands.js").Command[]} */ commands) => {
    for (const { model, args } of commands) {
      const given = args.map((arg) => arg.replace(/^WEIGHTS(?=\/)/, join(tree, "weights")));
      const outcome = await runCommand(main, given, folder);
      const readable = (/** @type {string} */ text) =>
        text.replaceAll(folder, "FOLDER").replaceAll(resolve(tree), "TREE");
      outcomes.push({ model, args, ...outcome, stdout: readable(outcome.stdout), stderr: readable(outcome.stderr) });
      told(`${outcome.code}  aspectlens ${args.join(" ")}`);
    }
  };
  await run([SYNTH]);
  makeWorlds(folder);
  await run(modelCommands(models));
  if (models.includes("single")) {
    damageBundles(folder);
    await run(OTHER_COMMANDS);
  }
  return outcomes;
}

/** One bundle that was cut short, and one with a byte changed. @param {string} folder */
function damageBundles(folder) {
  const bytes = readFileSync(join(folder, "single.aspect"));
  writeFileSync(join(folder, "cut.aspect"), bytes.subarray(0, bytes.length >> 1));
  bytes[bytes.length >> 1] ^= 1;
  writeFileSync(join(folder, "flipped.aspect"), bytes);
}

/**
 * @param {string} main
 * @param {readonly string[]} args
 * @param {string} cwd
 * @returns {Promise<{ code: number | null, stdout: string, stderr: string }>}
 */
function runCommand(main, args, cwd) {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, ASPECTLENS_WEIGHTS: join(cwd, "weights"), NO_COLOR: "1" };
    const child = spawn(process.execPath, [main, ...args], { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}
