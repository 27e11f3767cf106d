/** `aspectlens audit` as a program: numbers of the report itself, exit codes, and one line for bad input. */

import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { XMLValidator } from "fast-xml-parser";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { exportBundle } from "../../src/bundle/export-bundle.js";
import { random } from "../../src/core/random.js";
import { wilsonInterval } from "../../src/metrics/wilson.js";
import { openReport, type Report } from "../../src/survey/open-report.js";
import { easilyConvinced } from "../bundle/elsewhere/unpacked-bundle.js";
import { tinyModel } from "../bundle/tiny-model.js";
import { aspectlens, type CommandResult } from "../helpers/command.js";

const IMAGES = 60;
let folder: string;
let report: Report;
const at = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "aspectlens-audit-test-"));
  await mkdir(at("data/images"), { recursive: true });
  for (const seed of [2, 3]) {
    const model = easilyConvinced(tinyModel({ seed }));
    await exportBundle(model, at(`${seed}.aspect`), { name: `tiny-${seed}` });
  }
  const uncalibrated = { ...easilyConvinced(tinyModel({ seed: 2 })), scales: {} };
  await exportBundle(uncalibrated, at("uncalibrated.aspect"), { name: "uncalibrated" });
  const stream = random(7, "images");
  const lines: string[] = [];
  for (let index = 0; index < IMAGES; index++) {
    const pixels = Uint8Array.from({ length: 8 * 8 * 3 }, () => stream.integer(256));
    const image = `images/${String(index).padStart(2, "0")}.png`;
    await sharp(pixels, { raw: { width: 8, height: 8, channels: 3 } })
      .resize(64, 64)
      .png()
      .toFile(at(`data/${image}`));
    lines.push(JSON.stringify({ image, split: "test", label: "benign", groups: { site: index < 40 ? "A" : "B" } }));
  }
  await writeFile(at("data/samples.jsonl"), `${lines.join("\n")}\n`);
  const manifest = { format: "aspectlens-dataset/1", name: "noise", classes: ["benign", "malignant"] };
  await writeFile(at("data/dataset.json"), JSON.stringify(manifest));
  for (const seed of [2, 3]) {
    const { code, stderr } = await run("report", `${seed}.aspect`, "data", "--out", `report-${seed}`);
    expect(code, stderr).toBe(0);
  }
  report = await openReport(at("report-2"));
}, 240_000);
afterAll(async () => {
  report?.close();
  await rm(folder, { recursive: true, force: true });
});

function run(...args: string[]): Promise<CommandResult> {
  return aspectlens([...args, "--threads", "1"], { cwd: folder });
}

async function audit(rules: readonly object[], ...more: string[]): Promise<CommandResult> {
  await writeFile(at("audit.json"), JSON.stringify({ rules }));
  return run("audit", "2.aspect", "report-2", "--rules", "audit.json", ...more);
}

/** The aspect that is relevant most often, and in how many images. */
async function mostRelevant(): Promise<{ name: string; count: number; site: number }> {
  const [row] = await report.query(
    `SELECT name, count(*) AS count, count(*) FILTER (image < 40) AS site FROM aspects WHERE isRelevant
     GROUP BY name ORDER BY count DESC, name LIMIT 1`,
  );
  return row as { name: string; count: number; site: number };
}

