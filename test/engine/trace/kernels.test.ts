import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { kernels } from "../../../src/engine/trace/kernels.js";

test("docs/engine.md lists every kernel, and no other", () => {
  const text = readFileSync("docs/engine.md", "utf8");
  const table = text.slice(text.indexOf("| kind | kernels |"), text.indexOf("Not recorded:"));
  const rows = table.split("\n").slice(2);
  const listed = rows.flatMap((row) => (row.split("|")[2] ?? "").match(/\w+/g) ?? []);
  expect(listed.sort()).toEqual(Object.keys(kernels).sort());
});
