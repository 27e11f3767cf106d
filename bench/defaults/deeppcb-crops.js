/**
 * Crops of 256 pixels from the boards of DeepPCB, in which each kind of defect comes and goes; the class is whether a
 * critical one (an open or a short) is there. `node bench/defaults/deeppcb-crops.js FOLDER presence|boxes|segmentation`.
 *
 * A crop never cuts a defect, so that every label is certain. The set's own test split is the test; validation is
 * carved by group from its training boards.
 */

import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { requireArchives, withArchives } from "../../examples/support/archives.js";
import { countSplits, writeDataset } from "../../examples/support/dataset.js";
import { random } from "../../examples/support/random.js";

const SIZE = 256;
const BOARD = 640;
const CROPS = 6;
const TRIES = 300;
const KINDS = ["open", "short", "mousebite", "spur", "copper", "pin-hole"];
const CRITICAL = ["open", "short"];
/** Groups of boards that validate: 3 of the 11 groups, about a fifth of the boards. */
const VALIDATION_SHARE = 0.2;

/**
 * @typedef {object} Board
 * @property {string} id
 * @property {string} group
 * @property {"trainval" | "test"} split
 * @property {string} tested
 * @property {readonly { box: readonly [number, number, number, number], kind: string }[]} defects xMin, yMin, xMax, yMax
 */

const [folder = "data/deeppcb-crops", kind = "presence"] = process.argv.slice(2);
if (!["presence", "boxes", "segmentation"].includes(kind)) throw new Error(`unknown kind ${kind}`);
requireArchives(["deeppcb"]);
await withArchives(["deeppcb"], async (unpacked) => {
  const source = join(unpacked, "deeppcb");
  /** @type {Board[]} */
  const boards = JSON.parse(await readFile(join(source, "index.json"), "utf8"));
  const validating = validationGroups(boards);
  await mkdir(join(folder, "images"), { recursive: true });
  if (kind === "segmentation") await mkdir(join(folder, "masks"), { recursive: true });
  const samples = [];
  for (const board of boards) {
    const split = board.split === "test" ? "test" : validating.has(board.group) ? "validation" : "train";
    for (const [index, crop] of cropsOf(board).entries()) {
      const name = `${board.id}-${index}.png`;
      const window = { left: crop.x, top: crop.y, width: SIZE, height: SIZE };
      await sharp(join(source, board.tested))
        .extract(window)
        .png()
        .toFile(join(folder, "images", name));
      const isCritical = crop.defects.some((defect) => CRITICAL.includes(defect.kind));
      samples.push({
        image: `images/${name}`,
        split: /** @type {"train"} */ (split),
        label: isCritical ? "critical" : "tolerable",
        groups: { board: board.group },
        aspects: await aspectsOf(crop, name),
      });
    }
  }
  const causes = { critical: CRITICAL, tolerable: [] };
  const aspects = KINDS.map((name) => ({ name, kind: /** @type {"boxes"} */ (kind) }));
  await writeDataset(folder, { name: "deeppcb crops", classes: ["tolerable", "critical"], aspects, causes }, samples);
  console.log(countSplits(samples));
});

/** @param {readonly Board[]} boards */
function validationGroups(boards) {
  const learning = boards.filter((board) => board.split === "trainval");
  const groups = [...new Set(learning.map((board) => board.group))].sort();
  const chosen = new Set();
  let count = 0;
  for (const group of groups) {
    const size = learning.filter((board) => board.group === group).length;
    if (count + size > VALIDATION_SHARE * learning.length * 1.15) continue;
    chosen.add(group);
    count += size;
  }
  return chosen;
}

/** @param {Board} board */
function cropsOf(board) {
  const source = random(7, board.id);
  /** @type {{ x: number, y: number, defects: Board["defects"] }[]} */
  const crops = [];
  for (let attempt = 0; attempt < TRIES && crops.length < CROPS; attempt++) {
    const [x, y] = [source.integer(BOARD - SIZE + 1), source.integer(BOARD - SIZE + 1)];
    const inside = (/** @type {readonly number[]} */ [x1, y1, x2, y2]) =>
      x1 >= x && y1 >= y && x2 <= x + SIZE && y2 <= y + SIZE;
    const outside = (/** @type {readonly number[]} */ [x1, y1, x2, y2]) =>
      x2 <= x || y2 <= y || x1 >= x + SIZE || y1 >= y + SIZE;
    if (!board.defects.every(({ box }) => inside(box) || outside(box))) continue;
    if (crops.some((other) => Math.abs(other.x - x) < SIZE / 4 && Math.abs(other.y - y) < SIZE / 4)) continue;
    crops.push({ x, y, defects: board.defects.filter(({ box }) => inside(box)) });
  }
  return crops;
}

/** @param {ReturnType<typeof cropsOf>[number]} crop @param {string} name */
async function aspectsOf({ x, y, defects }, name) {
  /** @type {Record<string, object>} */
  const aspects = {};
  const masks = new Uint8Array(SIZE * SIZE);
  for (const [index, one] of KINDS.entries()) {
    const own = defects.filter((defect) => defect.kind === one);
    if (kind === "presence") aspects[one] = { present: own.length > 0 };
    else if (kind === "boxes") {
      const boxes = own.map(({ box: [x1, y1, x2, y2] }) => [y1 - y, x1 - x, y2 - y, x2 - x].map((v) => v / SIZE));
      aspects[one] = { boxes };
    } else {
      aspects[one] = own.length === 0 ? { mask: null } : { mask: `masks/${name}`, values: [index + 1] };
      for (const {
        box: [x1, y1, x2, y2],
      } of own)
        for (let row = y1 - y; row < y2 - y; row++) masks.fill(index + 1, row * SIZE + x1 - x, row * SIZE + x2 - x);
    }
  }
  if (kind === "segmentation" && defects.length > 0) {
    const raw = { width: SIZE, height: SIZE, channels: /** @type {1} */ (1) };
    await sharp(masks, { raw })
      .png()
      .toFile(join(folder, "masks", name));
  }
  return aspects;
}
