/** What the table of `--compare-separate` says. */

import { expect, test } from "vitest";
import { comparisonLines } from "../../src/cli/commands/train-separate.js";
import type { SeparateComparison } from "../../src/workflows/compare-separate.js";

const head = { kind: "presence", metric: "auc", count: 4, joint: 0.5, separate: 0.75, difference: -0.25 } as const;
const linesOf = (heads: object) =>
  comparisonLines({
    format: "aspectlens-separate/1",
    dataset: { name: "tiny", hash: "", count: 4 },
    split: "test",
    heads,
    intervals: { drawn: "image" },
  } as SeparateComparison);

test("a dash is explained under the table, where there is one", () => {
  const whole = linesOf({ bright: { ...head, interval: [-0.5, 0] } });
  expect(whole.join("\n")).not.toContain("-: ");
  const none = linesOf({ bright: { ...head, joint: null, separate: null, difference: null, interval: null } });
  expect(none[3]).toMatch(/^bright +auc +4 +- +- +-/);
  expect(none).toContain("-: no labelled image of this split allows the metric");
});