test("counts what the report's tables count, names the images, and fails with exit code 1", async () => {
  const { name, count, site } = await mostRelevant();
  expect(count).toBeGreaterThan(20); // else the bundle is no good for this test
  const { code, stdout } = await audit(
    [
      { never: name, atMost: 0.02 },
      { never: name, atMost: 0.02, by: "site" },
    ],
    "--json",
  );
  expect(code).toBe(1);
  const { checks, images, failed, ...rest } = JSON.parse(stdout);
  expect(rest.format).toBe("aspectlens-audit/1");
  expect(images).toMatchObject({ count: IMAGES, explained: IMAGES, unreadable: 0 });
  expect(failed).toBe(3);
  const [all, a, b] = checks;
  expect(all).toMatchObject({ status: "failed", count, total: IMAGES - all.unsaid, group: null, needed: null });
  expect(all.images).toHaveLength(count);
  const [low, high] = wilsonInterval(count, all.total);
  expect(all.interval[0]).toBeCloseTo(low, 5);
  expect(all.interval[1]).toBeCloseTo(high, 5);
  expect([a.group, b.group]).toEqual(["A", "B"].map((value) => ({ key: "site", value })));
  expect([a.count, b.count]).toEqual([site, count - site]);
  expect(a.total + b.total).toBe(all.total);
});

test("what is kept passes, too few images are undecided, and neither fails", async () => {
  const { name, count } = await mostRelevant();
  const [{ rare }] = await report.query(
    `SELECT name AS rare FROM aspects GROUP BY name ORDER BY count(*) FILTER (isRelevant), name LIMIT 1`,
  );
  const { code, stdout } = await audit(
    [
      { always: name, atLeast: count / IMAGES / 2, where: "present" },
      { never: rare, atMost: 0.001 },
      { class: "benign", outliers: true, atMost: 0.01 },
    ],
    "--json",
  );
  const { checks } = JSON.parse(stdout);
  expect(checks[0]).toMatchObject({ status: "passed", side: "atLeast" });
  if (checks[1].count === 0) expect(checks[1]).toMatchObject({ status: "undecided", needed: 3838 }); // z^2 * 999 = 3837.6
  expect(checks[2]).toMatchObject({ status: "undecided", total: 0, needed: 400 });
  expect(code).toBe(checks[1].status === "failed" ? 1 : 0);
});

test("elsewhere counts the cases that the summary counts", async () => {
  const { code, stdout } = await audit([{ elsewhere: "wholly", atMost: 0.999 }], "--json");
  const [{ count, total, unsaid }] = JSON.parse(stdout).checks;
  const sum = (of: "noKnownAspect" | "cannotBeSaid") =>
    report.summary.answers.reduce((all, answer) => all + answer[of].count, 0);
  expect([count, unsaid, total]).toEqual([sum("noKnownAspect"), sum("cannotBeSaid"), IMAGES - sum("cannotBeSaid")]);
  expect(code).toBe(0);
});

test("compares with another report image by image", async () => {
  const { name, count } = await mostRelevant();
  const other = await openReport(at("report-3"));
  const [{ there }] = await other.query(`SELECT count(*) AS there FROM aspects WHERE isRelevant AND name = '${name}'`);
  other.close();
  const { stdout } = await audit([{ change: name, atMost: 0.01, against: "report-3" }], "--json");
  const [check] = JSON.parse(stdout).checks;
  expect(check.there.isPaired).toBe(true);
  expect(check.total + check.unsaid).toBe(IMAGES);
  if (check.unsaid === 0) expect([check.count, check.there.count]).toEqual([count, there]);
  expect(check.share).toBeCloseTo((check.count - check.there.count) / check.total, 5);
  const same = await copyOf("report-2");
  const kept = await audit([{ change: name, atMost: 0.3, against: same }], "--json");
  expect(JSON.parse(kept.stdout).checks[0]).toMatchObject({ status: "passed", share: 0, images: [] });
});

async function copyOf(name: string): Promise<string> {
  await mkdir(at(`${name}-copy`), { recursive: true });
  for (const file of await readdir(at(name), { withFileTypes: true }))
    if (file.isFile()) await copyFile(at(`${name}/${file.name}`), at(`${name}-copy/${file.name}`));
  return `${name}-copy`;
}

