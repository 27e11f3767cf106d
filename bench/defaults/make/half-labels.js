/**
 * Takes the labels of aspects from half of the training images, class by class, which are then unlabelled.
 * `node bench/defaults/make/half-labels.js SOURCE FOLDER [ASPECT...]`, by default of all aspects.
 */

import { countSplits } from "../../../examples/support/dataset.js";
import { stratify } from "../../../examples/support/stratify.js";
import { derive } from "./derived.js";

const SEED = 7;

const [source, folder, ...named] = process.argv.slice(2);
if (!source || !folder) throw new Error("usage: half-labels.js SOURCE FOLDER [ASPECT...]");
await derive(source, folder, (samples, manifest) => {
  const names = named.length > 0 ? named : manifest.aspects.map(({ name }) => name);
  const training = samples.filter((sample) => sample.split === "train");
  const shares = { without: 0.5, with: 0.5 };
  const half = stratify(training, { classOf: (sample) => sample.label, shares, seed: SEED });
  const changed = samples.map((sample) => {
    if (half.get(sample) !== "without") return sample;
    const kept = Object.entries(sample.aspects).filter(([name]) => !names.includes(name));
    return { ...sample, aspects: Object.fromEntries(kept) };
  });
  const count = [...half.values()].filter((part) => part === "without").length;
  console.log(`${folder}: ${countSplits(changed)}; ${count} training images without labels of ${names.join(", ")}`);
  return { samples: changed };
});
