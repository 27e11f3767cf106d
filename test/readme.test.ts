import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { expect, test } from "vitest";
import { firstColumn, readPage } from "./docs/page.js";

const root = resolve(import.meta.dirname, "..");

/** Sizes that the walk of the README is run with here; `.ci/run` runs it whole. */
const SMALLER: readonly [RegExp, string][] = [
  [/--count \d+/g, "--count 30 --size 64"],
  [/"epochs":\d+/g, '"epochs":1'],
  [/(--set '[^']*')/g, "$1 --set trunk.inputSize=64 --set batchSize=8"],
  [/faithfulness .*/g, "faithfulness --help"], // so small a model sees no aspect to be judged by
  [/npx aspectlens/g, `"${join(root, "dist/cli/main.js")}"`], // as a program, as npx runs it
];

test("the README's walk, made smaller, runs from data to explanations", () => {
  const text = readFileSync(join(root, "README.md"), "utf8");
  const blocks = [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map((match) => match[1]);
  const walk = blocks.filter((block) => !block.startsWith("npm ci"));
  expect(walk.length).toBeGreaterThanOrEqual(3);
  const folder = mkdtempSync(join(tmpdir(), "readme-"));
  mkdirSync(join(folder, "data"));
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  for (const block of walk) {
    const small = SMALLER.reduce((script, [what, by]) => script.replace(what, by), block);
    const { status, stderr } = spawnSync("bash", ["-euo", "pipefail", "-c", small], { cwd: folder, encoding: "utf8" });
    expect(stderr + status, small).toMatch(/0$/);
  }
  const made = readdirSync(join(folder, "explanations"));
  expect(made.filter((name) => name.endsWith(".overlay.jpg")).length).toBeGreaterThan(0);
  expect(existsSync(join(folder, "data/tissue.aspect"))).toBe(true);
  const inRun = readdirSync(join(folder, "runs/tissue"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(join(folder, "runs/tissue"), join(parentPath, name)))
    .map((path) => path.replace(/\d{6,}/, "<time>"));
  expect(inRun.sort(), "docs/formats.md, Run folder").toEqual(
    firstColumn(readPage("docs/formats.md"), "Run folder").sort(),
  );
});
