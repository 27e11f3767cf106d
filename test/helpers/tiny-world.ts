/** A tiny dataset, a run trained on it and its bundle, and every command with arguments that work on them. */

import { cpSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { aspectlens } from "./command.js";
import { writeTinyDataset } from "./tiny-dataset.js";

export interface TinyWorld {
  /** Where commands are run; holds `data`, `config.json`, `run`, `model.aspect`, `image.png` and `weights.json`. */
  readonly folder: string;
}

/** Makes the world with the built command line. */
export async function tinyWorld(): Promise<TinyWorld> {
  const folder = mkdtempSync(join(tmpdir(), "world-"));
  cpSync(await writeTinyDataset(), join(folder, "data"), { recursive: true });
  cpSync(join(folder, "data", "images", "000.png"), join(folder, "image.png"));
  const config = {
    ...{ dataset: "data", out: "run", batchSize: 4 },
    trunk: { inputSize: 32, weights: "random" },
    stages: [{ train: "all", epochs: 2 }],
  };
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
  for (const args of [
    ["train", "config.json"],
    ["export", "run", "model.aspect"],
  ]) {
    const { code, stderr } = await aspectlens(args, { cwd: folder });
    if (code !== 0) throw new Error(`${args.join(" ")}: exit code ${code}: ${stderr}`);
  }
  return { folder };
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
    evaluate: ["evaluate", "run", "data"],
    export: ["export", "run", at("model.aspect")],
    verify: ["verify", "model.aspect"],
    explain: ["explain", "model.aspect", "image.png", "--out", at("explanations")],
    "explain --compare": ["explain", "model.aspect", "image.png", "--compare", "--out", at("sheets")],
    faithfulness: ["faithfulness", "run", "data", "--draws", "1", "--out", at("faithfulness")],
    "weights list": ["weights", "list"],
  };
}
