/**
 * All cells of the first white-blood-cell set for training, to be divided into folds; its only basophil is left out.
 * `node bench/defaults/make/wbc-folds.js SOURCE FOLDER`, SOURCE as `examples/wbc/make.js` made it.
 */

import { countSplits } from "../../../examples/support/dataset.js";
import { derive } from "./derived.js";

const LEFT_OUT = "basophil";

const [source, folder] = process.argv.slice(2);
if (!source || !folder) throw new Error("usage: wbc-folds.js SOURCE FOLDER");
await derive(source, folder, (samples, manifest) => {
  const cells = samples
    .filter((sample) => sample.label !== LEFT_OUT)
    .map((sample) => ({ ...sample, split: /** @type {const} */ ("train") }));
  console.log(`${folder}: ${countSplits(cells)}`);
  return { samples: cells, manifest: { classes: manifest.classes.filter((name) => name !== LEFT_OUT) } };
});
