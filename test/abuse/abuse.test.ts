/**
 * Malformed input of every kind: each is read right or refused in one clear line with exit code 2, in bounded memory and time.
 * `npm run abuse` does it at full size and writes `bench/results/abuse.json`.
 */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { random } from "../../src/core/random.js";
import { tinyWorld } from "../helpers/tiny-world.js";
import { bundleCase } from "./bundles.js";
import { configCase, datasetCase } from "./descriptions.js";
import { imageCase, maskCase } from "./pictures.js";
import type { Place } from "./places.js";
import { type AbuseCase, faultOf, type Outcome, openHost, spawned } from "./run.js";
import { weightsCase } from "./weights.js";

/** Cases of all kinds together; a few without the variable. */
const FULL = Number(process.env.ASPECTLENS_ABUSE ?? 0);
const SEED = Number(process.env.ASPECTLENS_ABUSE_SEED ?? 7);
/** Kinds that are run, all by default; with some, the results of the others stay. */
const CHOSEN = process.env.ASPECTLENS_ABUSE_KINDS?.split(",");
const IN_PROCESS = FULL > 0 ? FULL : 420;
/** Commands in a process of their own, as users run them. */
const SPAWNED = FULL > 0 ? Math.ceil(FULL / 20) : 300;
const AT_ONCE = 2;
const HOURS_MS = 6 * 3600 * 1000;

const KINDS = {
  image: imageCase,
  mask: maskCase,
  dataset: datasetCase,
  configuration: configCase,
  weights: weightsCase,
  bundle: bundleCase,
};
type Kind = keyof typeof KINDS;
/** Kinds whose right cases take a second or more, a training or an import, come half as often. */
const OFTEN: readonly Kind[] = ["image", "mask", "dataset", "bundle"];
const TURNS: readonly Kind[] = [...OFTEN, "configuration", ...OFTEN, "weights"];

let world: string;
let scratch: string;

beforeAll(async () => {
  ({ folder: world } = await tinyWorld());
  scratch = mkdtempSync(join(tmpdir(), "abuse-"));
  process.env.ASPECTLENS_WEIGHTS = join(scratch, "weights"); // never the user's own
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

interface Judged {
  readonly kind: Kind;
  readonly seed: string;
  readonly case: AbuseCase;
  readonly outcome: Outcome;
  readonly fault: string | undefined;
}

/** Makes the cases numbered `from` to `to`, runs each, and judges it; a few at once. */
async function judge(count: number, way: string, run: (lane: number) => (args: readonly string[]) => Promise<Outcome>) {
  const judged: Judged[] = [];
  let next = 0;
  const lanes = Array.from({ length: AT_ONCE }, async (_, lane) => {
    const runHere = run(lane);
    while (next < count) {
      const index = next++;
      const kind = TURNS[index % TURNS.length];
      if (CHOSEN && !CHOSEN.includes(kind)) continue;
      const place: Place = { world, folder: join(scratch, `${way}-${index}`) };
      mkdirSync(place.folder);
      const made = await KINDS[kind](random(SEED, way, index), place);
      const outcome = await runHere(made.args);
      const fault = faultOf(made, outcome);
      judged.push({ kind, seed: `${SEED} ${way} ${index}`, case: made, outcome, fault });
      rmSync(place.folder, { recursive: true, force: true });
    }
  });
  await Promise.all(lanes);
  return judged;
}

/** What failed, with what is needed to see it again. */
function failures(judged: readonly Judged[]) {
  return judged
    .filter(({ fault }) => fault !== undefined)
    .map(({ seed, case: { name, args }, fault, outcome }) => ({
      ...{ seed, name, fault, command: args.slice(0, 3).join(" ").slice(0, 200) },
      stderr: outcome.stderr.slice(-600),
    }));
}

const all: Record<string, Judged[]> = {};

test(`${IN_PROCESS} malformed inputs, one process for many`, { timeout: HOURS_MS }, async () => {
  const hosts = Array.from({ length: AT_ONCE }, () => openHost(world));
  try {
    all["in process"] = await judge(IN_PROCESS, "in process", (lane) => hosts[lane].run);
  } finally {
    for (const host of hosts) host.end();
  }
  expect(failures(all["in process"])).toEqual([]);
});

test(`${SPAWNED} malformed inputs, a process each`, { timeout: HOURS_MS }, async () => {
  all.spawned = await judge(SPAWNED, "spawned", () => (args) => spawned(args, world));
  expect(failures(all.spawned)).toEqual([]);
});

afterAll(() => {
  if (FULL === 0) return;
  const path = resolve(import.meta.dirname, "../../bench/results/abuse.json");
  const kinds = CHOSEN ?? Object.keys(KINDS);
  const former: { kind: string }[] = CHOSEN ? JSON.parse(readFileSync(path, "utf8")).rows : [];
  const rows = Object.entries(all).flatMap(([way, judged]) =>
    kinds.map((kind) => {
      const mine = judged.filter((one) => one.kind === kind);
      const most = (what: (outcome: Outcome) => number) => Math.max(...mine.map(({ outcome }) => what(outcome)));
      return {
        ...{ kind, way, cases: mine.length },
        worked: mine.filter(({ outcome, fault }) => outcome.code === 0 && !fault).length,
        refused: mine.filter(({ outcome, fault }) => outcome.code === 2 && !fault).length,
        faults: failures(mine),
        mostComputingSeconds: Number((most((outcome) => outcome.cpuMilliseconds) / 1000).toFixed(2)),
        mostMegabytes: Math.round(most((outcome) => outcome.peakBytes) / 1e6),
      };
    }),
  );
  const command = `ASPECTLENS_ABUSE_SEED=${SEED} npm run abuse`;
  const machine = `${cpus().length} x ${cpus()[0]?.model ?? "cpu"}, Node ${process.version}`;
  const kept = former.filter(({ kind }) => !kinds.includes(kind));
  writeFileSync(path, `${JSON.stringify({ command, machine, rows: [...kept, ...rows] }, null, 2)}\n`);
});
