/** Nothing leaves the user's machine, and nothing foreign is left on it. */

import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { everyCommand, tinyWorld } from "../helpers/tiny-world.js";

const root = resolve(import.meta.dirname, "../..");
const MAIN = join(root, "dist/cli/main.js");
let folder: string;
let home: string;

beforeAll(async () => {
  ({ folder } = await tinyWorld({ hasLearnt: true }));
  home = mkdtempSync(join(tmpdir(), "home-"));
});

/** The environment of a user who has set nothing, with an empty home. */
function fresh(): NodeJS.ProcessEnv {
  const { ORT_DISABLE_TELEMETRY: _, ...env } = process.env;
  return { ...env, HOME: home, XDG_CACHE_HOME: join(home, ".cache"), ASPECTLENS_WEIGHTS: join(folder, "store") };
}

function run(program: string, args: readonly string[]) {
  const { status, signal, stdout, stderr } = spawnSync(program, args, {
    cwd: folder,
    env: fresh(),
    encoding: "utf8",
    maxBuffer: 2 ** 26,
  });
  return { status, signal, stdout, stderr };
}

const hasStrace = spawnSync("strace", ["--version"]).status === 0;

test("no command opens an internet socket, or leaves a file in the user's home", (context) => {
  if (!hasStrace) context.skip("strace is absent: WHETHER ANYTHING IS SENT IS NOT TESTED");
  const log = join(folder, "sockets.log");
  for (const [name, args] of Object.entries(everyCommand(join(folder, "out")))) {
    const strace = ["-f", "--seccomp-bpf", "-e", "trace=socket,connect,sendto,sendmsg", "-o", log];
    const { status, stderr } = run("strace", [...strace, process.execPath, MAIN, ...args]);
    expect({ name, status }, stderr).toEqual({ name, status: 0 });
    expect(readFileSync(log, "utf8").match(/^.*\bAF_INET6?\b.*$/gm) ?? [], name).toEqual([]);
  }
  expect(readdirSync(home)).toEqual([]);
});

test("320 images with long paths are explained in one call", () => {
  const names = Array.from({ length: 320 }, (_, i) => `${"long-".repeat(10)}${i}.png`);
  mkdirSync(join(folder, "long"));
  for (const name of names) copyFileSync(join(folder, "image.png"), join(folder, "long", name));
  const paths = names.map((name) => join(folder, "long", name));
  const { status, signal, stdout, stderr } = run(process.execPath, [
    ...[MAIN, "explain", "model.aspect", ...paths],
    ...["--json", "--out", "long-explanations"],
  ]);
  expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: "" });
  expect(
    stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).image),
  ).toEqual(paths);
  expect(readdirSync(home)).toEqual([]);
});

test("loaded in a worker thread first, the library says once that it cannot switch the telemetry off", () => {
  const explainer = JSON.stringify(join(root, "dist/bundle/explainer.js"));
  const script = `
    import { isMainThread, Worker } from "node:worker_threads";
    const { openExplainer } = await (isMainThread && process.argv[2] === "worker" ? {} : import(${explainer}));
    if (isMainThread && process.argv[2] === "worker") new Worker(new URL(import.meta.url));
    else await (await openExplainer("model.aspect")).dispose();`;
  writeFileSync(join(folder, "load.mjs"), script);
  const inMain = run(process.execPath, ["load.mjs", "main"]);
  expect(inMain).toEqual({ status: 0, signal: null, stdout: "", stderr: "" });
  const inWorker = run(process.execPath, ["load.mjs", "worker"]);
  expect(
    inWorker.stderr.match(/worker thread, where the telemetry of ONNX Runtime cannot be switched off/g),
  ).toHaveLength(1);
  const env = { ...fresh(), ORT_DISABLE_TELEMETRY: "1" };
  expect(execFileSync(process.execPath, ["load.mjs", "worker"], { cwd: folder, env, encoding: "utf8" })).toBe("");
});
