/** Training, its end and its measures as a user runs them. */

import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { unzipSync } from "fflate";
import { beforeAll, describe, expect, test } from "vitest";
import { aspectlens } from "../helpers/command.js";
import { writeTinyDataset } from "../helpers/tiny-dataset.js";

let folder: string;
let dataset: string;
const at = (...names: string[]) => join(folder, ...names);
const run = (...args: string[]) => aspectlens(args, { cwd: folder });

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "train-"));
  dataset = await writeTinyDataset();
  const trunk = { inputSize: 32, weights: "random", alpha: 0.05 };
  writeFileSync(at("config.json"), JSON.stringify({ dataset, out: "run", batchSize: 4, source: "conv_pw_3", trunk }));
});

/** A training of the default's 60 epochs, sent a signal after the third. */
const signalled = (out: string, signal: NodeJS.Signals) => {
  let isSent = false;
  return aspectlens(["train", "config.json", "--set", `out=${out}`], {
    cwd: folder,
    onStderr: (text, child) => {
      if (text.includes("epoch 3 ") && !isSent) isSent = child.kill(signal);
    },
  });
};

describe("what a training would do", () => {
  test("--explain-config prints each setting with its reason and leaves nothing behind", async () => {
    const { code, stdout } = await run("train", "config.json", "--set", "out=planned", "--explain-config");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^trunk\.inputSize +32 +given$/m);
    expect(stdout).toMatch(/^stages\.0\.epochs +\d+ +\d+ images in all$/m);
    expect(stdout).toMatch(/^augment\.turn +none +\d+ images are too few to tell up from down$/m);
    expect(existsSync(at("planned"))).toBe(false);
    const { stdout: json } = await run("train", "config.json", "--explain-config", "--json");
    expect(JSON.parse(json)).toMatchObject({ config: { trunk: { inputSize: 32 } }, fingerprint: { count: 10 } });
  });

  test("--preview draws augmented images, over an earlier preview alone", async () => {
    for (const _ of [1, 2]) {
      const { code, stdout } = await run("train", "config.json", "--preview", "views");
      expect(code).toBe(0);
      expect(stdout).toContain("views/augmentation.png");
    }
    const first = readFileSync(at("views", "augmentation.png"));
    expect(first.subarray(1, 4).toString()).toBe("PNG");
    mkdirSync(at("mine"));
    writeFileSync(at("mine", "augmentation.png"), "mine");
    expect((await run("train", "config.json", "--preview", "mine")).code).toBe(2);
    expect(readFileSync(at("mine", "augmentation.png"), "utf8")).toBe("mine");
  });
});

describe("train", () => {
  test.each([
    ["trunk.inputSize=8", "trunk.inputSize: expected a whole number"],
    ["score=squares", "score: expected one of"],
    ["source=nope", 'source: mobilenet-v1 has no layer "nope"'],
    ["heads.square.tap=nope", 'head "square": mobilenet-v1 has no layer "nope"'],
    ['fold={"number":6}', "fold.number: is 6 of 5 folds."],
    ["stages.0.train=nope", 'stages: train "nope" is neither'],
  ])("--set %s is refused with the file's name", async (assignment, message) => {
    const { code, stderr } = await run("train", "config.json", "--set", "out=refused", "--set", assignment);
    expect(code).toBe(2);
    expect(stderr).toContain(`aspectlens: config.json: ${message}`);
    expect(existsSync(at("refused"))).toBe(false);
  });

  test.each([
    "--explain-config --resume",
    "--preview views --resume",
    "--explain-config --finish",
    "--preview views --finish",
    "--explain-config --preview views",
    "--finish --resume",
  ])("%s is refused, not half ignored", async (options) => {
    const { code, stderr } = await run("train", "config.json", ...options.split(" "));
    expect(code).toBe(2);
    expect(stderr).toMatch(/^aspectlens: option '[^\n]*' cannot be used with option '[^\n]*\n$/);
  });

  test("its help names no empty default", async () => {
    const { stdout } = await run("train", "--help");
    expect(stdout).toContain("--set <key=value>");
    expect(stdout).not.toContain("[]");
  });

  test("the example of its help works: --set stages.0.epochs on a configuration without stages", async () => {
    const { code, stdout, stderr } = await run("train", "config.json", "--set", "stages.0.epochs=2", "--json");
    expect(code).toBe(0);
    // No terminal: what follows the last epoch is said in lines.
    expect(stderr.slice(stderr.indexOf("epoch 2 ")).trim().split("\n").slice(1)).toEqual(
      ["thresholds of the heads", "references", "scale of relevance", "page of the run"].map(
        (phase) => `computing the ${phase}`,
      ),
    );
    expect(JSON.parse(stdout)).toMatchObject({ run: "run", metrics: { split: "validation" } });
    expect(readFileSync(at("run", "metrics.jsonl"), "utf8").trim().split("\n")).toHaveLength(2);
  });

  test("killed in the midst, it is taken up with --resume, and its lock is no hindrance", async () => {
    const killed = await signalled("killed", "SIGKILL");
    expect(killed.code).toBe(null);
    expect(existsSync(at("killed", ".lock"))).toBe(true);
    const resumed = await run("train", "killed/config.json", "--set", "out=killed", "--finish", "--json");
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(JSON.parse(resumed.stdout).warnings.join()).toContain("ended early; epochs done: ");
    expect(readdirSync(at("killed"), { recursive: true }).filter((name) => /\.(tmp|lock)$/.test(String(name)))).toEqual(
      [],
    );
  });

  test("interrupted, it is finished where it is, exported, and can be resumed", async () => {
    expect((await signalled("early", "SIGINT")).code).toBe(130);
    const unfinished = await run("export", "early", "early.aspect");
    expect(unfinished.code).toBe(2);
    expect(unfinished.stderr).toContain("--resume");
    expect((await run("train", "config.json", "--set", "out=early", "--finish")).code).toBe(0);
    expect((await run("export", "early", "early.aspect")).code).toBe(0);
  });

  test("an engine that is not installed is said with the line that installs it", async () => {
    const { code, stderr } = await run("train", "config.json", "--set", "out=none", "--engine", "tfjs");
    if (code === 0) return; // it is installed here
    expect(code).toBe(2);
    expect(stderr).toMatch(/^aspectlens: engine tfjs: .*npm install @tensorflow\/tfjs-node@/);
    expect(existsSync(at("none"))).toBe(false);
  });

  test("too few file descriptors are said in one line", async () => {
    const { code, stderr } = await aspectlens(["train", "config.json", "--set", "out=few"], {
      cwd: folder,
      descriptors: 32,
    });
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^aspectlens: [^\n]*too many files are open\. Raise the limit, as with: ulimit -n 1024\.\n$/,
    );
  });
});

