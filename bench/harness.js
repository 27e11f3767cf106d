/** Compares times: both sides take turns on the same machine, and their medians are compared. */

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { availableParallelism, cpus } from "node:os";
import { fileURLToPath } from "node:url";

const ROUNDS = 7;
const WARM_UPS = 3;
/** Pause between turns, until the other side's threads, which spin for a while when idle, have stopped. */
const PAUSE_MS = 250;

/** @typedef {{ work: string, ours: Record<string, unknown>, peer: { name: string } & Record<string, unknown> | null, ratio: number | null }} Row */

/**
 * Cost of one iteration: wall-clock time, and CPU time of all cores, which distinguishes a slow program from a busy
 * machine.
 * @typedef {{ ms: number, cpuMs: number, peakMegabytes?: number }} Cost
 */

/**
 * @param {string} work
 * @param {{ engine: string, run: () => Promise<unknown>, peer: import("./peer.js").Peer | null, iterations: number }} sides
 * @returns {Promise<Row>} medians of the rounds, each the median of its iterations; the ratio is the median of the
 *   rounds' ratios, since a shared machine is slower in one round than in another. Below 1: we are faster.
 */
export async function compare(work, { engine, run, peer, iterations }) {
  for (let i = 0; i < WARM_UPS; i++) await run();
  await peer?.measure(WARM_UPS);
  /** @type {Cost[]} */
  const ours = [];
  /** @type {Cost[]} */
  const theirs = [];
  for (let round = 0; round < ROUNDS; round++) {
    await pause();
    ours.push(await measure(run, iterations));
    await pause();
    if (peer) theirs.push(await peer.measure(iterations));
  }
  const [own, other] = [summary(ours), summary(theirs)];
  const ratio = peer && rounded(median(ours.map(({ ms }, round) => ms / theirs[round].ms)));
  const beside = peer ? `${peer.name} ${other.ms} ms (${other.cpuMs} of CPU) · ratio ${ratio}` : "no peer";
  console.log(`${work} · ${engine} ${own.ms} ms (${own.cpuMs} of CPU) · ${beside}`);
  return { work, ours: { ...own, engine }, peer: peer && { name: peer.name, ...peer.software, ...other }, ratio };
}

/**
 * Times several functions by turns, so that their ratios are meaningful on a machine whose speed varies.
 *
 * @template {string} Name
 * @param {Readonly<Record<Name, () => Promise<unknown>>>} runs
 * @param {{ iterations: number, peers?: Readonly<Record<string, import("./peer.js").Peer>> }} options `peers` take their turns
 *   after them.
 * @returns {Promise<(Record<Name, number> & Record<string, number>)[]>} for each round, the median milliseconds of each.
 */
export async function byTurns(runs, { iterations, peers = {} }) {
  const names = /** @type {Name[]} */ (Object.keys(runs));
  for (const name of names) for (let i = 0; i < WARM_UPS; i++) await runs[name]();
  const rounds = [];
  for (let round = 0; round < ROUNDS; round++) {
    const times = /** @type {Record<string, number>} */ ({});
    for (const name of names) {
      await pause();
      times[name] = (await measure(runs[name], iterations)).ms;
    }
    for (const [name, peer] of Object.entries(peers)) {
      await pause();
      times[name] = (await peer.measure(iterations)).ms;
    }
    rounds.push(/** @type {Record<Name, number> & Record<string, number>} */ (times));
  }
  return rounds;
}

/** @param {readonly Cost[]} rounds */
function summary(rounds) {
  const times = rounds.map(({ ms }) => ms);
  const cpu = rounds.map(({ cpuMs }) => cpuMs);
  return { ms: rounded(median(times)), minMs: rounded(Math.min(...times)), cpuMs: rounded(median(cpu)) };
}

/**
 * @param {() => Promise<unknown>} run
 * @param {number} iterations
 * @param {number} [warmUps] runs before that are not counted.
 * @returns {Promise<Cost>} median wall clock and mean CPU time of the iterations.
 */
export async function measure(run, iterations, warmUps = 1) {
  for (let i = 0; i < warmUps; i++) await run();
  const times = [];
  const before = process.cpuUsage();
  for (let i = 0; i < iterations; i++) {
    const start = performance.now();
    await run();
    times.push(performance.now() - start);
  }
  const { user, system } = process.cpuUsage(before);
  return { ms: median(times), cpuMs: (user + system) / 1000 / iterations };
}

/** Rows of `bench/results/<name>.json` as it stands. @param {string} name @returns {Row[]} */
export function readRows(name) {
  return JSON.parse(readFileSync(pathOf(name), "utf8")).rows;
}

/** @param {string} name */
function pathOf(name) {
  return fileURLToPath(new URL(`results/${name}.json`, import.meta.url));
}

/**
 * Writes `bench/results/<name>.json`.
 *
 * @param {string} name
 * @param {readonly Row[]} rows
 */
export async function writeResults(name, rows) {
  const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  const machine = `${availableParallelism()} cores, ${cpus()[0]?.model.trim()}`;
  await writeJson(pathOf(name), { format: "aspectlens-bench/1", commit, machine, node: process.version, rows });
}

/**
 * @param {string} path
 * @param {unknown} value
 */
export async function writeJson(path, value) {
  await writeFile(path, `${JSON.stringify(value, null, 2)}\n`);
}

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** @param {number} value */
export function rounded(value) {
  return Math.round(value * 100) / 100;
}

function pause() {
  return new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
}
