/** The package as a user installs it, without a network but the npm registry. */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

const root = resolve(import.meta.dirname, "..");

function run(command: string, cwd: string) {
  // What npm tells its child processes would otherwise decide for the npm inside.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));
  return spawnSync("bash", ["-euo", "pipefail", "-c", command], { cwd, env, encoding: "utf8" });
}

test("npm has nothing to say about this project's settings", () => {
  const { status, stderr } = run("npm run", root);
  expect(status).toBe(0);
  expect(stderr).not.toMatch(/project config|install-scripts|allowScripts/);
});

test("the packed tarball is installed in an empty folder by the README's line, and runs", (context) => {
  const folder = mkdtempSync(join(tmpdir(), "package-"));
  const packed = run(`npm pack --ignore-scripts --silent --pack-destination "${folder}"`, root);
  expect(packed.stderr + packed.status).toBe("0");
  const [tarball] = readdirSync(folder);
  const line = "ONNXRUNTIME_NODE_INSTALL=skip npm install aspectlens"; // as README.md has it
  const install = `${line.replace("aspectlens", `./${tarball}`)} --prefer-offline --no-audit --no-fund`;
  const installed = run(install, folder);
  const registry = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENOTCACHED/.exec(installed.stderr);
  if (registry) context.skip(`the npm registry is not reachable (${registry[0]})`);
  expect(installed.status, installed.stderr).toBe(0);
  const { status, stdout, stderr } = run("npx --no-install aspectlens weights list --json", folder);
  expect(status, stderr).toBe(0);
  expect(JSON.parse(stdout).here.length).toBeGreaterThanOrEqual(3); // the trunks that come with the package
});
