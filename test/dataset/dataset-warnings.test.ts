import { join } from "node:path";
import { expect, test } from "vitest";
import { checkDataset } from "../../src/dataset/check.js";
import type { DatasetSummary } from "../../src/dataset/dataset-summary.js";
import { fewJudges } from "../../src/dataset/dataset-warnings.js";
import { temporaryFolder, writeDataset } from "./given.js";

const folder = await temporaryFolder();

interface Given {
  readonly split: string;
  readonly label?: string;
  readonly labels?: readonly string[];
  readonly aspects?: object;
}

async function warningsOf(name: string, lines: readonly Given[], manifest: object) {
  const files = Object.fromEntries(lines.map((_, i) => [`${i}.png`, new Uint8Array([i])]));
  const given = { manifest, lines: lines.map((line, i) => ({ image: `${i}.png`, ...line })), files };
  const { faults, isUsable } = await checkDataset(await writeDataset(join(folder, name), given), { decode: false });
  expect(isUsable).toBe(true);
  return faults.map(({ severity, message }) => `${severity}: ${message.replace(/^.*dataset\.json: /, "")}`);
}

test("names each aspect without a positive sample in a split that is labelled for it", async () => {
  const aspects = [
    { name: "nodule", kind: "boxes" },
    { name: "ulcer", kind: "presence" },
    { name: "stain", kind: "amount" },
  ];
  const box = [0.1, 0.1, 0.5, 0.5];
  const seen = { nodule: { boxes: [box] }, ulcer: { present: true }, stain: { amount: 0.5 } };
  const none = { nodule: { boxes: [] }, ulcer: { present: false }, stain: { amount: 0 } };
  const of = (split: string, ...each: object[]) =>
    each.flatMap((aspects) => [
      { split, label: "a", aspects },
      { split, label: "b", aspects },
    ]);
  const sets = [
    ...of("train", seen),
    ...of("validation", none),
    ...of("test", { nodule: none.nodule, ulcer: seen.ulcer }),
  ];
  expect(await warningsOf("aspects", sets, { aspects })).toEqual([
    ...["nodule", "ulcer", "stain"].map(
      (name) =>
        `warning: aspect "${name}" is in no validation sample, of 2 labelled for it; its score and threshold there mean nothing.`,
    ),
    'warning: aspect "nodule" is in no test sample, of 2 labelled for it; it cannot be judged there.',
  ]);
});

test("names each head that is labelled for training and not for validation", async () => {
  const aspects = [{ name: "nodule", kind: "boxes" }];
  const shown = { nodule: { boxes: [[0.1, 0.1, 0.5, 0.5]] } };
  const train = ["a", "b"].map((label) => ({ split: "train", label, aspects: shown }));
  const judged = ["a", "b"].map((label) => ({ split: "validation", label }));
  const means = "is labelled in no validation sample; neither the best epoch nor its threshold can be chosen for it.";
  expect(await warningsOf("unjudged", [...train, ...judged], { aspects })).toEqual([
    'warning: split "test" is empty.',
    `warning: aspect "nodule" ${means}`,
  ]);
  const unlabelled = [...train, { split: "validation", aspects: shown }, { split: "test", label: "a" }];
  expect(await warningsOf("unlabelled", unlabelled, { aspects })).toContain(`warning: the classifier ${means}`);
  // Without any validation image that is said once.
  expect(await warningsOf("without", train, { aspects })).toEqual([
    'warning: split "validation" is empty.',
    'warning: split "test" is empty.',
  ]);
});

test("names in one line the heads that less than ten validation samples judge", () => {
  const of = (validation: object) => ({ kind: "boxes", states: { validation } });
  const heads = {
    class: of({ labelled: 9, empty: 0, unlabelled: 5 }),
    many: of({ labelled: 4, empty: 6, unlabelled: 4 }),
    few: of({ labelled: 0, empty: 1, unlabelled: 13 }),
    none: of({ labelled: 0, empty: 0, unlabelled: 14 }),
  };
  const said = fewJudges({ heads } as unknown as DatasetSummary, ["class", "many", "few", "none"]);
  expect(said).toEqual([expect.stringMatching(/^fewer than 10 validation images are labelled for "class", "few":/)]);
  expect(fewJudges({ heads } as unknown as DatasetSummary, ["many", "none"])).toEqual([]);
});

test("names each class without a sample in a split that has labels", async () => {
  const lines = [
    ...["a", "b", "b"].map((label) => ({ split: "train", label })),
    ...["a", "a"].map((label) => ({ split: "validation", label })),
    { split: "test" },
  ];
  expect(await warningsOf("single", lines, { classes: ["a", "b"] })).toEqual([
    'warning: class "b" is in no validation sample, of 2 labelled for it; its score and threshold there mean nothing.',
  ]);
  const multi = [
    { split: "train", labels: ["a", "b"] },
    { split: "validation", labels: ["a", "b"] },
    { split: "test", labels: ["a"] },
    { split: "test", labels: [] },
  ];
  expect(await warningsOf("multi", multi, { task: "multi", classes: ["a", "b", "c"] })).toEqual([
    'warning: class "c" is never used. Remove it, or check the labels.',
    'warning: class "b" is in no test sample, of 2 labelled for it; it cannot be judged there.',
  ]);
});
