/**
 * Twelve explanations on one picture, to look at after every change.
 *
 *     node scripts/montage.js data/tissue.aspect data/tissue/images .ci/artefacts/montage.png
 */

import { mkdir, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { openExplainer, renderOverlay } from "aspectlens/explainer";
import sharp from "sharp";

const COLUMNS = 3;
const COUNT = 12;
const WIDTH = 900;

const [bundle, folder, out] = process.argv.slice(2);
if (!bundle || !folder || !out) throw new Error("usage: montage.js BUNDLE FOLDER_OF_IMAGES OUT.png");
const files = (await readdir(folder)).filter((file) => /\.(png|jpe?g)$/i.test(file)).sort();
const step = Math.max(1, Math.floor(files.length / COUNT));
const chosen = Array.from({ length: Math.min(COUNT, files.length) }, (_, index) => files[index * step]);
const explainer = await openExplainer(bundle);
const overlays = [];
for (const file of chosen) {
  const explained = await explainer.explain(join(folder, file));
  const overlay = await renderOverlay(explained, join(folder, file));
  overlays.push(await sharp(overlay).resize({ width: WIDTH }).png().toBuffer({ resolveWithObject: true }));
}
await explainer.dispose();
const height = Math.max(...overlays.map(({ info }) => info.height));
const rows = Math.ceil(overlays.length / COLUMNS);
await mkdir(dirname(out), { recursive: true });
await sharp({ create: { width: COLUMNS * WIDTH, height: rows * height, channels: 3, background: "#ffffff" } })
  .composite(
    overlays.map(({ data }, index) => ({
      input: data,
      left: (index % COLUMNS) * WIDTH,
      top: Math.floor(index / COLUMNS) * height,
    })),
  )
  .png()
  .toFile(out);
console.log(`${overlays.length} explanations: ${out}`);
