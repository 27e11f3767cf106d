/**
 * Crops of 256 pixels from the boards of DeepPCB, in which each kind of defect comes and goes; the class is whether a
 * critical one (an open or a short) is there.
 * `node bench/defaults/make/deeppcb-crops.js FOLDER presence|boxes|segmentation`
 *
 * A crop never cuts a defect, so that every label is certain. The set's own test split is the test; validation is
 * carved by group from its training boards.
 */

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { requireArchives, withArchives } from "../../../examples/support/archives.js";
import { countSplits, writeDataset } from "../../../examples/support/dataset.js";
import { random } from "../../../examples/support/random.js";
import { aspectsOf, BOARD, labelOf, manifest, readBoards, splitOf, toKind } from "./deeppcb.js";

const SIZE = 256;
const CROPS = 6;
const TRIES = 300;

const [folder = "data/deeppcb-crops", word = "presence"] = process.argv.slice(2);
const kind = toKind(word);
requireArchives(["deeppcb"]);
await withArchives(["deeppcb"], async (unpacked) => {
  const source = join(unpacked, "deeppcb");
  const boards = await readBoards(source);
  const split = splitOf(boards);
  await mkdir(join(folder, "images"), { recursive: true });
  const samples = [];
  for (const board of boards) {
    for (const [index, crop] of cropsOf(board).entries()) {
      const name = `${board.id}-${index}`;
      await sharp(join(source, board.tested))
        .extract({ left: crop.x, top: crop.y, width: SIZE, height: SIZE })
        .png()
        .toFile(join(folder, "images", `${name}.png`));
      samples.push({
        image: `images/${name}.png`,
        split: split(board),
        label: labelOf(crop.defects),
        groups: { board: board.group },
        aspects: await aspectsOf(crop, kind, { folder, name }),
      });
    }
  }
  await writeDataset(folder, manifest("deeppcb crops", kind), samples);
  console.log(`${folder}: ${countSplits(samples)}`);
});

/** @param {import("./deeppcb.js").Board} board */
function cropsOf(board) {
  const source = random(7, board.id);
  /** @type {import("./deeppcb.js").Window[]} */
  const crops = [];
  for (let attempt = 0; attempt < TRIES && crops.length < CROPS; attempt++) {
    const [x, y] = [source.integer(BOARD - SIZE + 1), source.integer(BOARD - SIZE + 1)];
    const inside = (/** @type {readonly number[]} */ [x1, y1, x2, y2]) =>
      x1 >= x && y1 >= y && x2 <= x + SIZE && y2 <= y + SIZE;
    const outside = (/** @type {readonly number[]} */ [x1, y1, x2, y2]) =>
      x2 <= x || y2 <= y || x1 >= x + SIZE || y1 >= y + SIZE;
    if (!board.defects.every(({ box }) => inside(box) || outside(box))) continue;
    if (crops.some((other) => Math.abs(other.x - x) < SIZE / 4 && Math.abs(other.y - y) < SIZE / 4)) continue;
    crops.push({ x, y, size: SIZE, defects: board.defects.filter(({ box }) => inside(box)) });
  }
  return crops;
}
