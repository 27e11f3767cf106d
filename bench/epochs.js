/**
 * Whole epochs of the trainer: how much of one over photographs of 1 megapixel is the training step, and how much
 * faster one over cached features is: `npm run build && node bench/epochs.js`, about ten minutes of a quiet machine.
 * The second part needs `--weights FOLDER`, a converted MobileNet v1 1.0 of 224 px without top. `--large FOLDER`: the
 * first part from other weights too, as of MobileNet v2 1.0. `--images 32` for a try.
 */

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { checkConfig, runTraining, selectEngine } from "aspectlens";
import sharp from "sharp";
import { random } from "../examples/support/random.js";
import { median, rounded, writeResults } from "./harness.js";

/** @typedef {import("aspectlens").NdArrays} Arrays */

const [WIDTH, HEIGHT] = [1152, 864];
const EPOCHS = 4;
const ALONE = { warmUps: 3, runs: 15 };

const { values } = parseArgs({
  options: { images: { type: "string", default: "256" }, weights: { type: "string" }, large: { type: "string" } },
});
const count = Number(values.images);
const folder = await mkdtemp(join(tmpdir(), "aspectlens-bench-"));
await drawDataset(join(folder, "masks"), ["segmentation", "boxes", "presence"]);
await drawDataset(join(folder, "presence"), ["presence"]);
const rows = [];

const size = `${WIDTH} x ${HEIGHT} JPEG`;
const { large } = values;
const trunks = [
  { name: "default trunk", trunk: {}, stages: ["heads", "conv_dw_6"] },
  ...(large ? [{ name: basename(large), trunk: { weights: large }, stages: ["block_3_expand"] }] : []),
];
for (const [data, heads] of /** @type {const} */ ([
  ["presence", "classifier, presence"],
  ["masks", "classifier, segmentation, boxes, presence"],
])) {
  for (const { name, trunk, train } of trunks.flatMap((one) => one.stages.map((train) => ({ ...one, train })))) {
    const stages = [{ train, epochs: EPOCHS }];
    const { laterMs, stepMs, busy, batchCount } = await epochs({ dataset: data, trunk, stages });
    const share = rounded((stepMs * batchCount) / laterMs);
    const work = `later epochs of stage ${train}, ${count} images of ${size}, ${heads}, ${name}`;
    console.log(
      `${work}: the step alone ${Math.round(100 * share)} % of the time, under way ${Math.round(100 * busy)} %`,
    );
    rows.push({ work, ours: { laterMs, stepMs, batchCount, share, busy }, peer: null, ratio: null });
  }
}
if (values.weights) {
  // Heads on the last layer: nothing of the trunk learns.
  const common = { source: "conv_pw_13", trunk: { weights: values.weights } };
  const stage = (/** @type {boolean} */ cache) => [{ train: "heads", epochs: EPOCHS, cache }];
  const run = (/** @type {boolean} */ cache) => epochs({ ...common, dataset: "presence", stages: stage(cache) });
  const [cached, images] = [await run(true), await run(false)];
  const faster = rounded(images.laterMs / cached.laterMs);
  const work = `epoch of a frozen trunk, mobilenet-v1 1.0 @224, ${count} images, classifier and presence`;
  console.log(`${work}: ${faster} times faster from cached features`);
  rows.push({
    work,
    ours: { cachedMs: cached.laterMs, imagesMs: images.laterMs, faster },
    peer: null,
    ratio: null,
  });
}
await rm(folder, { recursive: true });
await writeResults("epochs", rows);

/**
 * Trains one stage; afterwards its very step runs alone, on the last batch.
 *
 * @param {{ dataset: string } & Record<string, unknown>} config
 * @returns median of the epochs after the first, of a step alone, and the share of those epochs in which a step was
 *   under way or handed over.
 */
