/**
 * The boards of DeepPCB as they are, 640 pixels; the class is whether a critical defect (an open or a short) is there.
 * `node bench/defaults/make/deeppcb-boards.js FOLDER presence|boxes|segmentation [by-group]`
 */

import { copyFile, mkdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { requireArchives, withArchives } from "../../../examples/support/archives.js";
import { countSplits, writeDataset } from "../../../examples/support/dataset.js";
import { aspectsOf, BOARD, labelOf, manifest, readBoards, splitOf, toKind } from "./deeppcb.js";

const [folder = "data/deeppcb-boards", word = "presence", how] = process.argv.slice(2);
const kind = toKind(word);
requireArchives(["deeppcb"]);
await withArchives(["deeppcb"], async (unpacked) => {
  const source = join(unpacked, "deeppcb");
  const boards = await readBoards(source);
  const split = splitOf(boards, { byGroup: how === "by-group" });
  await mkdir(join(folder, "images"), { recursive: true });
  const samples = [];
  for (const board of boards) {
    const image = `images/${basename(board.tested)}`;
    await copyFile(join(source, board.tested), join(folder, image));
    const whole = { x: 0, y: 0, size: BOARD, defects: board.defects };
    samples.push({
      image,
      split: split(board),
      label: labelOf(board.defects),
      groups: { board: board.group },
      aspects: await aspectsOf(whole, kind, { folder, name: board.id }),
    });
  }
  await writeDataset(folder, manifest("deeppcb boards", kind), samples);
  console.log(`${folder}: ${countSplits(samples)}`);
});
