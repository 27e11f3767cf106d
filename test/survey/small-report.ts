/** A small set of images, and an explainer that says of each what its name tells: "3-ab-malignant" relies on a and b. */

import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import sharp from "sharp";
import type { ExplainedImage, Explainer, Outcome } from "../../src/bundle/explainer.js";
import { ImageError } from "../../src/core/errors.js";
import type { AspectExplanation, HeadlineCase } from "../../src/explain/explanation.js";
import { makePlan, type PlannedBundle, type ReportPlan } from "../../src/survey/plan.js";
import { imageSet } from "../../src/survey/planned-images.js";
import { runShard } from "../../src/survey/run-shard.js";
import { openShardWriter } from "../../src/survey/shard-writer.js";
import { missingShards } from "../../src/survey/tables.js";

export const BUNDLE: PlannedBundle = {
  ...{ name: "stub", sha256: "ab".repeat(32), task: "single", classes: ["benign", "malignant"], scale: "probability" },
  aspects: [
    { name: "a", kind: "presence" },
    { name: "b", kind: "boxes" },
    { name: "c", kind: "segmentation" },
  ],
};

/** Capital letters are present, small ones relevant too. */
function aspectOf(name: string, said: string): AspectExplanation {
  const isRelevant = said.includes(name);
  const isPresent = isRelevant || said.includes(name.toUpperCase());
  const share = isRelevant ? 0.6 / said.replace(/[^abc]/g, "").length : 0;
  const instance = { box: [0.25, 0.25, 0.75, 0.75], presence: 0.9, score: 0.4, survival: 0.5 } as const;
  return {
    ...{ name, kind: "boxes", presence: isPresent ? 0.9 : 0.1, score: isPresent ? share : null },
    ...{ survival: isPresent ? 1 / 3 : null, relevance: isPresent ? (isRelevant ? 0.8 : 0.2) : null },
    ...{ relevanceInterval: null, isPresent, isRelevant, share, elsewhere: 0 },
    ...{ strength: isRelevant ? "some" : null, against: isPresent ? 0 : null },
    instances: isPresent ? [instance] : [],
  };
}

function explainedOf(path: string): ExplainedImage {
  const [, said, answer] = basename(path, ".png").split("-");
  const aspects = ["a", "b", "c"].map((name) => aspectOf(name, said));
  const isNamed = aspects.some(({ isRelevant }) => isRelevant);
  const found: HeadlineCase = isNamed ? "named" : said === "x" ? "nothing-seen" : "elsewhere";
  return {
    ...{ width: 8, height: 8 },
    explanation: {
      ...{ format: "aspectlens-explanation/2", image: path, targetAspect: null, saliency: "evidence" },
      ...{ masking: "multiply", scale: { kind: "probability", line: 0.1, slope: 2, by: "causes" } },
      prediction: { class: answer, score: 0.9, scores: { [answer]: 0.9 } },
      target: { kind: "log-odds", class: answer },
      headline: { case: found, text: `${answer} 90 %` },
      ...{ aspects, elsewhere: isNamed ? 0.4 : 1, outside: 0.2, against: 0.1, absenceOf: [] },
    },
    maps: {
      size: 0,
      regions: {},
      survival: {},
      saliency: { height: 0, width: 0, values: new Float32Array(), offset: 0 },
    },
  };
}

/** Cannot read what is called bad. */
export const stub: Pick<Explainer, "explainAll"> = {
  async *explainAll(images): AsyncGenerator<Outcome> {
    for await (const image of images) {
      const path = image as string;
      if (path.includes("bad")) yield { image, error: new ImageError(`${path}: cannot be decoded.`) };
      else yield { image, explained: explainedOf(path) };
    }
  },
};

/** A folder of images with these names. */
export async function imagesCalled(names: readonly string[]): Promise<string> {
  const folder = join(mkdtempSync(join(tmpdir(), "aspectlens-report-")), "photos");
  mkdirSync(folder);
  const png = await sharp({ create: { width: 8, height: 8, channels: 3, background: "#c33" } })
    .png()
    .toBuffer();
  // Bytes behind the end of a PNG are no part of the picture, but make each file another one.
  names.forEach((name) => {
    writeFileSync(join(folder, `${name}.png`), Buffer.concat([png, Buffer.from(name)]));
  });
  return folder;
}

/** Plans a report of the images in a folder, and does its shards. */
export async function surveyed(
  folder: string,
  out: string,
  {
    shardSize = 4,
    bundle = BUNDLE,
    onImage,
    signal,
  }: {
    shardSize?: number;
    bundle?: PlannedBundle;
    onImage?: () => void;
    signal?: AbortSignal;
  } = {},
): Promise<ReportPlan> {
  const plan = await makePlan(out, { bundle, set: await imageSet(folder), shardSize });
  const writer = await openShardWriter();
  try {
    const checkBundle = async () => {};
    for (const number of await missingShards(out, plan))
      await runShard(out, plan, number, { explainer: stub, writer, checkBundle, onImage, signal });
  } finally {
    writer.close();
  }
  return plan;
}
