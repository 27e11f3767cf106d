import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { InputError } from "../../src/core/errors.js";
import { lockFiles, readLock } from "../../src/weights/download/download-lock.js";
import { newFolder } from "./server.js";

const entry = (digit: string, bytes = 7) => ({ sha256: digit.repeat(64), bytes });

test("an absent lock is empty; entries are added and sorted, and read back", async () => {
  const path = join(newFolder(), "lock.json");
  expect(await readLock(path)).toEqual(new Map());
  await lockFiles(path, new Map([["https://b.example/x", entry("b")]]));
  await lockFiles(
    path,
    new Map([
      ["https://a.example/x", entry("a")],
      ["https://b.example/x", entry("b")],
    ]),
  );
  expect(readFileSync(path, "utf8")).toBe(
    `${JSON.stringify(
      {
        format: "aspectlens-weights-lock/1",
        files: { "https://a.example/x": entry("a"), "https://b.example/x": entry("b") },
      },
      null,
      2,
    )}\n`,
  );
  expect((await readLock(path)).get("https://b.example/x")).toEqual(entry("b"));
});

test("no file is made for no entries, and a locked checksum is not replaced", async () => {
  const folder = newFolder();
  const path = join(folder, "lock.json");
  await lockFiles(path, new Map());
  expect(readdirSync(folder)).toEqual([]);
  await lockFiles(path, new Map([["https://a.example/x", entry("a")]]));
  await expect(lockFiles(path, new Map([["https://a.example/x", entry("c")]]))).rejects.toThrow(
    /is locked to aaaa.*now has cccc/,
  );
  expect((await readLock(path)).get("https://a.example/x")).toEqual(entry("a"));
});

test.each([
  ['{"format"', /not JSON/],
  ["[]", /the format is none/],
  ['{"format":"aspectlens-weights-lock/2","files":{}}', /the format is "aspectlens-weights-lock\/2"/],
  ['{"format":"aspectlens-weights-lock/1","files":[]}', /"files" is not an object/],
  [
    '{"format":"aspectlens-weights-lock/1","files":{"https://a.example/x":{"sha256":"12","bytes":1}}}',
    /"sha256" of https:\/\/a\.example\/x/,
  ],
  [
    `{"format":"aspectlens-weights-lock/1","files":{"https://a.example/x":{"sha256":"${"a".repeat(64)}","bytes":-1}}}`,
    /"bytes" of https:\/\/a\.example\/x is not a count/,
  ],
])("a broken lock is told in one line, and stays as it is: %s", async (text, why) => {
  const path = join(newFolder(), "lock.json");
  writeFileSync(path, text);
  for (const work of [() => readLock(path), () => lockFiles(path, new Map([["https://a.example/y", entry("a")]]))]) {
    const error = await work().catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(InputError);
    expect((error as InputError).message).toMatch(why);
    expect((error as InputError).message.startsWith(`${path}: not a usable lock file: `)).toBe(true);
    expect((error as InputError).message).not.toContain("\n");
  }
  expect(readFileSync(path, "utf8")).toBe(text);
});