describe("evaluate", () => {
  test("shows recall, majority baseline and confusion, writes its result, and the model card shows it", async () => {
    const shown = await run("evaluate", "run", dataset, "--out", "result.json");
    expect(shown.code, shown.stderr).toBe(0);
    expect(shown.stdout).toMatch(/accuracy +[\d.]+ +[\d.]+ to [\d.]+ +0\.500, always "(with|without)"/);
    expect(shown.stdout).toMatch(/class +images +recall +as without +as with/);
    expect(shown.stdout).toMatch(/with +2 +[\d.]+ +\d +\d/);
    const result = JSON.parse(readFileSync(at("result.json"), "utf8"));
    expect(result).toMatchObject({
      format: "aspectlens-metrics/1",
      split: "test",
      dataset: { name: "tiny", count: 4 },
    });
    expect((await run("evaluate", "run", dataset, "--json", "--out", "result.json")).code).toBe(0); // its own file
    await run("export", "run", "model.aspect");
    const card = Buffer.from(unzipSync(readFileSync(at("model.aspect")))["MODEL_CARD.md"]).toString();
    for (const split of ["validation", "test"]) expect(card).toContain(`On the split \`${split}\`:`);
    const { accuracy } = result.heads.class;
    expect(card).toMatch(new RegExp(`\\| class \\| accuracy \\| ${accuracy} \\([\\d.]+ to [\\d.]+\\) \\| 4 \\|`));
  });

  test("a demo takes no folder that holds files of others, and says so before it draws", async () => {
    for (const name of ["data/notes.txt", "run/config.json", "tissue.aspect"]) {
      const out = mkdtempSync(join(tmpdir(), "demo-"));
      mkdirSync(join(out, name, ".."), { recursive: true });
      writeFileSync(join(out, name), "mine");
      const { code, stderr } = await run("demo", "--out", out);
      expect(code, name).toBe(2);
      expect(stderr.trim().split("\n").at(-1)).toMatch(/would be overwritten/);
      expect(readFileSync(join(out, name), "utf8")).toBe("mine");
      expect(readdirSync(join(out, name, ".."))).toEqual([basename(name)]);
    }
  });

  test("neither it nor export writes over a file that it did not make", async () => {
    writeFileSync(at("mine.json"), "{}");
    writeFileSync(at("mine.aspect"), "mine");
    for (const args of [
      ["evaluate", "run", dataset, "--out", "mine.json"],
      ["evaluate", "run", dataset, "--out", "config.json"],
      ["export", "run", "mine.aspect"],
    ]) {
      const { code, stderr } = await run(...args);
      expect(code, args.join(" ")).toBe(2);
      expect(stderr).toMatch(/^aspectlens: (mine|config)\.(json|aspect): exists and is not [^\n]*\n$/);
    }
    expect(readFileSync(at("mine.aspect"), "utf8")).toBe("mine");
    const folderOut = await run("export", "run", "run");
    expect(folderOut.code).toBe(2);
  });
});
