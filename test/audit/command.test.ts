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
import { openDuck, quoted } from "../../src/survey/duck.js";
import { easilyConvinced } from "../bundle/elsewhere/unpacked-bundle.js";
import { tinyModel } from "../bundle/tiny-model.js";
import { aspectlens, type CommandResult } from "../helpers/command.js";

const IMAGES = 60;
let folder: string;
const at = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "aspectlens-audit-test-"));
  await mkdir(at("data/images"), { recursive: true });
  for (const seed of [2, 3]) {
    await exportBundle(easilyConvinced(tinyModel({ seed })), at(`${seed}.aspect`), { name: `tiny-${seed}` });
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
  await copy("report-2", "plain");
  await rewrite("report-2", 2);
  await rewrite("report-3", 4);
}, 240_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

/**
 * Random heads share no evidence with a random classifier, so the tables get numbers worked by hand: mitosis is relevant
 * in every `each`-th image, vessel cannot be read in the first ten, necrosis is nowhere present, and the last ten have
 * no known aspect. The first 45 are answered as malignant.
 */
async function rewrite(name: string, each: number): Promise<void> {
  const duck = await openDuck();
  const put = async (file: string, sql: string) => {
    const path = at(`${name}/${file}`);
    await duck.run(
      `COPY (SELECT * REPLACE (${sql}) FROM read_parquet(${quoted(path)})) TO ${quoted(`${path}.new`)} (FORMAT parquet)`,
    );
    await copyFile(`${path}.new`, path);
    await rm(`${path}.new`);
  };
  await put(
    "aspects.parquet",
    `name = 'mitosis' AND image % ${each} = 0 AS isRelevant, name <> 'necrosis' AS isPresent,
      CASE WHEN name = 'necrosis' OR name = 'vessel' AND image < 10 THEN NULL ELSE 0.5 END AS score,
      CASE WHEN name = 'mitosis' AND image % ${each} = 0 THEN 1 - image / 100 ELSE 0 END AS share`,
  );
  await put(
    "images.parquet",
    `CASE WHEN image < 50 THEN 'named' ELSE 'elsewhere' END AS "case",
      CASE WHEN image < 45 THEN 'malignant' ELSE 'benign' END AS predicted`,
  );
  duck.close();
}

async function copy(from: string, to: string): Promise<string> {
  await mkdir(at(to), { recursive: true });
  for (const file of await readdir(at(from), { withFileTypes: true }))
    if (file.isFile()) await copyFile(at(`${from}/${file.name}`), at(`${to}/${file.name}`));
  return to;
}

function run(...args: string[]): Promise<CommandResult> {
  return aspectlens([...args, "--threads", "1"], { cwd: folder });
}

async function audit(rules: readonly object[], ...more: string[]): Promise<CommandResult> {
  await writeFile(at("audit.json"), JSON.stringify({ rules }));
  return run("audit", "2.aspect", "report-2", "--rules", "audit.json", ...more);
}

test("counts what the tables hold, names the images, and fails with exit code 1", async () => {
  const { code, stdout } = await audit(
    [
      { never: "mitosis", atMost: 0.02 },
      { never: "mitosis", atMost: 0.02, by: "site" },
      { class: "malignant", always: "mitosis", atLeast: 0.8, where: "present" },
      { elsewhere: "wholly", atMost: 0.05 },
    ],
    "--json",
  );
  expect(code).toBe(1);
  const { format, checks, images, failed, passed, undecided } = JSON.parse(stdout);
  expect(format).toBe("aspectlens-audit/1");
  expect(images).toMatchObject({ name: "noise", count: IMAGES, explained: IMAGES, unreadable: 0 });
  expect([failed, passed, undecided]).toEqual([5, 0, 0]);
  const [all, a, b, malignant, elsewhere] = checks;
  expect(all).toMatchObject({
    status: "failed",
    count: 30,
    total: 60,
    unsaid: 0,
    share: 0.5,
    group: null,
    needed: null,
  });
  expect(all.images).toEqual(Array.from({ length: 30 }, (_, at) => `images/${String(2 * at).padStart(2, "0")}.png`));
  const [low, high] = wilsonInterval(30, 60);
  expect(all.interval[0]).toBeCloseTo(low, 5);
  expect(all.interval[1]).toBeCloseTo(high, 5);
  expect(a).toMatchObject({ group: { key: "site", value: "A" }, count: 20, total: 40 });
  expect(b).toMatchObject({ group: { key: "site", value: "B" }, count: 10, total: 20 });
  expect(malignant).toMatchObject({ count: 23, total: 45, side: "atLeast" }); // 0, 2, ... 44
  expect(malignant.images).toHaveLength(22);
  expect(elsewhere).toMatchObject({ count: 10, total: 60 });
});