test("images are explained first, into --out or a folder that goes; the results are those of the report", async () => {
  const { name } = await mostRelevant();
  const rules = [{ never: name, atMost: 0.02 }];
  const expected = await audit(rules, "--json");
  const before = (await readdir(tmpdir())).filter((each) => each.startsWith("aspectlens-audit-")).length;
  const own = await run("audit", "2.aspect", "data", "--rules", "audit.json", "--json");
  expect(own.stdout, own.stderr).toBe(expected.stdout);
  expect(own.code).toBe(1);
  const after = (await readdir(tmpdir())).filter((each) => each.startsWith("aspectlens-audit-")).length;
  expect(after).toBeLessThanOrEqual(before);
  const kept = await run("audit", "2.aspect", "data", "--rules", "audit.json", "--out", "kept", "--json");
  expect(kept.stdout).toBe(expected.stdout);
  expect(await readFile(at("kept/summary.json"), "utf8")).toContain("aspectlens-summary/1");
}, 120_000);

test("--junit writes one case a check, over its own file alone", async () => {
  const { name } = await mostRelevant();
  const rules = [{ never: name, atMost: 0.02, by: "site" }];
  for (let time = 0; time < 2; time++) {
    const { code, stdout } = await audit(rules, "--junit", "audit.xml");
    expect(code).toBe(1);
    expect(stdout).toMatch(/^FAILED {5}any answer: .* is relevant in at most 2 % \(site A\)$/m);
    expect(stdout).toMatch(/^0 of 2 passed$/m);
  }
  const xml = await readFile(at("audit.xml"), "utf8");
  expect(XMLValidator.validate(xml)).toBe(true);
  expect(xml.match(/<testcase /g)).toHaveLength(2);
  expect(xml).toContain('tests="2" failures="2" errors="0" skipped="0"');
  await writeFile(at("mine.xml"), "<mine/>");
  const { code, stderr } = await audit(rules, "--junit", "mine.xml");
  expect([code, await readFile(at("mine.xml"), "utf8")]).toEqual([2, "<mine/>"]);
  expect(stderr).toMatch(/mine\.xml: exists and is not the result of an audit/);
});

const FINE = { never: "mitosis", atMost: 0.5 };
test.each([
  [
    { never: "mitosi", atMost: 0.1 },
    /audit\.json: rules\[0\]\.never: there is no aspect "mitosi"\. Did you mean "mitosis"\?/,
  ],
  [{ ...FINE, class: "malignent" }, /rules\[0\]\.class: there is no class "malignent"\. Did you mean "malignant"\?/],
  [{ ...FINE, by: "sites" }, /rules\[0\]\.by: there is no group "sites"\. Did you mean "site"\? Known: site, split\./],
  [{ ...FINE, atMots: 1 }, /unknown key "atMots"\. Did you mean "atMost"\?/],
  [{ change: "mitosis", atMost: 0.1, against: "nowhere" }, /rules\[0\]\.against: nowhere.plan\.json: cannot be read/],
  [{ change: "mitosis", atMost: 0.1, against: "report-2" }, /against: report-2 is the report itself/],
])("%j is one line, and exit code 2", async (rule, message) => {
  const { code, stdout, stderr } = await audit([rule]);
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr.trim().split("\n")).toHaveLength(1);
  expect(stderr).toMatch(message);
});

test.each([
  [
    ["3.aspect", "report-2"],
    /report-2: is a report of another bundle, tiny-2 [0-9a-f]{12}, not of 3\.aspect [0-9a-f]{12}\./,
  ],
  [["nowhere.aspect", "report-2"], /nowhere\.aspect/],
  [["2.aspect", "nowhere"], /nowhere: is not there/],
  [["2.aspect", "report-2", "--out", "x"], /--out: report-2 is a report already/],
  [["uncalibrated.aspect", "data"], /the bundle uncalibrated does not tell which aspects are relevant\. Calibrate it/],
])("%j is one line, and exit code 2", async (args, message) => {
  await writeFile(at("audit.json"), JSON.stringify({ rules: [FINE] }));
  const { code, stdout, stderr } = await run("audit", ...args, "--rules", "audit.json");
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr.trim().split("\n").at(-1)).toMatch(message);
});
