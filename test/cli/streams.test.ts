import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { everyCommand, tinyWorld } from "../helpers/tiny-world.js";

const MAIN = resolve(import.meta.dirname, "../../dist/cli/main.js");
let folder: string;

beforeAll(async () => {
  ({ folder } = await tinyWorld());
});

/** In bash, with `$AL` for the command line; its status is that of the last command. */
function shell(script: string) {
  const env = { ...process.env, AL: `${process.execPath} ${MAIN}` };
  return spawnSync("bash", ["-c", script], { cwd: folder, env, encoding: "utf8" });
}

test("stderr that nobody reads, or that is full, ends no training", () => {
  const train = (out: string) => `$AL train config.json --set out=${out}`;
  expect(shell(`${train("closed")} 2>&1 >/dev/null | head -1; echo \${PIPESTATUS[0]}`).stdout).toMatch(/\n0\n$/);
  expect(shell(`${train("full")} 2>/dev/full`).status).toBe(0);
  for (const run of ["closed", "full"]) expect(shell(`$AL evaluate ${run} data`).status).toBe(0);
});

test("stdout on a full disk is told in one line, with exit code 2; a reader that goes away is no failure", () => {
  for (const [name, args] of Object.entries(everyCommand(join(folder, "full-out")))) {
    if (name === "faithfulness") continue; // prints on the same stream as the others, and takes longer
    const { status, stderr } = shell(`$AL ${args.map((arg) => `'${arg}'`).join(" ")} >/dev/full`);
    expect({ name, status }).toEqual({ name, status: 2 });
    expect(stderr.match(/^aspectlens: stdout cannot be written: the disk is full\. .*$/gm), name).toHaveLength(1);
    expect(stderr, name).not.toMatch(/^\s+at /m);
  }
  for (const [name, args] of Object.entries(everyCommand(join(folder, "closed-out")))) {
    if (name === "faithfulness") continue;
    const { stdout, stderr } = shell(`$AL ${args.map((arg) => `'${arg}'`).join(" ")} | true; echo \${PIPESTATUS[0]}`);
    expect({ name, stdout }).toEqual({ name, stdout: "0\n" });
    expect(stderr, name).not.toMatch(/EPIPE/);
  }
});
