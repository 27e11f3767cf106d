/** Groups: what of a line is taken, what is refused, how they are counted, and which lie in several splits. */

import { join } from "node:path";
import { expect, test } from "vitest";
import { DatasetError } from "../../src/core/errors.js";
import { checkDataset } from "../../src/dataset/check.js";
import { openDataset, readRecord } from "../../src/dataset/dataset.js";
import { dividedGroups } from "../../src/dataset/group-counts.js";
import { parseGroups } from "../../src/dataset/groups.js";
import { loadSample } from "../../src/dataset/sample.js";
import { fromRaw, rgb, temporaryFolder, writeDataset } from "./given.js";

const folder = await temporaryFolder();
const image = (shade: number) =>
  fromRaw(
    rgb(20, 10, (x) => [shade, x, 0]),
    20,
    10,
  )
    .png()
    .toBuffer();

const given = async (name: string, groups: readonly (object | undefined)[], splits: readonly string[]) =>
  writeDataset(join(folder, name), {
    lines: groups.map((each, i) => ({ image: `${i}.png`, split: splits[i], label: "ab"[i % 2], groups: each })),
    files: Object.fromEntries(
      await Promise.all(groups.map(async (_, i) => [`${i}.png`, await image(i * 20)] as const)),
    ),
  });

test.each<[string, unknown, string]>([
  ["a list", ["p7"], 'groups is ["p7"]. Write names with their values'],
  ["a number as value", { patient: 7 }, 'group "patient" is 7. Write text'],
  ["an empty value", { patient: " " }, 'group "patient" is " ". Write text'],
  ["an unusable name", { "../p": "7" }, 'the group name "../p" cannot be used'],
  ["one name in two spellings", { "caf\u00e9": "1", "cafe\u0301": "2" }, 'group "caf\u00e9" is given twice'],
])("%s is refused", (_, value, message) => {
  expect(() => parseGroups(value, "s.jsonl:3")).toThrow(DatasetError);
  expect(() => parseGroups(value, "s.jsonl:3")).toThrow(`s.jsonl:3: ${message}`);
});

test("names and values are kept in the composed form", () => {
  expect(parseGroups({ "cafe\u0301": "e\u0301" }, "x")).toEqual({ "caf\u00e9": "\u00e9" });
});

test("groups stand in the record, on the sample and in the summary", async () => {
  const p7 = { patient: "p7", site: "A" };
  const dataset = await openDataset(
    await given("kept", [p7, { patient: "p8", site: "A" }, undefined], ["train", "test", "train"]),
  );
  const record = await readRecord(dataset, "train", 0);
  expect(record.groups).toEqual(p7);
  expect((await loadSample(dataset, record, { inputSize: 8 })).groups).toEqual(p7);
  expect((await loadSample(dataset, await readRecord(dataset, "train", 1), { inputSize: 8 })).groups).toBeUndefined();
  expect(dataset.summary.groups).toEqual({
    patient: { count: 2, acrossSplitsCount: 0, sampleCount: 2 },
    site: { count: 1, acrossSplitsCount: 1, sampleCount: 2 },
  });
});

test("groups that lie in several splits are counted where there are enough to keep them apart", () => {
  const groups = {
    patient: { count: 9, acrossSplitsCount: 2, sampleCount: 40 },
    whole: { count: 9, acrossSplitsCount: 0, sampleCount: 40 },
    site: { count: 2, acrossSplitsCount: 2, sampleCount: 40 },
  };
  expect(dividedGroups(groups)).toEqual([
    '2 of 9 groups "patient" lie in several splits: results will look better than they are.',
  ]);
});

test("data check names the first group that lies in several splits, and how many others do", async () => {
  const patients = ["a", "b", "c", "a", "b", "c", "a"].map((patient) => ({ patient }));
  const splits = ["train", "train", "train", "test", "validation", "train", "validation"];
  const directory = await given("across", patients, splits);
  const report = await checkDataset(directory);
  const file = join(directory, "samples.jsonl");
  const ofGroups = report.faults.filter(({ message }) => message.includes("group"));
  expect(ofGroups.map(({ severity, message }) => [severity, message])).toEqual([
    [
      "warning",
      `${file}:4: group "patient" "a" lies in split "train" too, while this sample is in "test": ` +
        "results will look better than they are. Keep each group in one split. The same holds for 1 more.",
    ],
  ]);
  expect(report.groups).toEqual({ patient: { count: 3, acrossSplitsCount: 2, sampleCount: 7 } });
});

test("data check says where only some samples have a group", async () => {
  const { faults } = await checkDataset(
    await given("some", [{ patient: "a" }, {}, { pateint: "c" }], ["train", "test", "validation"]),
  );
  const messages = faults.map(({ message }) => message).filter((message) => message.includes("group"));
  expect(messages).toEqual([
    expect.stringContaining('group "patient" is given for 1 of 3 samples'),
    expect.stringContaining('group "pateint" is given for 1 of 3 samples'),
  ]);
});
