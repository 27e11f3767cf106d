/** The sets that are trained by defaults alone. README.md beside this file has the table. */

import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** The command line, as built. */
export const MAIN = join(ROOT, "dist/cli/main.js");
const SMALL_V2 = "weights/mobilenet_v2_0.35_224_notop_f32";

/**
 * @typedef {object} Set_
 * @property {string} name
 * @property {"choose" | "show"} half on `choose` defaults were chosen (validation split alone); on `show` they are shown.
 * @property {(folder: string) => string[]} make a command line
 * @property {string} [weights]
 * @property {readonly number[]} seeds
 * @property {boolean} [hasCauses] faithfulness is measured too
 */

/** @type {readonly Set_[]} */
export const SETS = [
  ...["boxes", "segmentation", "presence"].map((kind) => ({
    name: `deeppcb-crops-${kind}`,
    half: /** @type {const} */ ("choose"),
    make: (/** @type {string} */ folder) => [join(ROOT, "bench/defaults/deeppcb-crops.js"), folder, kind],
    seeds: [7, 8, 9],
    hasCauses: true,
  })),
  {
    name: "pets",
    half: "choose",
    make: (folder) => [join(ROOT, "examples/pets/make.js"), folder],
    weights: SMALL_V2,
    seeds: [7, 8, 9],
  },
  {
    name: "wbc",
    half: "show",
    make: (folder) => [join(ROOT, "examples/wbc/make.js"), folder],
    weights: SMALL_V2,
    seeds: [7, 8, 9],
  },
  {
    name: "tissue-512",
    half: "show",
    make: (folder) => [MAIN, "data", "synth", folder, "--count", "600", "--size", "512", "--seed", "11"],
    seeds: [7],
    hasCauses: true,
  },
];