test("what is kept passes, too few images are undecided, what cannot be read is not counted: exit code 0", async () => {
  const { code, stdout } = await audit(
    [
      { never: "mitosis", atMost: 0.7 },
      { never: "vessel", atMost: 0.02 },
      { always: "necrosis", atLeast: 0.8, where: "present" },
      { class: "benign", outliers: true, atMost: 0.01 },
    ],
    "--json",
  );
  const { checks } = JSON.parse(stdout);
  expect(checks[0]).toMatchObject({ status: "passed", count: 30, total: 60 });
  expect(checks[1]).toMatchObject({ status: "undecided", count: 0, total: 50, unsaid: 10, needed: 189 });
  expect(checks[2]).toMatchObject({ status: "undecided", count: 0, total: 0, needed: 16 });
  expect(checks[3]).toMatchObject({ status: "undecided", total: 0, needed: 400 });
  expect(code).toBe(0);
});

test("compares with another report image by image", async () => {
  const { code, stdout } = await audit([{ change: "mitosis", atMost: 0.1, against: "report-3" }], "--json");
  const [check] = JSON.parse(stdout).checks;
  expect(check).toMatchObject({ status: "failed", count: 30, total: 60, share: 0.25 });
  expect(check.there).toEqual({ count: 15, total: 60, isPaired: true });
  expect(check.images.slice(0, 2)).toEqual(["images/02.png", "images/06.png"]);
  expect(code).toBe(1);
  const same = await audit([{ change: "mitosis", atMost: 0.3, against: await copy("report-2", "same") }], "--json");
  expect(JSON.parse(same.stdout).checks[0]).toMatchObject({ status: "passed", share: 0, images: [] });
});

test("images are explained first, into --out or a folder that goes; the results are those of the report", async () => {
  await audit([{ never: "mitosis", atMost: 0.02 }]);
  const expected = await run("audit", "2.aspect", "plain", "--rules", "audit.json", "--json");
  expect(JSON.parse(expected.stdout).checks[0]).toMatchObject({ status: "undecided", total: 0, unsaid: 60 });
  const env = { TMPDIR: at("scratch") };
  await mkdir(env.TMPDIR);
  const own = await aspectlens(["audit", "2.aspect", "data", "--rules", "audit.json", "--json"], { cwd: folder, env });
  expect(own.stdout, own.stderr).toBe(expected.stdout);
  expect(await readdir(env.TMPDIR)).toEqual([]);
  const kept = await run("audit", "2.aspect", "data", "--rules", "audit.json", "--out", "kept", "--json");
  expect(kept.stdout).toBe(expected.stdout);
  expect(await readFile(at("kept/summary.json"), "utf8")).toContain("aspectlens-summary/1");
}, 120_000);

test("--junit writes one case a check, over its own file alone", async () => {
  const rules = [{ never: "mitosis", atMost: 0.02, by: "site" }];
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

test("a name that the bundle does not know is told before anything is explained", async () => {
  await writeFile(at("audit.json"), JSON.stringify({ rules: [{ never: "mitosi", atMost: 0.1 }] }));
  const { code, stderr } = await run("audit", "2.aspect", "data", "--rules", "audit.json", "--out", "unmade");
  expect(code).toBe(2);
  expect(stderr).toMatch(/there is no aspect "mitosi"/);
  expect(await readdir(folder)).not.toContain("unmade");
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
