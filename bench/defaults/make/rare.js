/**
 * Removes training images that show an aspect until 2 % of those that are left do, at least 8.
 * `node bench/defaults/make/rare.js SOURCE FOLDER ASPECT`
 */

import { countSplits } from "../../../examples/support/dataset.js";
import { random, shuffled } from "../../../examples/support/random.js";
import { derive, shows } from "./derived.js";

const SEED = 7;
const SHARE = 0.02;
const LEAST = 8;

const [source, folder, aspect] = process.argv.slice(2);
if (!source || !folder || !aspect) throw new Error("usage: rare.js SOURCE FOLDER ASPECT");
await derive(source, folder, (samples) => {
  const training = samples.filter((sample) => sample.split === "train");
  const showing = training.filter((sample) => shows(sample, aspect));
  // kept / (others + kept) = SHARE
  const others = training.length - showing.length;
  const kept = Math.max(LEAST, Math.round((SHARE * others) / (1 - SHARE)));
  const removed = new Set(shuffled(showing, random(SEED, aspect)).slice(kept));
  const left = samples.filter((sample) => !removed.has(sample));
  console.log(`${folder}: ${countSplits(left)}; ${aspect} in ${showing.length - removed.size} training images`);
  return { samples: left };
});
