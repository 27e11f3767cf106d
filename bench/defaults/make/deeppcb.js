/** What the makers of the DeepPCB sets share: its boards, which board goes to which split, and labels in a window. */

import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";

/** Side of a board's picture, pixels. */
export const BOARD = 640;
const KINDS = ["open", "short", "mousebite", "spur", "copper", "pin-hole"];
/** What makes a picture critical. */
const CRITICAL = ["open", "short"];
/** Of the boards that are not for test, about this share validates: whole groups, so a little more is allowed. */
const VALIDATION_SHARE = 0.2;
const ALLOWED_EXCESS = 1.15;

/** @typedef {{ box: readonly [number, number, number, number], kind: string }} Defect box: xMin, yMin, xMax, yMax */
/** @typedef {"presence" | "boxes" | "segmentation"} Kind */
/** @typedef {"train" | "validation" | "test"} Split */
/** @typedef {{ x: number, y: number, size: number, defects: readonly Defect[] }} Window of a board, pixels */

/**
 * @typedef {object} Board
 * @property {string} id
 * @property {string} group boards of one product
 * @property {"trainval" | "test"} split
 * @property {string} tested
 * @property {readonly Defect[]} defects
 */

/** @param {string} source the unpacked set. @returns {Promise<Board[]>} */
export async function readBoards(source) {
  return JSON.parse(await readFile(join(source, "index.json"), "utf8"));
}

/** @param {string} word @returns {Kind} */
export function toKind(word) {
  if (word === "presence" || word === "boxes" || word === "segmentation") return word;
  throw new Error(`unknown kind ${word}`);
}

/**
 * Validation is carved by group from the boards that are not for test.
 *
 * @param {readonly Board[]} boards
 * @param {{ byGroup?: boolean }} [options] the set's own split has boards of one group in training and test; `byGroup`:
 *   a group goes as a whole where most of its boards are.
 * @returns {(board: Board) => Split}
 */
export function splitOf(boards, { byGroup = false } = {}) {
  const isTest = byGroup ? isOfTestGroup(boards) : (/** @type {Board} */ board) => board.split === "test";
  const validating = validationGroups(boards.filter((board) => !isTest(board)));
  return (board) => (isTest(board) ? "test" : validating.has(board.group) ? "validation" : "train");
}

/** @param {readonly Board[]} boards @returns {(board: Board) => boolean} */
function isOfTestGroup(boards) {
  return ({ group }) => {
    const members = boards.filter((board) => board.group === group);
    return members.filter((board) => board.split === "test").length > members.length / 2;
  };
}

/** @param {readonly Board[]} learning */
function validationGroups(learning) {
  const groups = [...new Set(learning.map((board) => board.group))].sort();
  const most = VALIDATION_SHARE * learning.length * ALLOWED_EXCESS;
  /** @type {Set<string>} */
  const chosen = new Set();
  let count = 0;
  for (const group of groups) {
    const size = learning.filter((board) => board.group === group).length;
    if (count + size > most) continue;
    chosen.add(group);
    count += size;
  }
  return chosen;
}

/** @param {string} name @param {Kind} kind @returns {import("../../../examples/support/dataset.js").Manifest} */
export function manifest(name, kind) {
  const aspects = KINDS.map((aspect) => ({ name: aspect, kind }));
  return { name, classes: ["tolerable", "critical"], aspects, causes: { critical: CRITICAL, tolerable: [] } };
}

/** @param {readonly Defect[]} defects */
export function labelOf(defects) {
  return defects.some((defect) => CRITICAL.includes(defect.kind)) ? "critical" : "tolerable";
}

/**
 * @param {Window} window whose defects lie in it as a whole.
 * @param {Kind} kind segmentation: the boxes are filled, in one mask; where two overlap, the later of `KINDS` is on top.
 * @param {{ folder: string, name: string }} target of the mask: `folder/masks/name.png`.
 */
export async function aspectsOf(window, kind, { folder, name }) {
  if (kind === "segmentation" && window.defects.length > 0) await writeMask(window, join(folder, "masks"), name);
  /** @param {string} one */
  const labelled = (one) => {
    const own = window.defects.filter((defect) => defect.kind === one);
    if (kind === "presence") return { present: own.length > 0 };
    if (kind === "boxes") return { boxes: own.map(({ box }) => toBox(box, window)) };
    return own.length === 0 ? { mask: null } : { mask: `masks/${name}.png`, values: [KINDS.indexOf(one) + 1] };
  };
  return Object.fromEntries(KINDS.map((one) => [one, labelled(one)]));
}

/** @param {Defect["box"]} box @param {Window} window */
function toBox([x1, y1, x2, y2], { x, y, size }) {
  return /** @type {const} */ ([(y1 - y) / size, (x1 - x) / size, (y2 - y) / size, (x2 - x) / size]);
}

/** @param {Window} window @param {string} folder @param {string} name */
async function writeMask({ x, y, size, defects }, folder, name) {
  const mask = new Uint8Array(size * size);
  for (const [index, kind] of KINDS.entries()) {
    for (const { box } of defects.filter((defect) => defect.kind === kind)) {
      const [x1, y1, x2, y2] = box;
      for (let row = y1 - y; row < y2 - y; row++) mask.fill(index + 1, row * size + x1 - x, row * size + x2 - x);
    }
  }
  await mkdir(folder, { recursive: true });
  const raw = { width: size, height: size, channels: /** @type {1} */ (1) };
  await sharp(mask, { raw })
    .png()
    .toFile(join(folder, `${name}.png`));
}
