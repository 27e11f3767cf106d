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
const ROUNDS = 5;
const ENCODINGS = 40;
/** At which an untrained model sees both aspects, in many places. */
const THRESHOLD = 0.12;
const [ALPHA, INPUT_SIZE] = [0.25, 128];

const folder = await mkdtemp(join(tmpdir(), "aspectlens-bench-"));
const images = join(folder, "images");
const out = join(folder, "out");
const bundle = join(folder, "model.aspect");
const files = await writeFolderImages(images, IMAGES);
await writeFreshBundle(bundle, { alpha: ALPHA, inputSize: INPUT_SIZE, masks: 2, threshold: THRESHOLD });

/** @type {{ graph: number[], pictures: number[], numbers: number[] }} */
const ms = { graph: [], pictures: [], numbers: [] };
let overlayBytes = 0;
for (let round = 0; round < ROUNDS; round++) {
  ms.graph.push(await graphMs());
  ms.numbers.push(await commandMs(["--no-pictures"]));
  ms.pictures.push(await commandMs([]));
  overlayBytes = await meanBytes(".overlay.jpg");
}
const [graph, pictures, numbers] = [ms.graph, ms.pictures, ms.numbers].map((times) => rounded(median(times)));
const ratio = rounded(median(ms.pictures.map((time, round) => time / ms.numbers[round])));
const perSecond = Math.round(1000 / pictures);
const work =
  `explain ${IMAGES} JPEGs of ${WIDTH} x ${HEIGHT} with overlay, two masks of each of two aspects and JSON, ` +
  `the whole command, mobilenet-v1 ${ALPHA} @${INPUT_SIZE}`;
console.log(
  `${work}: ${pictures} ms an image (${perSecond} a second), without pictures ${numbers} (ratio ${ratio}), ` +
    `the graph alone ${graph}; overlays of ${overlayBytes} bytes`,
);
/** @type {import("./harness.js").Row[]} */
const rows = [
  {
    work,
    ours: { ms: pictures, imagesPerSecond: perSecond, graphMs: graph, overlayBytes },
    peer: { name: "the same with --no-pictures", ms: numbers },
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

/** @returns {Promise<number>} milliseconds an image, of the graph in one session. */
async function graphMs() {
  const runtime = openRuntime();
  const session = await runtime.createSession(await readGraph(await readBundle(bundle), "explain"), {
    name: "explain",
  });
  const target = session.inputs.find(({ name }) => name === "target")?.shape ?? [1, 1];
  const inputs = { image: pixels([1, INPUT_SIZE, INPUT_SIZE, 3]), target: ndArray(target) };
  const { ms } = await measure(() => session.run(inputs), 200, 20);
  await runtime.dispose();
  return ms;
}

/** @param {string[]} options @returns {Promise<number>} milliseconds an image, of a process of its own. */
async function commandMs(options) {
  await rm(out, { recursive: true, force: true });
  const main = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
  const begun = performance.now();
  const { status, stderr } = spawnSync(process.execPath, [main, "explain", bundle, images, "--out", out, ...options]);
  if (status !== 0) throw new Error(`explain ended with ${status}: ${stderr}`);
  return (performance.now() - begun) / IMAGES;
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
