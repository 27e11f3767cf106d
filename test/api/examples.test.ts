/** The examples of the reference are compiled and run against the packed package, one after another in one folder. */

import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import ts from "typescript";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const examples = join(root, "examples/api");
/** Later ones go on with what earlier ones wrote. */
const ORDER = [
  "data",
  "train",
  "bundles",
  "explain",
  "memory",
  "faithfulness",
  "models",
  "engines",
  "weights",
  "errors",
];

let folder: string;

function run(command: string, words: readonly string[], cwd: string) {
  // What npm tells its child processes would otherwise decide for the npm inside.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));
  return spawnSync(command, words, { cwd, env: { ...env, NODE_OPTIONS: "" }, encoding: "utf8" });
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "aspectlens-"));
  const packed = run("npm", ["pack", "--ignore-scripts", "--silent", "--pack-destination", folder], root);
  expect(packed.status, packed.stderr).toBe(0);
  const [tarball] = readdirSync(folder);
  run("tar", ["xzf", tarball], folder);
  mkdirSync(join(folder, "node_modules"));
  // What it needs lies beside it, as after an installation.
  for (const name of readdirSync(join(root, "node_modules")))
    symlinkSync(join(root, "node_modules", name), join(folder, "node_modules", name));
  symlinkSync(join(folder, "package"), join(folder, "node_modules/aspectlens"));
  symlinkSync(join(root, "node_modules"), join(folder, "package/node_modules"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  for (const name of ORDER) copyFileSync(join(examples, `${name}.ts`), join(folder, `${name}.ts`));
});
afterAll(() => rmSync(folder, { recursive: true }));

test("every example is in the order", () => {
  expect(readdirSync(examples).sort()).toEqual(ORDER.map((name) => `${name}.ts`).sort());
});

test("all compile against the package's declarations", () => {
  const options = {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    strict: true,
    skipLibCheck: true,
    types: ["node"],
    typeRoots: [join(root, "node_modules/@types")],
  };
  const program = ts.createProgram(
    ORDER.map((name) => join(folder, `${name}.ts`)),
    options,
  );
  program.emit();
  const said = ts.getPreEmitDiagnostics(program).map(({ file, messageText }) => {
    return `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`;
  });
  expect(said).toEqual([]);
  expect(program.getSourceFile(join(folder, "package/dist/index.d.ts"))).toBeDefined();
});

test("a program that uses aspectlens/explainer alone compiles without the declarations of TensorFlow.js", () => {
  const main = join(folder, "main.ts");
  writeFileSync(main, 'import { openExplainer } from "aspectlens/explainer";\nvoid openExplainer("tissue.aspect");\n');
  const options = {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    lib: ["lib.es2023.d.ts"],
    strict: true,
    skipLibCheck: false,
    noEmit: true,
    types: ["node"],
    typeRoots: [join(root, "node_modules/@types")],
  };
  const program = ts.createProgram([main], options);
  const said = ts.getPreEmitDiagnostics(program).map(({ file, messageText }) => {
    return `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`;
  });
  expect(said).toEqual([]);
  const files = program.getSourceFiles().map(({ fileName }) => fileName);
  expect(files.some((name) => name.endsWith("dist/explainer.d.ts"))).toBe(true);
  expect(files.filter((name) => name.includes("@tensorflow"))).toEqual([]);
});

test.each(ORDER)("%s runs", (name) => {
  const { status, stdout, stderr } = run(process.execPath, [`${name}.js`], folder);
  expect(status, stderr).toBe(0);
  expect(stdout).not.toBe("");
});
