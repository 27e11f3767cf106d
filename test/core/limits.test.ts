import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { LIMITS } from "../../src/core/limits.js";

test("docs/limits.md lists every limit with its value, and no other", () => {
  const page = readFileSync(new URL("../../docs/limits.md", import.meta.url), "utf8");
  const rows = [...page.matchAll(/^\| `(\w+)` \| ([\d,.]+) \|/gm)].map(([, name, value]) => [
    name,
    Number(value.replace(/,/g, "")),
  ]);
  expect(Object.fromEntries(rows)).toEqual(LIMITS);
});
