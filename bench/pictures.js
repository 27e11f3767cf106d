/**
 * The whole command `explain` on a folder of JPEGs, with overlays, masks and JSON and without pictures, by turns, and
 * the graph alone; then what an overlay costs in other formats: `npm run build && node bench/pictures.js [IMAGES]`.
 */

import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ndArray, openExplainer, openRuntime, readBundle, readGraph } from "aspectlens";
import sharp from "sharp";
import { HEIGHT, WIDTH, writeFolderImages } from "./folder-images.js";
import { writeFreshBundle } from "./fresh-bundle.js";
import { measure, median, rounded, writeResults } from "./harness.js";
import { paintOverlay } from "./internals.js";
import { pixels } from "./models.js";

const IMAGES = Number(process.argv[2] ?? 1000);
const ROUNDS = 3;
const ENCODINGS = 15;
/** At which an untrained model sees both aspects, in many places. */
const THRESHOLD = 0.12;
const [ALPHA, INPUT_SIZE] = [0.25, 128];

/** Tells at its end what a process took of all cores, in microseconds. */
const TELL_CPU = `process.on("exit", () => {
  const { user, system } = process.cpuUsage();
  console.error("cpu " + (user + system));
});`;

const folder = await mkdtemp(join(tmpdir(), "aspectlens-bench-"));
const images = join(folder, "images");
const out = join(folder, "out");
const bundle = join(folder, "model.aspect");
const files = await writeFolderImages(images, IMAGES);
await writeFreshBundle(bundle, { alpha: ALPHA, inputSize: INPUT_SIZE, masks: 2, threshold: THRESHOLD });

/** @type {import("./harness.js").Cost[]} */
const pictures = [];
/** @type {import("./harness.js").Cost[]} */
const numbers = [];
/** @type {import("./harness.js").Cost[]} */
const graph = [];
let overlayBytes = 0;
for (let round = 0; round < ROUNDS; round++) {
  graph.push(await graphCost());
  numbers.push(await commandCost(["--no-pictures"]));
  pictures.push(await commandCost([]));
  overlayBytes = await meanBytes(".overlay.jpg");
}
const ratio = rounded(median(pictures.map(({ ms }, round) => ms / numbers[round].ms)));
const [ours, without, alone] = [pictures, numbers, graph].map(medians);
const work =
  `explain ${IMAGES} JPEGs of ${WIDTH} x ${HEIGHT} with overlay, two masks of each of two aspects and JSON, ` +
  `the whole command, mobilenet-v1 ${ALPHA} @${INPUT_SIZE}`;
console.log(
  `${work}: ${JSON.stringify(ours)}, without pictures ${JSON.stringify(without)} (ratio ${ratio}), ` +
    `the graph alone ${JSON.stringify(alone)}; overlays of ${overlayBytes} bytes`,
);
/** @type {import("./harness.js").Row[]} */
const rows = [
  {
    work,
    ours: { ...ours, imagesPerSecond: Math.round(1000 / ours.ms), graph: alone, overlayBytes },
    peer: { name: "the same with --no-pictures", ...without },
    ratio,
  },
];

const explainer = await openExplainer(bundle);
const explained = await explainer.explain(files[0]);
await explainer.dispose();
const sheet = await paintOverlay(explained, files[0]);
const raw = { width: sheet.width, height: sheet.height, channels: /** @type {const} */ (3) };
const source = () => sharp(sheet.pixels, { raw });
/** @type {Record<string, () => import("sharp").Sharp>} */
const formats = {
  "JPEG 90, 4:4:4 (ours)": () => source().jpeg({ quality: 90, chromaSubsampling: "4:4:4", optimiseCoding: false }),
  "WebP 90, effort 0": () => source().webp({ quality: 90, effort: 0 }),
  "WebP 80, effort 0": () => source().webp({ quality: 80, effort: 0 }),
  "PNG of 256 colours": () => source().png({ palette: true, effort: 1, compressionLevel: 4 }),
  "PNG, level 6": () => source().png({ compressionLevel: 6 }),
};
for (const [name, encoder] of Object.entries(formats)) {
  const encoded = await encoder().toBuffer();
  const decoded = await sharp(encoded).removeAlpha().raw().toBuffer();
  const { cpuMs } = await measure(() => encoder().toBuffer(), ENCODINGS);
  const ours = { cpuMs: rounded(cpuMs), bytes: encoded.length, psnr: psnr(sheet.pixels, decoded) };
  console.log(`an overlay as ${name}: ${JSON.stringify(ours)}`);
  rows.push({ work: `an overlay of ${raw.width} x ${raw.height} as ${name}`, ours, peer: null, ratio: null });
}
await rm(folder, { recursive: true });
await writeResults("pictures", rows);

/** @param {readonly import("./harness.js").Cost[]} costs */
function medians(costs) {
  return { ms: rounded(median(costs.map(({ ms }) => ms))), cpuMs: rounded(median(costs.map(({ cpuMs }) => cpuMs))) };
}

/** @returns {Promise<import("./harness.js").Cost>} of an image, by the graph in one session. */
async function graphCost() {
  const runtime = openRuntime();
  const session = await runtime.createSession(await readGraph(await readBundle(bundle), "explain"), {
    name: "explain",
  });
  const target = session.inputs.find(({ name }) => name === "target")?.shape ?? [1, 1];
  const inputs = { image: pixels([1, INPUT_SIZE, INPUT_SIZE, 3]), target: ndArray(target) };
  const cost = await measure(() => session.run(inputs), 200, 20);
  await runtime.dispose();
  return cost;
}

/** @param {string[]} options @returns {Promise<import("./harness.js").Cost>} of an image, start of the process included. */
async function commandCost(options) {
  await rm(out, { recursive: true, force: true });
  const main = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
  const script = `data:text/javascript,${encodeURIComponent(TELL_CPU)}`;
  const command = ["--import", script, main, "explain", bundle, images, "--out", out, ...options];
  const begun = performance.now();
  const { status, stderr } = spawnSync(process.execPath, command, { encoding: "utf8" });
  const ms = (performance.now() - begun) / IMAGES;
  const cpu = /^cpu (\d+)$/m.exec(stderr)?.[1];
  if (status !== 0 || !cpu) throw new Error(`explain ended with ${status}: ${stderr}`);
  return { ms, cpuMs: Number(cpu) / 1000 / IMAGES };
}

/** @param {string} ending */
async function meanBytes(ending) {
  const names = (await readdir(out)).filter((name) => name.endsWith(ending));
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(out, name))).size));
  return Math.round(sizes.reduce((sum, size) => sum + size, 0) / sizes.length);
}

/** Peak signal-to-noise ratio, dB; `null` where nothing differs. @param {Uint8Array} a @param {Uint8Array} b */
function psnr(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return sum === 0 ? null : rounded(10 * Math.log10(255 ** 2 / (sum / a.length)));
}
