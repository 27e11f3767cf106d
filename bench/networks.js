/**
 * Networks of torchvision as they are read from ONNX: `npm run build && node bench/networks.js FOLDER [NAME...]
 * [--no-times]`. PyTorch exports them to FOLDER (random weights; a gigabyte in all). Of each, in this order:
 *
 * - logits beside ONNX Runtime's on the file, and beside PyTorch's;
 * - the gradient of one logit at the default source layer beside PyTorch's autograd: the module whose output are our
 *   features is found by its numbers;
 * - classifying beside ONNX Runtime on the file, explaining with two segmentation heads beside predicting with them, and
 *   beside PyTorch doing exactly the same, by turns.
 *
 * Adds to `bench/results/networks.json`, and writes the table, `networks.md`.
 */

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import * as tf from "@tensorflow/tfjs";
import {
  createModel,
  explainConstants,
  explainedTaps,
  explainFunction,
  initialize,
  ndArray,
  predict,
  readNetwork,
  SCALINGS,
  selectEngine,
} from "aspectlens";
import { byTurns, median, rounded } from "./harness.js";
import { defaultThreads, InferenceSession, importedTable, sideOf, Tensor } from "./internals.js";
import { normal } from "./models.js";
import { findPython, openPeer } from "./peer.js";

/** @import { ModelSpec, NdArrays } from "aspectlens" */
/**
 * @typedef {object} Row
 * @property {string} name
 * @property {number} megaParameters
 * @property {number} rows
 * @property {string} source
 * @property {number} stride
 * @property {number} fromRuntime relative L2 of the logits
 * @property {number} fromPyTorch
 * @property {number | null} gradient relative L2
 * @property {string | null} module of PyTorch, where the gradient was compared
 * @property {number} [classifyMs]
 * @property {number} [runtimeMs]
 * @property {number} [classifyRatio]
 * @property {number} [predictMs] with two segmentation heads
 * @property {number} [explainMs]
 * @property {number} [explainRatio]
 * @property {number} [pyTorchMs] of an explanation
 * @property {number} [pyTorchRatio] ours over it
 */

const NAMES = [
  ...["alexnet", "vgg16_bn", "resnet18", "resnet50", "resnext50_32x4d", "densenet121", "googlenet", "inception_v3"],
  ...["squeezenet1_1", "mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large", "mnasnet1_0", "shufflenet_v2_x1_0"],
  ...["regnet_y_400mf", "efficientnet_b0", "efficientnet_v2_s", "convnext_tiny"],
];
const RESULTS = new URL("results/networks.json", import.meta.url);
/** Of the logit whose gradient is compared. */
const CLASS = 7;
const ITERATIONS = 5;

const { values, positionals } = parseArgs({ allowPositionals: true, options: { "no-times": { type: "boolean" } } });
const [folder, ...wanted] = positionals;
if (!folder) throw new Error("usage: networks.js FOLDER [NAME...]");
const python = await findPython();
if (python) {
  const script = fileURLToPath(new URL("peer/export_networks.py", import.meta.url));
  execFileSync(python, [script, folder, ...(wanted.length > 0 ? wanted : NAMES)], { stdio: "inherit" });
}
/** @type {{ format: string, rows: Row[] }} */
const results = existsSync(RESULTS)
  ? JSON.parse(readFileSync(RESULTS, "utf8"))
  : { format: "aspectlens-bench/1", rows: [] };
for (const name of wanted.length > 0 ? wanted : NAMES) {
  if (!existsSync(join(folder, `${name}.onnx`))) {
    console.log(`skipped: ${name}.onnx is absent, and there is no PyTorch to export it`);
    continue;
  }
  const row = await measured(name);
  const former = results.rows.find((one) => one.name === name);
  results.rows = [...results.rows.filter((one) => one !== former), { ...former, ...row }];
  results.rows.sort((a, b) => NAMES.indexOf(a.name) - NAMES.indexOf(b.name));
  await writeFile(RESULTS, `${JSON.stringify(results, null, 2)}\n`);
  await writeFile(new URL("results/networks.md", import.meta.url), page(results.rows));
  console.log(JSON.stringify(row));
}

