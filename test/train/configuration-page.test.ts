/** docs/configuration.md says what the code does: every key and no other, the same defaults, the same ranges. */

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { CONFIG_KEYS, type ConfigFacts, checkConfig, resolveConfig } from "../../src/train/config.js";
import { setKey } from "../../src/train/set-key.js";

const page = readFileSync(new URL("../../docs/configuration.md", import.meta.url), "utf8");
const rows = [...page.matchAll(/^\| `([^`]+)` \| ([^|]*) \| ([^|]*) \|([^|]*)\|/gm)].map((match) => {
  const [key, type, fallback, range] = match.slice(1).map((cell) => cell.trim());
  return { key, type, fallback, range };
});

const facts: ConfigFacts = {
  trainCount: 100,
  aspects: [{ name: "spot", kind: "segmentation" }],
  trunkOf: () => ({ source: "conv_pw_11", taps: [], output: "conv_pw_13" }),
};
const least = { dataset: "d", out: "o", stages: [{}], heads: { class: {} }, teacher: { weights: "w" }, fold: {} };
/** The page's names of places as `--set` writes them. */
const pathOf = (key: string) => key.replace("<name>", "class").replace("[]", ".0");
const resolve = (key?: string, value?: unknown) => {
  const config = structuredClone(least) as unknown as Record<string, unknown>;
  if (key !== undefined) setKey(config, `${pathOf(key)}=${JSON.stringify(value)}`);
  return resolveConfig(checkConfig(config, "c"), facts);
};
const valueAt = (value: unknown, key: string) =>
  pathOf(key)
    .split(".")
    .reduce((at, part) => (at as Record<string, unknown>)?.[part], value);

test("lists every key, and no other", () => {
  const keys = Object.entries(CONFIG_KEYS).flatMap(([place, names]) => names.map((name) => place + name));
  expect(rows.map(({ key }) => key).sort()).toEqual(keys.sort());
  for (const { key, type } of rows) expect(type, key).not.toBe("");
});

test("gives the defaults of the code", () => {
  const stated = rows.filter(({ fallback }) => /^`[^`<]+`$/.test(fallback) && fallback !== "`source`");
  expect(stated.length).toBeGreaterThan(10);
  const config = resolve();
  for (const { key, fallback } of stated) expect(valueAt(config, key), key).toEqual(JSON.parse(fallback.slice(1, -1)));
});

test("gives the names of the code, where it knows all", () => {
  const listed = rows.filter(({ range }) => range.startsWith("`"));
  expect(listed.map(({ key }) => key)).toEqual([
    "trunk.name",
    "heads.<name>.form",
    "heads.<name>.pooling",
    "stages[].batchNorm",
  ]);
  for (const { key, range } of listed) {
    const names = [...range.matchAll(/`([^`]+)`/g)].map(([, name]) => name);
    expect(() => resolve(key, "?"), key).toThrow(`expected one of ${names.join(", ")}, got`);
  }
});

test("gives the ranges of the code: both ends are taken, what lies beyond is refused", () => {
  const ranged = rows.filter(({ range }) => /^(above )?\d/.test(range));
  expect(ranged.length).toBeGreaterThan(15);
  for (const { key, type, range } of ranged) {
    const [, above, low, below, high] = /^(above )?([\d.]+) to (below )?([\d.]+)$/.exec(range) ?? [];
    // A narrower trunk is refused for another reason: its first layer would have no channel.
    const step = type === "whole number" ? 1 : key === "trunk.alpha" ? 0.05 : 1e-6;
    const [first, last] = [Number(low), Number(high)];
    const [taken, refused] = [
      [above ? first + step : first, below ? last - step : last],
      [above ? first : first - step, below ? last : last + Math.max(step, last * 1e-6)],
    ];
    for (const value of taken) expect(() => resolve(key, value), `${key}=${value}`).not.toThrow();
    for (const value of refused) expect(() => resolve(key, value), `${key}=${value}`).toThrow(/expected a/);
  }
  const numeric = rows.filter(({ type }) => /number/.test(type)).map(({ key }) => key);
  expect(ranged.map(({ key }) => key)).toEqual(numeric);
});
