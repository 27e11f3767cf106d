/** The page of a run: what it says, that names are escaped, and that it needs nothing but itself. */

import sharp from "sharp";
import { describe, expect, test } from "vitest";
import type { EpochRecord } from "../../src/core/epoch-record.js";
import { runPage } from "../../src/pages/run-page.js";
import type { HeadReview } from "../../src/review/head-review.js";
import type { RunFacts } from "../../src/review/run-facts.js";
import { temporaryFolder } from "../dataset/given.js";

const classMetrics = {
  ...{ kind: "classifier", task: "single", accuracy: 0.75, majorityBaseline: 0.5, recall: { a: 1, "<b>": 0.5 } },
  ...{
    confusion: [
      [4, 0],
      [2, 2],
    ],
    count: 8,
  },
};
const blindMetrics = { kind: "segmentation", iou: 0.02, dice: 0.04, count: 8 };

function record(changes: Partial<EpochRecord> = {}): EpochRecord {
  return {
    ...{ stage: 0, epoch: 1, seconds: 2, learningRate: 0.5, losses: { total: 3, class: 1, "a<b": 2 } },
    ...{ validation: { class: classMetrics, "a<b": blindMetrics }, score: 0.4 },
    ...changes,
  };
}

const run: RunFacts = {
  title: "runs/<x>",
  heads: [
    { name: "class", kind: "classifier", labels: { labelled: 20, empty: 0, unlabelled: 1 } },
    { name: "a<b", kind: "segmentation", labels: { labelled: 9, empty: 12, unlabelled: 0 } },
  ],
  score: "mean",
  stages: [{ train: "heads", epochs: 4 }],
  inputSize: 64,
  config: { seed: 7, heads: { "a<b": { tap: "conv_pw_5" } } },
  dataset: { name: "<set>", hash: "abc", counts: { train: 21, validation: 8 } },
  history: [record()],
  best: { stage: 0, epoch: 1 },
};

const review: HeadReview = { constant: 0.1, precision: {}, reliability: [], best: [], worst: [] };

/** What a browser would fetch. */
const fetched = (page: string) =>
  [...page.matchAll(/\b(?:src|href)="([^"]*)"|url\(([^)]*)\)|@import/g)]
    .map((match) => match[1] ?? match[2] ?? match[0])
    .filter((target) => !/^(data:image\/jpeg;base64,|#)/.test(target));

describe("run.html", () => {
  test("while training: curves so far, metrics of the best epoch, names escaped, nothing fetched", async () => {
    const page = await runPage(run);
    expect(page).toContain("Still training");
    expect(page).toContain("accuracy 0.750");
    expect(page).toContain("runs/&lt;x&gt;");
    expect(page).toContain("&lt;set&gt;");
    expect(page).not.toContain("a<b");
    expect(page).not.toContain("<set>");
    expect(fetched(page)).toEqual([]);
    expect(page).toContain("default-src 'none'");
    expect(page).not.toContain("What to try next");
  });

  test("says so where nothing was evaluated", async () => {
    const page = await runPage({ ...run, history: [record({ validation: null, score: null })] });
    expect(page).toContain("Not evaluated");
  });

  test("a head that is no better than a constant answer is named above everything else", async () => {
    const page = await runPage({ ...run, reviews: { class: review, "a<b": review } });
    const named = page.indexOf('<b class="bad">a&lt;b</b> is not seen: score');
    expect(named).toBeGreaterThan(0);
    expect(named).toBeLessThan(page.indexOf("Best epoch, validation"));
    expect(page).not.toContain('<b class="bad">class</b>');
  });

  test("the reason of a configured value stands beside it", async () => {
    const page = await runPage({ ...run, reasons: { "heads.a<b.tap": "things are <small>" } });
    expect(page).toMatch(/heads\.a&lt;b\.tap<\/code><\/td><td>conv_pw_5<\/td><td>things are &lt;small&gt;/);
  });

  test("intervals are shown where metrics have them", async () => {
    const validation = { class: { ...classMetrics, intervals: { accuracy: [0.6, 0.9] } } };
    expect(await runPage({ ...run, history: [record({ validation })] })).toContain("accuracy 0.750 [0.600, 0.900]");
  });

  test("a cell of the confusion opens its images, which are in the page; an unreadable one is said to be", async () => {
    const file = `${await temporaryFolder()}/1.png`;
    await sharp({ create: { width: 40, height: 20, channels: 3, background: "red" } }).toFile(file);
    const cell = (count: number, ...names: string[]) => ({
      count,
      images: names.map((path) => ({ path, text: "said a 90 %" })),
    });
    const confusion = [
      [cell(4), cell(0)],
      [cell(2, file, "gone.png"), cell(2)],
    ];
    const reviews = { class: { ...review, classes: ["a", "<b>"], confusion } };
    const page = await runPage({ ...run, reviews });
    expect(page).toContain('<button popovertarget="confusion-1-0" title="&lt;b&gt;, taken for a">2</button>');
    const [, width, height] = /<div popover id="confusion-1-0">.*?width="(\d+)" height="(\d+)"/s.exec(page) ?? [];
    expect(Number(width) / Number(height)).toBe(2);
    expect(page).toContain("gone.png: said a 90 % (cannot be read)");
    expect(fetched(page)).toEqual([]);
  });
});
