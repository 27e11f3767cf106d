/**
 * The picture of docs/networks.md: a classifier that PyTorch trained on drawn tissue is imported, gets aspects, and is
 * explained. Needs `../shared/data` for the weights it starts from, and a Python with PyTorch; some ten minutes.
 *
 *     npm run build && node scripts/networks-picture.js runs/networks-picture docs/networks-overlay.jpg
 *
 * Data, network and runs stay in the folder; what is there is not made again.
 */

import { execFileSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { openExplainer, renderOverlay } from "aspectlens/explainer";
import sharp from "sharp";
import { findPython } from "../bench/peer.js";
import { requireArchives, withArchives } from "../examples/support/archives.js";
import { aspectlens } from "../examples/support/command-line.js";

const TRUNK = "mobilenet_v2_0.35_224_notop_f32";
const ARCHIVE = "weights_mobilenet_tfjs";
const IMAGES = 600;
/** Answered right, with a cause and another aspect that is seen. */
const CHOSEN = 500;
const WIDTH = 1400;
const COMMANDS = [
  "aspectlens import classifier.onnx --scaling tf --classes labels.txt --out runs/classifier",
  "aspectlens train aspects.json --add-heads runs/classifier",
  "aspectlens export runs/aspects aspects.aspect",
];

const [folder, out] = process.argv.slice(2);
if (!folder || !out) throw new Error("usage: networks-picture.js FOLDER OUT.jpg");
const at = (/** @type {string} */ name) => join(folder, name);
await mkdir(folder, { recursive: true });
if (!existsSync(at("tissue/dataset.json"))) aspectlens("data", "synth", at("tissue"), "--count", String(IMAGES));
if (!existsSync(at("classifier.onnx"))) await fineTune();
writeFileSync(at("labels.txt"), "benign\nmalignant\n");
if (!existsSync(at("classifier/best/model.json")))
  aspectlens(
    "import",
    at("classifier.onnx"),
    "--scaling",
    "tf",
    "--classes",
    at("labels.txt"),
    "--out",
    at("classifier"),
  );
if (!existsSync(at("aspects/best/model.json"))) {
  writeFileSync(at("aspects.json"), JSON.stringify({ dataset: resolve(at("tissue")), out: resolve(at("aspects")) }));
  aspectlens("train", at("aspects.json"), "--add-heads", at("classifier"));
}
aspectlens("export", at("aspects"), at("aspects.aspect"));

const explainer = await openExplainer(at("aspects.aspect"));
const file = await chosenImage();
const overlay = await sharp(await renderOverlay(await explainer.explain(file), file))
  .resize({ width: WIDTH })
  .toBuffer({ resolveWithObject: true });
await explainer.dispose();
await mkdir(dirname(out), { recursive: true });
await writeFile(out, await withCommands(overlay));

/** With PyTorch: the classifier of somebody else. */
async function fineTune() {
  requireArchives([ARCHIVE]);
  const python = await findPython();
  if (!python) process.exit(0);
  const script = fileURLToPath(new URL("../bench/peer/fine_tune.py", import.meta.url));
  await withArchives([ARCHIVE], async (unpacked) => {
    const weights = join(unpacked, "weights", TRUNK);
    const words = [script, "mobilenet_v2", weights, at("tissue"), at("classifier"), "--epochs", "10"];
    execFileSync(python, words, { stdio: "inherit" });
  });
}

/** The first image from `CHOSEN` on whose explanation names one aspect and calls another seen one irrelevant. */
async function chosenImage() {
  for (let index = CHOSEN; index <= IMAGES; index++) {
    const path = at(`tissue/images/${String(index).padStart(4, "0")}.png`);
    const { explanation } = await explainer.explain(path);
    const { headline, aspects } = explanation;
    const seen = aspects.filter(({ isPresent }) => isPresent);
    if (headline.case === "named" && seen.some(({ isRelevant, kind }) => !isRelevant && kind === "segmentation"))
      return path;
  }
  throw new Error("no image is explained by a named aspect");
}

/** The commands above the overlay. @param {{ data: Buffer, info: { width: number, height: number } }} overlay */
function withCommands({ data, info }) {
  const lines = COMMANDS.map(
    (command, index) =>
      `<text x="28" y="${40 + 30 * index}" fill="#8a949c">${index + 1}</text>` +
      `<text x="56" y="${40 + 30 * index}" fill="#e8edf1">${command}</text>`,
  );
  const top = 30 * COMMANDS.length + 34;
  const card =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${info.width}" height="${top}">` +
    `<rect width="100%" height="100%" fill="#1d2329"/>` +
    `<g font-family="DejaVu Sans Mono, monospace" font-size="18">${lines.join("")}</g></svg>`;
  return sharp({ create: { width: info.width, height: top + info.height, channels: 3, background: "#ffffff" } })
    .composite([
      { input: Buffer.from(card), left: 0, top: 0 },
      { input: data, left: 0, top },
    ])
    .jpeg({ quality: 82, mozjpeg: true })
    .toBuffer();
}
