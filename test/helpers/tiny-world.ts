/** A tiny dataset, a run trained on it and its bundle, and every command with arguments that work on them. */

import { cpSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { aspectlens } from "./command.js";
import { writeTinyDataset } from "./tiny-dataset.js";

export interface TinyWorld {
  /** Where commands are run; holds `data`, `config.json`, `run`, `model.aspect`, `image.png` and `weights.json`. */
  readonly folder: string;
}

/** A file of weights that comes with the package. */
const TRUNK = resolve(import.meta.dirname, "../../weights/mobilenet-v1-0.25");

/** Enough steps for the heads to see what is there, in ten seconds, so that faithfulness has something to judge. */
const LEARNING = {
  images: { train: 80, validation: 20, test: 24 },
  config: {
    ...{ batchSize: 8, source: "conv_pw_5", trunk: { inputSize: 64 } },
    stages: [{ train: "all", epochs: 12, learningRate: 0.003, batchNorm: "batch" }],
  },
};
const QUICK = {
  images: {},
  config: { batchSize: 4, trunk: { inputSize: 32, weights: "random" }, stages: [{ train: "all", epochs: 2 }] },
};

/**
 * Makes the world with the built command line.
 *
 * @param options.hasLearnt whether its run sees anything; else `faithfulness` refuses to judge it.
 */
export async function tinyWorld({ hasLearnt = false } = {}): Promise<TinyWorld> {
  const folder = mkdtempSync(join(tmpdir(), "world-"));
  const { images, config } = hasLearnt ? LEARNING : QUICK;
  cpSync(await writeTinyDataset(images), join(folder, "data"), { recursive: true });
  cpSync(join(folder, "data", "images", "000.png"), join(folder, "image.png"));
  writeFileSync(join(folder, "config.json"), JSON.stringify({ dataset: "data", out: "run", ...QUICK.config }));
  writeFileSync(join(folder, "learning.json"), JSON.stringify({ dataset: "data", out: "run", ...config }));
  for (const args of [
    ["train", "learning.json"],
    ["export", "run", "model.aspect"],
  ]) {
    const { code, stderr } = await aspectlens(args, { cwd: folder });
    if (code !== 0) throw new Error(`${args.join(" ")}: exit code ${code}: ${stderr}`);
  }
  return { folder };
}

/** Where weights are kept while a command runs on `out`. */
export function weightsIn(out: string): { ASPECTLENS_WEIGHTS: string } {
  return { ASPECTLENS_WEIGHTS: join(out, "weights") };
}

/**
 * Every command that works, by name.
 *
 * @param out a folder to write into, of its own for each.
 */
export function everyCommand(out: string): Record<string, string[]> {
  const at = (name: string) => join(out, name);
  mkdirSync(out, { recursive: true });
  return {
    "data synth": ["data", "synth", at("tissue"), "--count", "12", "--size", "64"],
    "data check": ["data", "check", "data"],
    train: ["train", "config.json", "--set", `out=${JSON.stringify(at("run"))}`],
    evaluate: ["evaluate", "run", "data", "--out", at("evaluation.json")],
    export: ["export", "run", at("model.aspect")],
    verify: ["verify", "model.aspect"],
    explain: ["explain", "model.aspect", "image.png", "--out", at("explanations")],
    "explain --compare": ["explain", "model.aspect", "image.png", "--compare", "--out", at("sheets")],
    report: ["report", "model.aspect", "data", "--out", at("report")],
    annotate: ["annotate", "model.aspect", "image.png", "--out", at("annotated")],
    faithfulness: ["faithfulness", "run", "data", "--draws", "1", "--out", at("faithfulness")],
    "weights list": ["weights", "list"],
    "weights import": ["weights", "import", TRUNK, "--name", "imported", "--replace"],
  };
}
