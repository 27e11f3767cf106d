/** What happens around a command: a full disk, a folder that cannot be written or goes away, a process that is killed. */

import { type ChildProcess, execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { aspectlens } from "../helpers/command.js";
import { everyCommand, tinyWorld, weightsIn } from "../helpers/tiny-world.js";

let folder: string;
const mounts: string[] = [];
const canMount = process.getuid?.() === 0 && spawnSync("mount", ["--version"]).status === 0;
/** Runs the command of that name on a folder to write into. */
const run = (name: string, out: string, ...more: string[]) =>
  aspectlens([...everyCommand(out)[name], ...more], { cwd: folder, env: weightsIn(out) });

/** Commands that write files; the others are tested with their streams. */
const WRITERS = [
  "data synth",
  "train",
  "evaluate",
  "export",
  "explain",
  "explain --compare",
  "report",
  "annotate",
  "faithfulness",
  "weights import",
];

beforeAll(async () => {
  ({ folder } = await tinyWorld({ hasLearnt: true }));
});
afterAll(() => {
  for (const mount of mounts) spawnSync("umount", ["-l", mount]);
});

/** A file system of its own in memory; null where this user may mount none. */
function fileSystem(options: string): string | null {
  const place = mkdtempSync(join(tmpdir(), "mount-"));
  if (!canMount || spawnSync("mount", ["-t", "tmpfs", "-o", options, "none", place]).status !== 0) return null;
  mounts.push(place);
  return place;
}

/** Every file below, relative to the folder. */
const filesIn = (place: string) =>
  existsSync(place) ? readdirSync(place, { recursive: true, encoding: "utf8" }).sort() : [];

function expectRefusal(name: string, { code, stderr }: { code: number | null; stderr: string }) {
  const told = stderr.split("\n").filter((line) => line.startsWith("aspectlens: "));
  expect({ name, code, told: told.length }, stderr).toEqual({ name, code: 2, told: 1 });
  expect(stderr, name).not.toMatch(/^\s+at /m);
  return told[0];
}

describe.each(WRITERS)("%s", (name) => {
  test("on a full disk is refused in one line, and leaves nothing half written", async (context) => {
    // Inodes for folders, so that those can be made; not a byte for what stands in files.
    const disk = fileSystem("size=4k");
    if (!disk) return context.skip("this user may mount no file system: A FULL DISK IS NOT TESTED");
    execFileSync("sh", ["-c", 'head -c 1000000 /dev/zero > "$0" || true', join(disk, "fill")], { stdio: "ignore" });
    const told = expectRefusal(name, await run(name, disk));
    expect(told).toContain("the disk is full");
    expect(filesIn(disk).filter((file) => file.endsWith(".tmp"))).toEqual([]);
  });

  test("in a folder that cannot be written is refused in one line, before the work", async (context) => {
    const disk = fileSystem("size=1m");
    if (!disk) return context.skip("this user may mount no file system: A READ-ONLY FOLDER IS NOT TESTED");
    execFileSync("mount", ["-o", "remount,ro", disk]);
    const begun = performance.now();
    const told = expectRefusal(name, await run(name, disk));
    expect(told).toMatch(/read-only|cannot be written|permission/);
    expect(performance.now() - begun).toBeLessThan(30_000);
    expect(filesIn(disk)).toEqual([]);
  });

  test("whose folder goes away while it works ends with its files there again, or in one line", async () => {
    const out = join(folder, `gone-${name.replace(/\W+/g, "-")}`);
    let isGone = false;
    const remove = () => {
      try {
        if (isGone || filesIn(out).length === 0) return;
        rmSync(out, { recursive: true, force: true });
        isGone = true;
      } catch {
        // The command wrote into it, or removed it itself, while it was listed or removed: again in a moment.
      }
    };
    const timer = setInterval(remove, 20);
    const ended = await run(name, out);
    clearInterval(timer);
    if (ended.code !== 0) expectRefusal(name, ended);
  });

  test("killed at any moment leaves nothing that keeps the same command from working again", async () => {
    const out = join(folder, `killed-${name.replace(/\W+/g, "-")}`);
    const args = everyCommand(out)[name];
    for (const wait of [250, 600, 1000]) {
      let child: ChildProcess | undefined;
      const ended = aspectlens(args, {
        ...{ cwd: folder, env: weightsIn(out) },
        onStart: (started) => {
          child = started;
        },
      });
      await new Promise((done) => setTimeout(done, wait));
      child?.kill("SIGKILL");
      await ended;
    }
    const isRun = name === "train" && existsSync(join(out, "run", "checkpoint"));
    const { code, stderr } = await run(name, out, ...(isRun ? ["--resume"] : []));
    expect({ name, code }, stderr).toEqual({ name, code: 0 });
    expect(filesIn(out).filter((file) => file.endsWith(".tmp"))).toEqual([]);
  });
});

test("every command that writes is tested so", () => {
  mkdirSync(join(folder, "names"));
  const others = ["data check", "verify", "weights list"];
  expect(Object.keys(everyCommand(join(folder, "names"))).sort()).toEqual([...WRITERS, ...others].sort());
});
