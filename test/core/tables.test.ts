import { expect, test } from "vitest";
import { metricNumbers, metricText } from "../../src/core/metric-numbers.js";
import { formatTable } from "../../src/core/text-table.js";

const metrics = {
  kind: "classifier",
  task: "single",
  count: 4,
  accuracy: 0.75,
  auc: null,
  recall: { benign: 0.5, malignant: null },
  confusion: [[1, 1]],
};

test("of metrics the numbers are shown, those of classes where asked, and never a matrix or a count", () => {
  expect(metricNumbers(metrics)).toEqual([
    ["accuracy", 0.75],
    ["auc", null],
  ]);
  expect(metricNumbers(metrics, { byClass: true })).toEqual([
    ["accuracy", 0.75],
    ["auc", null],
    ["recall of benign", 0.5],
    ["recall of malignant", null],
  ]);
  expect([0.75, null].map((value) => metricText(value))).toEqual(["0.750", "not evaluated"]);
  expect(metricText(2, "instanceCount")).toBe("2");
});

test("columns are as wide as their widest cell, numbers to the right unless asked otherwise", () => {
  const rows = [
    ["head", "share"],
    ["a\n", "7.5 %"],
  ];
  expect(formatTable(rows)).toEqual(["head  share", "a\\n   7.5 %"]);
  const shifted = [
    ["head", "share of"],
    ["b", "0.5"],
  ];
  expect(formatTable(shifted)).toEqual(["head  share of", "b          0.5"]);
  expect(formatTable(shifted, { numbers: "left" })).toEqual(["head  share of", "b     0.5"]);
  expect(formatTable([])).toEqual([]);
});
