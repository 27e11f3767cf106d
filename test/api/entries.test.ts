/** Everything public can be used with public names alone. */

import { expect, test } from "vitest";
import { readEntry } from "./names.js";

test.each(["index", "explainer"])("%s: every type that an exported signature mentions is exported too", (entry) => {
  const { symbols, unusable } = readEntry(entry);
  expect(symbols.size).toBeGreaterThan(10);
  expect(unusable()).toEqual([]);
});
