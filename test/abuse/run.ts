/** Runs commands on malformed input, in a host process or spawned as a user does, and says what is wrong with how they end. */

import { type ChildProcess, fork, spawn } from "node:child_process";
import { resolve } from "node:path";

const HOST = resolve(import.meta.dirname, "host.js");
const MAIN = resolve(import.meta.dirname, "../../dist/cli/main.js");
const REPORT_PEAK = resolve(import.meta.dirname, "report-peak.js");

/** No input of less than 10 MB may take more: bytes of memory, and milliseconds of computing. */
export const MOST_BYTES = 2 ** 30;
export const MOST_MILLISECONDS = 10_000;
/** When a command is given up. */
const PATIENCE_MS = 60_000;
/** A host whose peak has come this far is replaced, so that a peak belongs to the case that made it. */
const TIRED_BYTES = 2 ** 29;
const TIRED_CASES = 200;

/** One malformed input, and the command that is given it. */
export interface AbuseCase {
  /** What was done to the input, for the report. */
  readonly name: string;
  readonly args: readonly string[];
  /** True where no reading of the input is right: the command must refuse it. Else it may also work. */
  readonly isRefused?: boolean;
}

export interface Outcome {
  /** Null where a signal ended it. */
  readonly code: number | null;
  readonly signal?: string | null;
  readonly stdout: string;
  readonly stderr: string;
  /** From begin to end, waiting and the machine's other work included. */
  readonly milliseconds: number;
  /** Of all threads together. */
  readonly cpuMilliseconds: number;
  readonly peakBytes: number;
}

/** @returns what is wrong, in a few words; none where the outcome is as it must be. */
export function faultOf({ args, isRefused = false }: AbuseCase, outcome: Outcome): string | undefined {
  const { code, signal, stderr, cpuMilliseconds, peakBytes } = outcome;
  const told = stderr.split("\n").filter((line) => line.startsWith("aspectlens: "));
  if (code === null) return `ended by ${signal}`;
  if (code !== 0 && code !== 2) return `exit code ${code}`;
  if (code === 0 && isRefused) return "was accepted";
  if (code === 2 && told.length !== 1) return `${told.length} lines instead of one`;
  if (/^\s+at .*[:(]/m.test(stderr)) return "a stack";
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\x00-\x09\x0b-\x1f\x7f-\x9f]/.test(stderr)) return "control characters on the terminal";
  if (told.some((line) => line.length > 2000)) return "a line of more than 2,000 characters";
  if (told.some((line) => /onnxruntime|\/src\/|node_modules|undefined|\[object /i.test(line))) return "a raw message";
  const isTraining = args[0] === "train" && code === 0; // takes what it takes
  if (cpuMilliseconds > MOST_MILLISECONDS && !isTraining) return `${Math.round(cpuMilliseconds / 1000)} s`;
  if (peakBytes > MOST_BYTES) return `${(peakBytes / 2 ** 30).toFixed(1)} GB`;
  return undefined;
}

export interface Host {
  run(args: readonly string[]): Promise<Outcome>;
  end(): void;
}

/** A process that runs commands in `cwd` one after the other; started anew where one takes it down. */
export function openHost(cwd: string): Host {
  let child: ChildProcess | undefined;
  let cases = 0;
  const start = () =>
    new Promise<ChildProcess>((done, fail) => {
      const started = fork(HOST, [], { cwd, stdio: ["ignore", "ignore", "ignore", "ipc"] });
      started.once("message", () => done(started));
      started.once("exit", (code) => fail(new Error(`the host ended with ${code}`)));
    });
  const end = () => {
    child?.kill("SIGKILL");
    child = undefined;
    cases = 0;
  };
  return {
    end,
    async run(args) {
      child ??= await start();
      const host = child;
      const begun = performance.now();
      const outcome = await new Promise<Outcome>((done) => {
        const lost = (code: number | null, signal: string | null) =>
          done({
            ...{ code, signal, stdout: "", stderr: "", cpuMilliseconds: 0, peakBytes: 0 },
            milliseconds: performance.now() - begun,
          });
        const timer = setTimeout(() => host.kill("SIGKILL"), PATIENCE_MS);
        const settle = () => {
          clearTimeout(timer);
          host.removeAllListeners("message");
          host.removeAllListeners("exit");
        };
        host.once("exit", (code, signal) => {
          settle();
          lost(code, signal);
        });
        host.once("message", (message) => {
          settle();
          done(message as Outcome);
        });
        host.send({ args });
      });
      if (outcome.code === null || outcome.peakBytes > TIRED_BYTES || ++cases >= TIRED_CASES) end();
      return outcome;
    },
  };
}

/** One command in a process of its own. */
export function spawned(args: readonly string[], cwd: string): Promise<Outcome> {
  return new Promise((done, fail) => {
    const begun = performance.now();
    const child = spawn(process.execPath, ["--import", REPORT_PEAK, MAIN, ...args], {
      cwd,
      stdio: ["ignore", "pipe", "pipe", "pipe"],
    });
    const texts = ["", "", "", ""];
    for (const at of [1, 2, 3])
      child.stdio[at]?.on("data", (chunk) => {
        texts[at] += chunk;
      });
    const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
    child.on("error", fail);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      const [, stdout, stderr, used] = texts;
      const [peakBytes, cpuMilliseconds] = used.split(" ").map(Number);
      done({ code, signal, stdout, stderr, milliseconds: performance.now() - begun, cpuMilliseconds, peakBytes });
    });
  });
}
