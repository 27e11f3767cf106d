import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { random } from "../../src/core/random.js";
import { EXAMPLE_QUERIES } from "../../src/survey/example-queries.js";
import { gather } from "../../src/survey/gather.js";
import { openReport, type Report } from "../../src/survey/open-report.js";
import { makePlan, type ReportPlan } from "../../src/survey/plan.js";
import { imageSet } from "../../src/survey/planned-images.js";
import { shardFile } from "../../src/survey/report-folder.js";
import { BUNDLE, imagesCalled, surveyed } from "./small-report.js";

/** Ten malignant: a in six, of those b too in two; five benign; one that cannot be read. */
const NAMES = [
  ...["00-a-malignant", "01-a-malignant", "02-aC-malignant", "03-a-malignant", "04-ab-malignant", "05-ab-malignant"],
  ...["06-A-malignant", "07-A-malignant", "08-x-malignant", "09-c-malignant"],
  ...["10-x-benign", "11-x-benign", "12-b-benign", "13-b-benign", "14-B-benign"],
  "15-bad-benign",
];

let photos: string;
let out: string;
let plan: ReportPlan;
let report: Report;

beforeAll(async () => {
  photos = await imagesCalled(NAMES);
  out = join(photos, "..", "report");
  plan = await surveyed(photos, out);
  await gather(out, plan);
  report = await openReport(out);
  return () => report.close();
});

