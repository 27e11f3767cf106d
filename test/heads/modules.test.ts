import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

const HEADS = resolve(import.meta.dirname, "../../src/heads");

test("what reads plain arrays loads no TensorFlow.js, directly or through others", () => {
  const roots = readdirSync(HEADS).filter((file) => /-(reading|encoding)\.ts$/.test(file) || file === "metrics.ts");
  expect(roots.length).toBeGreaterThan(5);
  const seen = new Set<string>();
  const visit = (path: string) => {
    if (seen.has(path)) return;
    seen.add(path);
    for (const [, clause, from] of readFileSync(path, "utf8").matchAll(/^import ([^;]*?) ?from "([^"]+)"/gm)) {
      if (clause.startsWith("type ")) continue;
      expect(from, path).toMatch(/^\./);
      visit(resolve(path, "..", from.replace(/\.js$/, ".ts")));
    }
  };
  for (const root of roots) visit(join(HEADS, root));
  expect(seen.size).toBeGreaterThan(roots.length);
});