/** @param {string} file */
function floats(file) {
  const bytes = readFileSync(join(folder, file));
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

/** @param {string} name @returns {Promise<Row>} */
async function measured(name) {
  const path = join(folder, `${name}.onnx`);
  const network = await readNetwork(path);
  const { table, classCount } = importedTable(network, { path, scaling: SCALINGS.imagenet });
  const size = network.size[0];
  const heads = ["one", "two"].map((aspect) => ({
    ...{ name: aspect, kind: /** @type {const} */ ("segmentation"), taps: [table.source], threshold: 0.5 },
  }));
  /** @type {ModelSpec} */
  const spec = {
    trunk: { name, alpha: 1, inputSize: size, network: table },
    source: table.source,
    heads: [
      {
        ...{ name: "class", kind: "classifier", isImported: true, taps: [table.output], task: "single" },
        classes: Array.from({ length: classCount }, (_, index) => `class ${index}`),
      },
      ...heads,
    ],
  };
  const model = createModel(spec);
  const parameters = { ...network.parameters, ...initialize(model.headParameters, { seed: 1 }) };
  const tap = model.trunk.taps.find((one) => one.name === table.source);
  if (!tap) throw new Error(`${name}: no layer ${table.source}`);
  const [pixels, logits] = [floats(`${name}.pixels.bin`), floats(`${name}.logits.bin`)];
  const image = unscaled(pixels, size);
  const engine = await selectEngine();
  const session = await InferenceSession.create(path, { intraOpNumThreads: defaultThreads(), logSeverityLevel: 3 });
  const feeds = { [session.inputNames[0]]: new Tensor("float32", pixels, [1, 3, size, size]) };
  const runOriginal = () => session.run(feeds);
  try {
    const shapes = { image: [1, size, size, 3] };
    const given = { image: ndArray(shapes.image, image) };
    // The classifier alone, as the file has it.
    const classifier = await engine.compile(
      ({ inputs, constants }) => {
        const input = /** @type {tf.Tensor4D} */ (inputs.image);
        const features = Object.values(model.trunk.run(constants, { input }, model.classifier.spec.taps));
        return { outputs: { class: model.classifier.forward(constants, features) } };
      },
      { name: "classify", inputs: shapes, constants: network.parameters },
    );
    const own = (await classifier.run(given)).class.data;
    const original = /** @type {Float32Array} */ ((await runOriginal())[session.outputNames[0]].data);
    const { gradient, module } = await gradientBeside(name, { model, parameters, given, tap, engine });
    /** @type {Row} */
    const row = {
      name,
      megaParameters: rounded(count(network.parameters) / 1e6),
      rows: table.operations.length,
      ...{ source: table.source, stride: tap.stride },
      ...{ fromRuntime: relative(own, original), fromPyTorch: relative(own, logits), gradient, module },
    };
    if (values["no-times"]) return row;
    const predictor = await engine.compile(
      ({ inputs, constants }) => ({
        outputs: predict(model, constants, { input: /** @type {tf.Tensor4D} */ (inputs.image) }),
      }),
      { name: "predict", inputs: shapes, constants: parameters },
    );
    const references = explainedTaps(model).map((layer) => {
      const channels = model.trunk.taps.find((one) => one.name === layer)?.channels ?? 0;
      const { shape, data } = normal([classCount + 1, channels], layer);
      return [layer, { shape, data: data.map(Math.abs) }];
    });
    const target = [1, classCount];
    const explainer = await engine.compile(explainFunction(model), {
      name: "explain",
      inputs: { ...shapes, target },
      constants: explainConstants({ parameters, references: Object.fromEntries(references) }),
    });
    const runs = {
      classify: () => classifier.run(given),
      predict: () => predictor.run(given),
      original: runOriginal,
      explain: () => explainer.run({ ...given, target: ndArray(target) }),
    };
    const options = { name, folder, classes: classCount, channels: tap.channels, grid: sideOf(tap.size), masks: 2 };
    const peer = await openPeer("network_explain.py", options).catch((error) => {
      console.log(`${name}: not compared with PyTorch: ${error instanceof Error ? error.message : error}`);
      return null;
    });
    const rounds = await byTurns(runs, { iterations: ITERATIONS, ...(peer && { peers: { pyTorch: peer } }) });
    peer?.close();
    const of = (/** @type {(times: (typeof rounds)[number]) => number} */ number) =>
      rounded(median(rounds.map(number)));
    return {
      ...row,
      classifyMs: of((times) => times.classify),
      runtimeMs: of((times) => times.original),
      classifyRatio: of((times) => times.classify / times.original),
      predictMs: of((times) => times.predict),
      explainMs: of((times) => times.explain),
      explainRatio: of((times) => times.explain / times.predict),
      ...(peer && {
        pyTorchMs: of((times) => times.pyTorch),
        pyTorchRatio: of((times) => times.explain / times.pyTorch),
      }),
    };
  } finally {
    await session.release();
    await engine.dispose();
  }
}

/**
 * @param {string} name
 * @param {{ model: import("aspectlens").Model, parameters: NdArrays, given: NdArrays, tap: import("aspectlens").Tap, engine: import("aspectlens").Engine }} options
 */
async function gradientBeside(name, { model, parameters, given, tap, engine }) {
  const none = { gradient: null, module: null };
  if (!python) return none;
  const layer = tap.name;
  const compiled = await engine.compile(
    ({ inputs, constants }) => {
      const input = /** @type {tf.Tensor4D} */ (inputs.image);
      const { [layer]: features } = model.trunk.run(constants, { input }, [layer]);
      const slope = tf.grad((at) => {
        const read = model.trunk.run(
          constants,
          { [layer]: /** @type {tf.Tensor4D} */ (at) },
          model.classifier.spec.taps,
        );
        const answer = model.classifier.forward(constants, Object.values(read));
        return tf.sum(tf.slice(answer, [0, CLASS], [-1, 1])).asScalar();
      });
      return { outputs: { features, gradient: slope(features) } };
    },
    { name: "gradient", inputs: { image: given.image.shape }, constants: parameters },
  );
  const { features, gradient } = await compiled.run(given);
  await compiled.dispose();
  const file = join(folder, `${name}.features.bin`);
  await writeFile(file, Buffer.from(channelsFirst(features.data, { ...tap, size: sideOf(tap.size) }).buffer));
  const script = fileURLToPath(new URL("peer/network_gradient.py", import.meta.url));
  const { channels } = tap;
  const size = sideOf(tap.size);
  const asked = [folder, name, ...[channels, size, CLASS].map(String)];
  const said = JSON.parse(
    execFileSync(python, [script, ...asked], { encoding: "utf8" })
      .trim()
      .split("\n")
      .at(-1) ?? "{}",
  );
  if (!said.module) return none;
  return {
    gradient: relative(channelsFirst(gradient.data, { channels, size }), floats(`${name}.gradient.bin`)),
    module: said.module,
  };
}

/** @param {ArrayLike<number>} data @param {{ size: number, channels: number }} tap */
function channelsFirst(data, { size, channels }) {
  const area = size * size;
  return Float32Array.from({ length: data.length }, (_, i) => data[(i % area) * channels + Math.floor(i / area)]);
}

/** The image that our scaling makes these pixels of, channels last. @param {Float32Array} pixels @param {number} size */
function unscaled(pixels, size) {
  const { mean, deviation } = SCALINGS.imagenet;
  const area = size * size;
  return Float32Array.from({ length: pixels.length }, (_, i) => {
    const channel = i % 3;
    return (pixels[channel * area + Math.floor(i / 3)] * deviation[channel] + mean[channel]) * 255;
  });
}

/** L2 of the difference over that of what is wanted. @param {ArrayLike<number>} got @param {ArrayLike<number>} wanted */
function relative(got, wanted) {
  let [difference, whole] = [0, 0];
  for (let i = 0; i < wanted.length; i++) {
    difference += (got[i] - wanted[i]) ** 2;
    whole += wanted[i] ** 2;
  }
  return Number(Math.sqrt(difference / whole).toPrecision(2));
}

/** @param {NdArrays} arrays */
function count(arrays) {
  return Object.values(arrays).reduce((sum, { data }) => sum + data.length, 0);
}

/** @param {readonly Row[]} rows */
function page(rows) {
  const titles = [
    ...["network", "M parameters", "rows", "source", "stride", "logits from ONNX Runtime", "from PyTorch"],
    ...["gradient from PyTorch", "classify, ms", "ONNX Runtime on the file, ms", "ratio"],
    ...["predict with two heads, ms", "explain, ms", "ratio", "PyTorch's explain, ms", "ratio"],
  ];
  const lines = rows.map((row) => [
    ...[row.name, row.megaParameters, row.rows, row.source, row.stride, row.fromRuntime, row.fromPyTorch],
    ...[row.gradient === null ? "–" : `${row.gradient} (${row.module})`],
    ...[row.classifyMs, row.runtimeMs, row.classifyRatio].map((value) => value ?? "–"),
    ...[row.predictMs, row.explainMs, row.explainRatio, row.pyTorchMs, row.pyTorchRatio].map((value) => value ?? "–"),
  ]);
  const timed = rows.filter(({ classifyRatio }) => classifyRatio !== undefined);
  const of = (/** @type {"classifyRatio" | "explainRatio" | "pyTorchRatio"} */ key) =>
    rounded(median(timed.flatMap((row) => row[key] ?? [])));
  const besidePyTorch = timed.filter(({ pyTorchRatio }) => pyTorchRatio !== undefined);
  const worst = Math.max(...timed.map(({ explainRatio = 0 }) => explainRatio));
  return [
    "# Networks of other tools",
    "",
    "Written by `node bench/networks.js FOLDER`, which says how. Networks of torchvision with random weights, exported by",
    "PyTorch; differences are relative (L2); times are medians of rounds by turns, batches of one image.",
    ...(timed.length > 0
      ? [
          `Median over the ${timed.length} networks: classify ${of("classifyRatio")} times ONNX Runtime on the file, explain with two segmentation heads`,
          `${of("explainRatio")} times predict, at worst ${worst}.`,
        ]
      : []),
    ...(besidePyTorch.length > 0
      ? [
          `Of ${besidePyTorch.length} networks PyTorch computes exactly the same, with batch normalisation folded, in the faster memory layout`,
          `and with as many threads: explain takes ${of("pyTorchRatio")} of its time (median), at most ${Math.max(...besidePyTorch.map((row) => row.pyTorchRatio ?? 0))}.`,
        ]
      : []),
    "",
    ...[titles, titles.map(() => "---"), ...lines].map((cells) => `| ${cells.join(" | ")} |`),
    "",
  ].join("\n");
}
