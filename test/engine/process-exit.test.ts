import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import ts from "typescript";
import { afterAll, beforeAll, expect, test } from "vitest";
import { tinyModel } from "./tiny-onnx.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const modules = [
  "core/errors",
  "core/message-text",
  "core/nd-array",
  "core/terminal",
  "engine/check-arrays",
  "engine/devices",
  "engine/session",
  "engine/threads",
];
let folder: string;

/** The runtime as plain JavaScript in a folder of its own, so that a process without vitest can run it. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "aspectlens-"));
  for (const name of ["core", "engine"]) await mkdir(join(folder, name));
  for (const name of [...modules, "engine/worker-client"]) {
    const source = await readFile(join(root, "src", `${name}.ts`), "utf8");
    const options = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022, verbatimModuleSyntax: true };
    await writeFile(join(folder, `${name}.js`), ts.transpileModule(source, { compilerOptions: options }).outputText);
  }
  for (const name of ["worker.js", "worker-device.js", "no-telemetry.js", "onnx-runtime.js"]) {
    await copyFile(join(root, "src/engine", name), join(folder, "engine", name));
  }
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  const model = tinyModel([["Add", ["a", "a"], ["y"]]], { inputs: { a: [1] }, outputs: { y: [1] } });
  await writeFile(join(folder, "model.onnx"), model);
  const steps = Array.from({ length: 20 }, (_, i) => ["MatMul", [i ? `t${i}` : "a", "a"], [`t${i + 1}`]] as const);
  const slow = tinyModel([...steps, ["Add", ["t20", "a"], ["y"]]], {
    inputs: { a: [600, 600] },
    outputs: { y: [600, 600] },
  });
  await writeFile(join(folder, "slow.onnx"), slow);
});
afterAll(() => rm(folder, { recursive: true }));

const prelude = `
  import { openRuntime } from "./engine/session.js";
  const runtime = openRuntime({ threads: 1 });
  const session = await runtime.createSession("model.onnx");
  const { y } = await session.run({ a: { shape: [1], data: Float32Array.of(4) } });
  console.log(y.data[0]);`;

async function run(script: string, { before = prelude } = {}) {
  await writeFile(join(folder, "main.js"), before + script);
  return promisify(execFile)(process.execPath, ["main.js"], { cwd: folder, timeout: 20_000 });
}

test("the process ends by itself while a session is open but idle, and prints nothing of its own", async () => {
  expect(await run("")).toEqual({ stdout: "8\n", stderr: "" });
});

test("the process ends by itself, or with its error, while a runtime that nobody called is open", async () => {
  const before = 'import { openRuntime } from "./engine/session.js"; openRuntime(); console.log("open");';
  expect(await run("", { before })).toEqual({ stdout: "open\n", stderr: "" });
  const failing = run('throw new Error("between opening and disposing");', { before });
  await expect(failing).rejects.toMatchObject({ code: 1, killed: false, stdout: "open\n" });
});

test("the process ends after the runtime was disposed", async () => {
  expect(await run(`await runtime.dispose(); console.log("disposed");`)).toEqual({
    stdout: "8\ndisposed\n",
    stderr: "",
  });
});

test("a runtime that is disposed while it builds, runs or is still loading takes nobody down", async () => {
  // Ended by force, ONNX Runtime's binding aborts the process (exit code 134) at nearly every such moment.
  const script = `
    await runtime.dispose();
    for (const pause of [0, 20, 60, 100, 200, 300]) {
      const other = openRuntime({ threads: 1 });
      const running = (async () => {
        const session = await other.createSession("slow.onnx");
        for (;;) await session.run({ a: { shape: [600, 600], data: new Float32Array(360_000) } });
      })().catch((error) => console.log(error.name));
      await new Promise((resolve) => setTimeout(resolve, pause));
      await other.dispose();
      await running;
    }
    console.log("alive");`;
  expect(await run(script)).toEqual({ stdout: `8\n${"EngineError\n".repeat(6)}alive\n`, stderr: "" });
});

test("a process that exits in the midst of a run ends cleanly", async () => {
  // The moment at which a run hands over its results is the one that matters: several pauses are tried.
  for (const pause of [0, 0, 1, 2, 3, 5, 20]) {
    const script = `
      const running = () => session.run({ a: { shape: [1], data: Float32Array.of(4) } }).then(running);
      running();
      setTimeout(() => process.exit(0), ${pause});`;
    expect(await run(script)).toEqual({ stdout: "8\n", stderr: "" });
  }
  // A run that has begun is waited for.
  const script = `
    const slow = await runtime.createSession("slow.onnx");
    slow.run({ a: { shape: [600, 600], data: new Float32Array(360_000) } });
    setTimeout(() => process.exit(0), 20);`;
  expect(await run(script)).toEqual({ stdout: "8\n", stderr: "" });
});

test("a failing model says so once, as an exception, and not on the terminal", async () => {
  const script = `try { await runtime.createSession(new Uint8Array(9)); } catch (error) { console.log(error.name); }`;
  expect(await run(script)).toEqual({ stdout: "8\nGraphError\n", stderr: "" });
});

test("a runtime loads no TensorFlow.js", async () => {
  const script = `
    import { createRequire } from "node:module";
    console.log(Object.keys(createRequire(import.meta.url).cache).filter((path) => path.includes("tensorflow")).length);`;
  expect(await run(script)).toEqual({ stdout: "8\n0\n", stderr: "" });
  for (const name of [...modules, "engine/worker-client"]) {
    const code = await readFile(join(folder, `${name}.js`), "utf8");
    expect(code).not.toContain("@tensorflow");
  }
});

test("a process whose run never ends is ended by force", { timeout: 60_000 }, async () => {
  const steps = Array.from({ length: 2000 }, (_, i) => ["MatMul", [i ? `t${i}` : "a", "a"], [`t${i + 1}`]] as const);
  const endless = tinyModel([...steps, ["Add", ["t2000", "a"], ["y"]]], {
    inputs: { a: [1500, 1500] },
    outputs: { y: [1500, 1500] },
  });
  await writeFile(join(folder, "endless.onnx"), endless);
  const script = `
    const slow = await runtime.createSession("endless.onnx");
    slow.run({ a: { shape: [1500, 1500], data: new Float32Array(1500 * 1500) } });
    setTimeout(() => process.exit(0), 20);`;
  await expect(run(script)).rejects.toMatchObject({ signal: "SIGKILL" });
});
