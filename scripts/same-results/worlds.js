/** The three models that are trained: each task, kind of aspect and family of trunks once, small enough for seconds. */

import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * A line of the tissue set, as far as it is read here.
 * @typedef {{ label: string, causes: string[], aspects: Record<string, { boxes: number[][] }> }} Sample
 */

const isSeen = (/** @type {Sample} */ { aspects }, /** @type {string} */ name) => aspects[name].boxes.length > 0;

const WORLDS = {
  single: {
    manifest: { task: "single", classes: ["benign", "malignant"], causes: { malignant: ["mitosis", "necrosis"] } },
    aspects: ["nucleus", "necrosis", "vessel", "scanner-tag"],
    answer: (/** @type {Sample} */ { label }) => ({ label }),
    config: {
      ...{ trunk: { name: "mobilenet-v1", alpha: 0.25, inputSize: 64 }, source: "conv_pw_5" },
      stages: [{ train: "all", epochs: 14, learningRate: 0.001, batchNorm: "frozen" }],
    },
  },
  multi: {
    manifest: {
      ...{ task: "multi", classes: ["dividing", "dying", "immune"] },
      causes: { dividing: ["mitosis"], immune: ["lymphocyte"] },
    },
    aspects: ["mitosis", "lymphocyte", "cellularity"],
    answer: (/** @type {Sample} */ sample) => {
      const labels = { dividing: "mitosis", dying: "necrosis", immune: "lymphocyte" };
      return { labels: Object.entries(labels).flatMap(([label, name]) => (isSeen(sample, name) ? [label] : [])) };
    },
    config: {
      ...{ trunk: { name: "mobilenet-v2", alpha: 0.35, inputSize: 64 }, source: "block_6_expand" },
      stages: { 0: { epochs: 10, learningRate: 0.01 }, 1: { epochs: 6, learningRate: 0.002 } },
    },
  },
  regression: {
    manifest: { task: "regression" },
    aspects: ["nucleus", "vessel", "cellularity"],
    answer: (/** @type {Sample} */ { aspects }) => ({ value: aspects.nucleus.boxes.length }),
    config: {
      ...{ trunk: { name: "vgg16", alpha: 0.1, inputSize: 64, weights: "random" }, source: "block3_conv3" },
      stages: [{ train: "all", epochs: 12, learningRate: 0.001 }],
    },
  },
};

/** Names of the models, of their datasets and configurations. */
export const MODELS = Object.keys(WORLDS);

/**
 * Makes each model's dataset out of `folder/tissue`, and its configuration beside it; and inputs that are wrong.
 *
 * @param {string} folder
 */
export function makeWorlds(folder) {
  const at = (/** @type {string[]} */ ...names) => join(folder, ...names);
  const tissue = JSON.parse(readFileSync(at("tissue", "dataset.json"), "utf8"));
  const lines = readFileSync(at("tissue", "samples.jsonl"), "utf8").trim().split("\n");
  for (const [name, { manifest, aspects, answer, config }] of Object.entries(WORLDS)) {
    cpSync(at("tissue"), at(name), { recursive: true });
    const { format, samples } = tissue;
    const kinds = aspects.map((aspect) =>
      tissue.aspects.find((/** @type {{ name: string }} */ a) => a.name === aspect),
    );
    const causes = "causes" in manifest ? pick(manifest.causes, kinds) : {};
    writeJson(at(name, "dataset.json"), { format, name, samples, ...manifest, ...causes, aspects: kinds });
    const records = lines.map((line) => {
      const sample = JSON.parse(line);
      const answers = aspects.map((aspect) => [aspect, sample.aspects[aspect]]);
      const { image, split } = sample;
      return JSON.stringify({ image, split, ...answer(sample), aspects: Object.fromEntries(answers) });
    });
    writeFileSync(at(name, "samples.jsonl"), `${records.join("\n")}\n`);
    writeJson(at(`${name}.json`), { dataset: name, out: `runs/${name}`, batchSize: 8, ...config });
  }
  makeWrongInputs(at);
}

/** Causes that are aspects of the set. @param {Record<string, string[]>} causes @param {{ name: string }[]} kinds */
function pick(causes, kinds) {
  const known = Object.entries(causes).map(([name, aspects]) => [
    name,
    aspects.filter((aspect) => kinds.some((kind) => kind.name === aspect)),
  ]);
  return { causes: Object.fromEntries(known) };
}

/** @param {(...names: string[]) => string} at */
function makeWrongInputs(at) {
  writeFileSync(at("not.json"), "{ not json");
  writeFileSync(at("not.png"), "not a picture");
  writeFileSync(at("foreign.aspect"), "not a bundle");
  writeJson(at("unknown-key.json"), { dataset: "single", out: "runs/x", batchsize: 8 });
  cpSync(at("single"), at("broken"), { recursive: true });
  const samples = readFileSync(at("single", "samples.jsonl"), "utf8");
  writeFileSync(at("broken", "samples.jsonl"), samples.replace('"benign"', '"begnin"').replace("0009.png", "gone.png"));
  writeJson(at("more.json"), { dataset: "more", out: "runs/more", batchSize: 8 });
  cpSync(at("single"), at("more"), { recursive: true });
  const manifest = JSON.parse(readFileSync(at("more", "dataset.json"), "utf8"));
  const tissue = JSON.parse(readFileSync(at("tissue", "dataset.json"), "utf8"));
  const mitosis = tissue.aspects.find((/** @type {{ name: string }} */ { name }) => name === "mitosis");
  writeJson(at("more", "dataset.json"), { ...manifest, aspects: [...manifest.aspects, mitosis] });
  const lines = readFileSync(at("tissue", "samples.jsonl"), "utf8").trim().split("\n");
  const own = samples
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const more = own.map((sample, index) => {
    sample.aspects.mitosis = JSON.parse(lines[index]).aspects.mitosis;
    return JSON.stringify(sample);
  });
  writeFileSync(at("more", "samples.jsonl"), `${more.join("\n")}\n`);
}

/** @param {string} path @param {unknown} value */
function writeJson(path, value) {
  writeFileSync(path, JSON.stringify(value, null, 2));
}