async function epochs({ dataset, ...config }) {
  const out = join(folder, "run");
  await rm(out, { recursive: true, force: true });
  const engine = await selectEngine({ engine: "onnx" });
  let [underWay, began, busyMs, stepMs, batches] = [0, 0, 0, 0, 0];
  /** @type {{ ms: number, busyMs: number }[]} */
  const measured = [];
  /** @type {typeof engine} */
  const watched = {
    ...engine,
    compile: async (compute, options) => {
      const compiled = await engine.compile(compute, options);
      if (options.name !== "training step") return compiled;
      /** @type {Arrays | undefined} */
      let last;
      return {
        run: async (inputs, how) => {
          last ??= structuredClone(inputs);
          batches++;
          if (underWay++ === 0) began = performance.now();
          try {
            return await compiled.run(inputs, how);
          } finally {
            if (--underWay === 0) busyMs += performance.now() - began;
          }
        },
        dispose: async () => {
          if (last) stepMs = await alone(compiled, last);
          last = undefined;
          await compiled.dispose();
        },
      };
    },
  };
  const controller = new AbortController();
  const raw = checkConfig({ dataset: join(folder, dataset), out, ...config }, "bench");
  let batchCount = 0;
  await runTraining(raw, {
    engine: watched,
    signal: controller.signal,
    onEpoch: ({ seconds }) => {
      measured.push({ ms: 1000 * seconds, busyMs });
      batchCount = batches;
      [busyMs, batches] = [0, 0];
    },
    onPhase: () => controller.abort(), // what follows the training is not measured
  }).catch((error) => {
    if (!controller.signal.aborted) throw error;
  });
  await engine.dispose();
  const later = measured.slice(1);
  const busy = rounded(median(later.map((epoch) => epoch.busyMs / epoch.ms)));
  return { laterMs: rounded(median(later.map(({ ms }) => ms))), stepMs: rounded(stepMs), busy, batchCount };
}

/** @param {import("aspectlens").Compiled} step @param {Arrays} inputs */
async function alone(step, inputs) {
  for (let run = 0; run < ALONE.warmUps; run++) await step.run(inputs);
  const times = [];
  for (let run = 0; run < ALONE.runs; run++) {
    const start = performance.now();
    await step.run(inputs);
    times.push(performance.now() - start);
  }
  return median(times);
}

/**
 * Smooth shapes and some texture, about 250 kB an image; a square is what is marked.
 *
 * @param {string} data
 * @param {readonly ("segmentation" | "boxes" | "presence")[]} kinds
 */
async function drawDataset(data, kinds) {
  for (const name of ["images", "masks"]) await mkdir(join(data, name), { recursive: true });
  const aspects = kinds.map((kind) => ({ name: kind, kind }));
  const manifest = { format: "aspectlens-dataset/1", name: "squares", classes: ["a", "b"], aspects };
  await writeFile(join(data, "dataset.json"), JSON.stringify(manifest));
  const stream = random("bench", "epochs");
  const noise = async (/** @type {number} */ cells) => {
    const small = Uint8Array.from({ length: 12 * cells * cells }, () => stream.integer(256));
    const image = sharp(small, { raw: { width: 2 * cells, height: 2 * cells, channels: 3 } });
    return image.resize(WIDTH, HEIGHT, { fit: "fill" }).raw().toBuffer();
  };
  const [shapes, texture] = [await noise(16), await noise(120)];
  const lines = [];
  for (let index = 0; index < count + 32; index++) {
    const share = stream.uniform(0.1, 0.3);
    const pixels = Buffer.from(shapes.map((value, at) => (1 - share) * value + share * texture[at]));
    const [side, top, left] = [160, stream.integer(HEIGHT - 160), stream.integer(WIDTH - 160)];
    const mask = Buffer.alloc(WIDTH * HEIGHT);
    for (let y = top; y < top + side; y++) mask.fill(1, y * WIDTH + left, y * WIDTH + left + side);
    const raw = (/** @type {Buffer} */ bytes, /** @type {1 | 3} */ channels) =>
      sharp(bytes, { raw: { width: WIDTH, height: HEIGHT, channels } });
    await raw(pixels, 3)
      .jpeg({ quality: 90 })
      .toFile(join(data, "images", `${index}.jpg`));
    if (kinds.includes("segmentation"))
      await raw(mask, 1)
        .png()
        .toFile(join(data, "masks", `${index}.png`));
    const box = [top / HEIGHT, left / WIDTH, (top + side) / HEIGHT, (left + side) / WIDTH];
    const known = {
      segmentation: { mask: `masks/${index}.png` },
      boxes: { boxes: [box] },
      presence: { present: index % 3 === 0 },
    };
    lines.push({
      image: `images/${index}.jpg`,
      split: index < count ? "train" : "validation",
      label: index % 2 === 0 ? "a" : "b",
      aspects: Object.fromEntries(kinds.map((kind) => [kind, known[kind]])),
    });
  }
  await writeFile(join(data, "samples.jsonl"), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
}