describe("what a report says", () => {
  test("counts by answer are exact, means are over all images", () => {
    const [benign, malignant] = report.summary.answers;
    expect(malignant).toMatchObject({ class: "malignant", images: 10, right: null });
    const [a, b, c] = malignant.aspects;
    expect(a.relevant).toMatchObject({ count: 6, share: 0.6 });
    expect(a.present.count).toBe(8);
    expect(a.meanShare).toBeCloseTo((4 * 0.6 + 2 * 0.3) / 10, 6);
    expect([b.relevant.count, c.relevant.count, c.present.count]).toEqual([2, 1, 2]);
    expect(malignant.noKnownAspect.count).toBe(3);
    expect(malignant.cases).toEqual({ elsewhere: 2, named: 7, "nothing-seen": 1 });
    expect(malignant.elsewhere).toBeCloseTo((7 * 0.4 + 3) / 10, 6);
    expect(benign).toMatchObject({ class: "benign", images: 5 });
    expect(benign.aspects[1].relevant.count).toBe(2);
  });

  test("pairs are counted once, beside what independence gives", () => {
    expect(report.summary.pairs).toEqual([{ class: "malignant", first: "a", second: "b", count: 2, expected: 1.2 }]);
  });

  test("an image that cannot be read is a row with its error", async () => {
    expect(report.summary.images).toMatchObject({ count: 16, explained: 15, unreadable: 1 });
    expect(report.summary.unreadable[0].error).toMatch(/15-bad-benign.png: cannot be decoded/);
    expect(await report.query("SELECT count(*) AS n FROM images WHERE error IS NOT NULL")).toEqual([{ n: 1 }]);
    expect(readFileSync(join(out, "unreadable.csv"), "utf8").split("\n")[1]).toMatch(/^15-bad-benign.png,/);
  });

  test("too few images are not judged", () => {
    expect(report.summary.unusual.classes.map(({ isJudged }) => isJudged)).toEqual([false, false]);
  });

  test("the page holds every class, a window for each bar, and loads nothing", () => {
    const page = readFileSync(join(out, "index.html"), "utf8");
    for (const text of ["malignant", "benign", "no known aspect", "15-bad-benign.png"]) expect(page).toContain(text);
    const opened = [...page.matchAll(/popovertarget="(images-\d+)"/g)].map(([, id]) => id);
    for (const id of opened) expect(page).toContain(`popover id="${id}"`);
    expect(opened.length).toBeGreaterThan(5);
    expect(page).not.toMatch(/(src|href)="https?:/);
  });

  test("no time, host or folder stands in the summary", () => {
    const text = readFileSync(join(out, "summary.json"), "utf8");
    expect(text).not.toContain(photos);
    expect(text).not.toMatch(/20\d\d-\d\d/);
  });
});

describe("questions", () => {
  test.each(EXAMPLE_QUERIES)("$question", async ({ sql }) => {
    expect(Array.isArray(await report.query(sql))).toBe(true);
  });

  test("instances are joined by image and aspect", async () => {
    const rows = await report.query(
      "SELECT name, count(*) AS n, min(yMin) AS top FROM instances GROUP BY name ORDER BY name",
    );
    expect(rows).toEqual([
      { name: "a", n: 8, top: 0.25 },
      { name: "b", n: 5, top: 0.25 },
      { name: "c", n: 2, top: 0.25 },
    ]);
  });

  test.each([
    "SELECT * FROM read_text('/etc/hostname')",
    "SELECT * FROM read_csv('https://localhost/x.csv')",
    "COPY (SELECT 1) TO 'x.csv'",
    "SET enable_external_access = true",
    "INSTALL httpfs",
    "DROP VIEW images",
    "SELECT 1; SELECT 2",
    "SELECT * FROM nothing",
  ])("%s is refused in one line", async (sql) => {
    await expect(report.query(sql)).rejects.toThrow(/^query: .*\.$/s);
  });

  test("values are passed beside the query", async () => {
    expect(await report.query("SELECT count(*) AS n FROM images WHERE predicted = $1", ["benign"])).toEqual([{ n: 5 }]);
  });

  test("the nearest by shares of the same answer come first", async () => {
    const [first, second] = await report.similar(4, { count: 2 });
    expect(first).toMatchObject({ path: "05-ab-malignant.png", distance: 0 });
    expect(second.distance).toBeCloseTo(Math.sqrt(0.3 ** 2 + 0.3 ** 2), 5); // a alone, 0.6 in place of 0.3 and 0.3
  });
});

describe("a report that is stopped", () => {
  test("ten times at random, and goes on, has the same summary to the byte", async () => {
    const again = join(photos, "..", "again");
    const stream = random(7, "stop");
    for (let round = 0; round < 10; round++) {
      const control = new AbortController();
      let left = stream.integer(7);
      const onImage = () => left-- > 0 || control.abort(new Error("stopped"));
      await surveyed(photos, again, { onImage, signal: control.signal }).catch((error: Error) => {
        expect(error.message).toBe("stopped");
      });
      expect(readdirSync(join(again, "shards")).every((name) => name.endsWith(".parquet"))).toBe(true);
    }
    await gather(again, await surveyed(photos, again));
    const textOf = (folder: string, name: string) => readFileSync(join(folder, name), "utf8");
    for (const name of ["summary.json", "counts.csv", "reasons.csv", "unexplained.csv"])
      expect(textOf(again, name)).toBe(textOf(out, name));
  });

  test("never writes a shard twice", async () => {
    const before = statSync(shardFile(out, 1)).mtimeMs;
    await surveyed(photos, out);
    expect(statSync(shardFile(out, 1)).mtimeMs).toBe(before);
  });

  test("is not gathered before all shards are there", async () => {
    const half = join(photos, "..", "half");
    await surveyed(photos, half);
    rmSync(shardFile(half, 2));
    await expect(gather(half, plan)).rejects.toThrow(/1 of 4 shards are missing, the first is number 3/);
  });

  test("a damaged shard, or one of another report, is named", async () => {
    const broken = join(photos, "..", "broken");
    await surveyed(photos, broken);
    const whole = readFileSync(shardFile(broken, 0));
    writeFileSync(shardFile(broken, 0), whole.subarray(0, 100));
    await expect(gather(broken, plan)).rejects.toThrow(/000000\.parquet: is damaged .* Remove it/);
    writeFileSync(shardFile(broken, 0), readFileSync(shardFile(broken, 1)));
    await expect(gather(broken, plan)).rejects.toThrow(/000000\.parquet: is no shard of this report/);
  });
});

describe("a folder", () => {
  test("with another bundle's report is refused", async () => {
    const bundle = { ...BUNDLE, sha256: "cd".repeat(32) };
    await expect(surveyed(photos, out, { bundle })).rejects.toThrow(/holds a report of another bundle, stub abab/);
  });

  test("with a report of other images is refused", async () => {
    const others = await imagesCalled(["00-a-malignant"]);
    await expect(surveyed(others, out)).rejects.toThrow(/holds a report of other images, 16 of photos/);
  });

  test("with anything else is refused, and left alone", async () => {
    await expect(makePlan(photos, { bundle: BUNDLE, set: await imageSet(photos) })).rejects.toThrow(
      /holds files that are no report, such as "00-a-malignant.png"/,
    );
    expect(readdirSync(photos)).toHaveLength(NAMES.length);
  });
});

describe("beside another report", () => {
  test("the same images are compared with themselves", async () => {
    const bundle = { ...BUNDLE, sha256: "cd".repeat(32) };
    const other = join(photos, "..", "other");
    const own = await surveyed(photos, other, { bundle });
    const { against } = await gather(other, own, { against: out });
    expect(against).toMatchObject({ isPaired: true, images: 15, differences: [] });
    expect(against?.changedAnswers?.count).toBe(0);
    expect(against?.changes[0].moved).toBe(0);
  });

  test("other images are compared by counts", async () => {
    const many = await imagesCalled(Array.from({ length: 24 }, (_, index) => `${index}-c-malignant`));
    const other = join(many, "..", "report");
    const { against } = await gather(other, await surveyed(many, other), { against: out });
    expect(against?.isPaired).toBe(false);
    const [first] = against?.differences ?? [];
    expect(first).toMatchObject({ aspect: "c", here: { count: 24 }, there: { count: 1 } });
    expect(first.q).toBeLessThan(0.001);
  });
});
