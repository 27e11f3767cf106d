/**
 * Time of one explanation, compared with PyTorch doing exactly the same, and with our prediction:
 * `npm run build && node bench/explain.js`.
 */

import {
  explainConstants,
  explainedTaps,
  explainFunction,
  MissingEngineError,
  ndArray,
  predict,
  selectEngine,
} from "aspectlens";
import { byTurns, compare, median, rounded, writeResults } from "./harness.js";
import { freshParameters, networkOf, normal, pixels } from "./models.js";
import { openPeer } from "./peer.js";

const classes = 1000;
const sizes = [
  { alpha: 1, inputSize: 224 },
  { alpha: 0.25, inputSize: 128 },
];
const MASKS = 2;
/** Heads in the model that shows what a further one costs. */
const MANY = 8;
const iterations = 20;

/** @typedef {import("aspectlens").Engine} Engine */

const rows = [];
for (const choice of /** @type {const} */ (["onnx", "tfjs"])) {
  const engine = await selectEngine({ engine: choice }).catch((/** @type {unknown} */ error) => {
    if (!(error instanceof MissingEngineError)) throw error;
    console.log(`skipped: ${error.message}`);
  });
  if (!engine) continue;
  for (const size of sizes) {
    const name = `mobilenet-v1 ${size.alpha} @${size.inputSize}`;
    const explain = await prepareExplain(engine, { ...size, masks: MASKS });
    const peer = await openPeer("explain.py", { ...size, classes, masks: MASKS });
    const work = `explain one image, ${name}, two segmentation heads: unmasked, masked, reference and evidence`;
    const row = await compare(work, { engine: choice, run: explain.run, peer, iterations });
    peer?.close();
    rows.push(row);
    if (choice === "tfjs") {
      await explain.dispose();
      continue;
    }
    const prediction = await preparePredict(engine, { ...size, masks: MASKS });
    const many = await prepareExplain(engine, { ...size, masks: MANY });
    const both = async () => {
      await explain.run();
      await many.run();
    };
    const runs = { explain: explain.run, predict: prediction.run, many: many.run, both };
    const rounds = await byTurns(runs, { iterations });
    for (const one of [prediction, many, explain]) await one.dispose();
    const of = (/** @type {(times: Record<keyof typeof runs, number>) => number} */ number) =>
      rounded(median(rounds.map(number)));
    const ours = {
      explainMs: of((times) => times.explain),
      predictMs: of((times) => times.predict),
      manyMs: of((times) => times.many),
      timesPredict: of((times) => times.explain / times.predict),
      furtherHeadPercent: of((times) => (100 * (times.many - times.explain)) / (MANY - MASKS) / times.explain),
      byTurnsShare: of((times) => times.both / (times.explain + times.many)),
    };
    rows.push({
      work: `explain beside predict, with ${MANY} heads, and two models by turns, ${name}`,
      ours,
      peer: null,
      ratio: null,
    });
    console.log(
      `${name}: explain ${ours.explainMs} ms is ${ours.timesPredict} x predict; a further head costs ` +
        `${ours.furtherHeadPercent} %; two models by turns take ${ours.byTurnsShare} x their sum`,
    );
  }
  await engine.dispose();
}
await writeResults("explain", rows);

/**
 * @param {Engine} engine
 * @param {{ alpha: number, inputSize: number, masks: number }} size
 */
async function prepareExplain(engine, { alpha, inputSize, masks }) {
  const model = networkOf({ alpha, inputSize, classes, masks });
  const references = explainedTaps(model).map((tap) => {
    const channels = model.trunk.taps.find(({ name }) => name === tap)?.channels ?? 0;
    const { shape, data } = normal([classes + 1, channels], tap);
    return [tap, { shape, data: data.map(Math.abs) }];
  });
  const shapes = { image: [1, inputSize, inputSize, 3], target: [1, classes] };
  const compiled = await engine.compile(explainFunction(model), {
    name: "explain",
    inputs: shapes,
    constants: explainConstants({
      parameters: freshParameters(model, { isFolded: true }),
      references: Object.fromEntries(references),
    }),
  });
  const inputs = { image: pixels(shapes.image), target: ndArray(shapes.target) };
  return { run: () => compiled.run(inputs), dispose: () => compiled.dispose() };
}

/**
 * @param {Engine} engine
 * @param {{ alpha: number, inputSize: number, masks: number }} size
 */
async function preparePredict(engine, { alpha, inputSize, masks }) {
  const model = networkOf({ alpha, inputSize, classes, masks });
  const shapes = { image: [1, inputSize, inputSize, 3] };
  /** @type {import("aspectlens").TensorFunction} */
  const predictOne = ({ inputs, constants }) => {
    const image = /** @type {import("@tensorflow/tfjs").Tensor4D} */ (inputs.image);
    return { outputs: predict(model, constants, { input: image }) };
  };
  const compiled = await engine.compile(predictOne, {
    name: "predict",
    inputs: shapes,
    constants: freshParameters(model, { isFolded: true }),
  });
  const inputs = { image: pixels(shapes.image) };
  return { run: () => compiled.run(inputs), dispose: () => compiled.dispose() };
}
