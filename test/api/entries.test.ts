/** Everything public can be used with public names alone. */

import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { readEntry } from "./names.js";

test.each(["index", "explainer"])("%s: every type that an exported signature mentions is exported too", (entry) => {
  const { symbols, unusable } = readEntry(entry);
  expect(symbols.size).toBeGreaterThan(10);
  expect(unusable()).toEqual([]);
});

test("benches, examples and scripts use public names, but for what bench/internals.js lists", () => {
  const root = resolve(import.meta.dirname, "../..");
  const files = ["bench", "examples", "scripts"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".js"))
      .map((file) => join(folder, file)),
  );
  // A program may run the command line as a user does.
  const inner = /\.\.\/(src\/|dist\/(?!cli\/main\.js))/;
  const inside = files.filter((file) => inner.test(readFileSync(join(root, file), "utf8")));
  expect(inside).toEqual([join("bench", "internals.js")]);
});
