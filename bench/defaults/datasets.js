/** The sets, and the command that makes each. */

import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
export const MAIN = join(ROOT, "dist/cli/main.js");

/** @typedef {{ from?: string, make: (folder: string, from: string) => readonly string[] }} Dataset a command line after `node`; `from`: a set that must be there first */

/** @param {string} maker @param {...string} words @returns {Dataset} */
const made = (maker, ...words) => ({ make: (folder) => [join(ROOT, maker), folder, ...words] });
/** @param {string} from @param {string} maker @param {...string} words @returns {Dataset} */
const derived = (from, maker, ...words) => ({
  from,
  make: (folder, source) => [join(ROOT, "bench/defaults/make", maker), source, folder, ...words],
});
/** @param {...string} words @returns {Dataset} */
const drawn = (...words) => ({ make: (folder) => [MAIN, "data", "synth", folder, ...words] });

/** @param {string} maker @param {string} name @param {...string} words @returns {Record<string, Dataset>} */
const ofEachKind = (maker, name, ...words) =>
  Object.fromEntries(
    ["boxes", "segmentation", "presence"].map((kind) => [
      name.replace("*", kind),
      made(`bench/defaults/make/${maker}`, kind, ...words),
    ]),
  );

/** @type {Readonly<Record<string, Dataset>>} */
export const DATASETS = {
  ...ofEachKind("deeppcb-crops.js", "deeppcb-crops-*"),
  ...ofEachKind("deeppcb-boards.js", "deeppcb-boards-*"),
  ...ofEachKind("deeppcb-boards.js", "deeppcb-boards-*-by-group", "by-group"),
  "deeppcb-crops-boxes-half": derived("deeppcb-crops-boxes", "half-labels.js"),
  "deeppcb-crops-segmentation-rare": derived("deeppcb-crops-segmentation", "rare.js", "spur"),
  "copper-one-in-eight": derived("deeppcb-crops-segmentation", "one-in-eight.js", "copper"),
  "copper-positives": derived("deeppcb-crops-segmentation", "one-in-eight.js", "copper", "positives"),
  pets: made("examples/pets/make.js"),
  "pets-void": made("examples/pets/make.js", "void"),
  "pets-half-masks": derived("pets", "half-labels.js", "pet"),
  wbc: made("examples/wbc/make.js"),
  "wbc-half-masks": derived("wbc", "half-labels.js", "nucleus", "cytoplasm"),
  "wbc-folds": derived("wbc", "wbc-folds.js"),
  bccd: made("bench/defaults/make/bccd.js"),
  tissue: drawn("--count", "600", "--seed", "11"),
  "tissue-rare": derived("tissue", "rare.js", "lymphocyte"),
  "tissue-small": drawn("--count", "600", "--size", "512", "--scale", "0.14", "--seed", "11"),
};
