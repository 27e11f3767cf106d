import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { InputError } from "../../src/core/errors.js";
import { makeFolder, removeAbandoned, temporaryName, writeFileAtomic } from "../../src/core/files.js";

const folder = mkdtempSync(join(tmpdir(), "files-"));

test("makes the folder, replaces the file, and leaves nothing else", async () => {
  const path = join(folder, "new", "x.txt");
  await writeFileAtomic(path, "one");
  await writeFileAtomic(path, "two");
  expect(readFileSync(path, "utf8")).toBe("two");
  expect(readdirSync(join(folder, "new"))).toEqual(["x.txt"]);
});

test("a place that cannot be written is the user's to mend: one line with the file and the cure", async () => {
  writeFileSync(join(folder, "file"), "");
  mkdirSync(join(folder, "taken", "inside"), { recursive: true });
  for (const [path, why] of [
    [join(folder, "file", "x.txt"), "a part of the path is a file"],
    [join(folder, "file", "deeper", "x.txt"), "a part of the path is a file"],
    [join(folder, "taken"), "there is a folder of that name"],
    [join(folder, "x".repeat(300)), "the name is too long"],
  ]) {
    const error = await writeFileAtomic(path, "x").catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(InputError);
    expect((error as InputError).message).toBe(
      `${path}: cannot be written: ${why}. Choose another place, or make this one writable.`,
    );
  }
  expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
});

test("makes a folder with those it lies in, and does not mind one that is there", async () => {
  const path = join(folder, "one", "two", "three");
  await makeFolder(path);
  await makeFolder(path);
  await Promise.all([makeFolder(join(path, "a", "b")), makeFolder(join(path, "a", "c"))]);
  expect(readdirSync(join(path, "a")).sort()).toEqual(["b", "c"]);
});

test("a folder in the place of a file is refused", async () => {
  writeFileSync(join(folder, "plain"), "");
  const error = await makeFolder(join(folder, "plain")).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(InputError);
  expect((error as InputError).message).toMatch(/plain: cannot be written: a part of the path is a file\./);
});

test("a folder that can have no children ends with one line, not never", async ({ skip }) => {
  skip(!existsSync("/proc/self"), "skipped: there is no /proc here");
  const refusal = /^\/proc\/foo.*: cannot be written: no file can be made there\. Choose another place/;
  for (const work of [makeFolder("/proc/foo/bar"), writeFileAtomic("/proc/foo/x.txt", "x")])
    await expect(work).rejects.toThrow(refusal);
});

test("temporary files of processes that are gone are removed, those of living ones and the user's are not", async () => {
  const place = mkdtempSync(join(folder, "abandoned-"));
  const dead = spawnSync(process.execPath, ["-e", ""]).pid;
  const own = basename(temporaryName(join(place, "x.json")));
  const abandoned = own.replace(`.${process.pid}.`, `.${dead}.`);
  const other = abandoned.replace(".x.json.", ".y.json.");
  const elsewhere = abandoned.replace(/\.[0-9a-f]{12}\.tmp$/, ".000000000000.tmp");
  const kept = [own, elsewhere, ".mine.tmp", "x.json"];
  for (const name of [...kept, abandoned, other]) writeFileSync(join(place, name), "");
  await removeAbandoned(place, { of: join(place, "x.json") });
  expect(readdirSync(place).sort()).toEqual([...kept, other].sort());
  await removeAbandoned(place);
  expect(readdirSync(place).sort()).toEqual([...kept].sort());
  await removeAbandoned(place, { isOurs: true });
  expect(readdirSync(place).sort()).toEqual([own, ".mine.tmp", "x.json"].sort());
});

test("a name of the longest kind can be written: the temporary one is no longer", async () => {
  for (const name of ["x".repeat(255), "\u00e4".repeat(127), "\u{1f52c}".repeat(63)]) {
    await writeFileAtomic(join(folder, name), "x");
    expect(readFileSync(join(folder, name), "utf8")).toBe("x");
  }
});
