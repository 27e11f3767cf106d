/**
 * Keeps one aspect alone, and of the training and validation images so many that 1 in 8 shows it.
 * `node bench/defaults/make/one-in-eight.js SOURCE FOLDER ASPECT [positives]`: with `positives` the images of the seven
 * others are left out too. The test images are all kept.
 */

import { countSplits } from "../../../examples/support/dataset.js";
import { random, shuffled } from "../../../examples/support/random.js";
import { derive, shows } from "./derived.js";

const SEED = 7;
const OTHERS = 7;

const [source, folder, aspect, which] = process.argv.slice(2);
if (!source || !folder || !aspect) throw new Error("usage: one-in-eight.js SOURCE FOLDER ASPECT [positives]");
await derive(source, folder, (samples, manifest) => {
  const splits = /** @type {const} */ (["train", "validation", "test"]);
  const kept = new Set(
    splits.flatMap((split) => {
      const all = samples.filter((sample) => sample.split === split);
      if (split === "test") return all;
      const showing = all.filter((sample) => shows(sample, aspect));
      const others = all.filter((sample) => !shows(sample, aspect));
      const count = Math.min(showing.length, Math.floor(others.length / OTHERS));
      const positives = shuffled(showing, random(SEED, split, "showing")).slice(0, count);
      if (which === "positives") return positives;
      return [...positives, ...shuffled(others, random(SEED, split, "others")).slice(0, OTHERS * count)];
    }),
  );
  const left = samples
    .filter((sample) => kept.has(sample))
    .map((sample) => ({ ...sample, aspects: { [aspect]: sample.aspects[aspect] } }));
  console.log(`${folder}: ${countSplits(left)}`);
  const aspects = manifest.aspects.filter(({ name }) => name === aspect);
  return { samples: left, manifest: { aspects, causes: undefined } };
});
