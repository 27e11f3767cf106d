/** Malformed datasets for `data check`, and malformed configurations for `train`. */

import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Random } from "../../src/core/random.js";
import { mutateBytes, mutateJsonText, pick } from "./mutations.js";
import type { Place } from "./places.js";
import type { AbuseCase } from "./run.js";

/** The tiny dataset with one file of it spoilt. */
export async function datasetCase(random: Random, { world, folder }: Place): Promise<AbuseCase> {
  const set = join(folder, "set");
  cpSync(join(world, "data"), set, { recursive: true });
  if (random.next() < 0.4) {
    const path = join(set, "dataset.json");
    const { name, value } = mutateJsonText(readFileSync(path, "utf8"), random);
    writeFileSync(path, value);
    return { name: `dataset.json: ${name}`, args: ["data", "check", set] };
  }
  const path = join(set, "samples.jsonl");
  const lines = readFileSync(path, "utf8").trimEnd().split("\n");
  if (random.next() < 0.2) {
    const { name, value } = mutateBytes(readFileSync(path), random);
    writeFileSync(path, value);
    return { name: `samples.jsonl: ${name}`, args: ["data", "check", set] };
  }
  const at = random.integer(lines.length);
  const { name, value } = mutateJsonText(lines[at], random);
  const [before, after] = [lines.slice(0, at), lines.slice(at + 1)].map((part) => part.join("\n"));
  writeFileSync(path, Buffer.concat([Buffer.from(`${before}\n`), Buffer.from(value), Buffer.from(`\n${after}\n`)]));
  return { name: `a sample: ${name}`, args: ["data", "check", set] };
}

/** Every key of a configuration with a value that is right, so that each can be made wrong. */
const FULL = {
  ...{ dataset: "data", source: "conv_pw_6", batchSize: 4, seed: 3, accumulate: 1 },
  trunk: { name: "mobilenet-v1", alpha: 0.25, inputSize: 32, weights: "random" },
  heads: { square: { tap: "conv_pw_6", threshold: 0.5, weight: 1 }, class: { dropout: 0.1 } },
  stages: [{ train: "all", epochs: 1, learningRate: 0.001, batchNorm: "batch", movingAverage: 0.9 }],
};

/** A number that is right but takes hours is no malformed input. */
const LONG = /"(epochs|accumulate|inputSize|batchSize)":(\[?)(\d{3,}|1e\+?\d+|\d+(\.\d+)?e\+\d+)/;

/** Whether it would train for as long as a user's run does. */
function hasDefaultLength(text: Uint8Array | string): boolean {
  try {
    const { stages } = JSON.parse(String(text));
    return stages === undefined || (Array.isArray(stages) && stages.some((stage) => stage?.epochs === undefined));
  } catch {
    return false;
  }
}

/** A configuration, or `--set`, that is spoilt. */
export async function configCase(random: Random, { folder }: Place): Promise<AbuseCase> {
  const whole = JSON.stringify({ ...FULL, out: join(folder, "run") });
  const path = join(folder, "config.json");
  if (random.next() < 0.2) {
    writeFileSync(path, whole);
    const key = pick(random, [
      "__proto__.seed",
      "constructor.prototype.x",
      "stages.9.epochs",
      "stages.-1",
      "trunk",
      "out",
      "seed",
      "",
      "a.b.c",
      "heads.toString.weight",
    ]);
    const value = pick(random, [
      "99",
      "-1",
      "null",
      "{}",
      "[]",
      "x",
      "",
      "1e999",
      '"\\u001b[2J"',
      "[[[[",
      "file://host/x",
    ]);
    return { name: `--set ${key}=${value}`, args: ["train", path, "--set", `${key}=${value}`] };
  }
  let { name, value } = mutateJsonText(whole, random);
  while (hasDefaultLength(value)) ({ name, value } = mutateJsonText(whole, random));
  const text = typeof value === "string" ? value.replace(LONG, '"$1":$2-7') : value;
  writeFileSync(path, text);
  return { name: `config: ${name}`, args: ["train", path] };
}
