/**
 * Counts how the code of `src` is arranged, as Markdown, or as JSON with `--json`.
 *
 * `node scripts/house.js [BASE-REF] [--json]`: with a commit, that one's tree beside the working one.
 */

import { rmSync } from "node:fs";
import { parseArgs } from "node:util";
import { countHouse } from "./house/count-house.js";
import { housePage } from "./house/house-page.js";
import { ROOT, readSource, unpack } from "./house/tree.js";

const { values, positionals } = parseArgs({ allowPositionals: true, options: { json: { type: "boolean" } } });
const [ref] = positionals;

const before = ref === undefined ? [] : [{ title: `before (${ref})`, house: countCommit(ref) }];
const after = { title: ref === undefined ? "now" : "after", house: countHouse(readSource(ROOT)) };
if (values.json) console.log(JSON.stringify({ before: before[0]?.house ?? null, after: after.house }));
else console.log(housePage([...before, after]));

/** @param {string} commit */
function countCommit(commit) {
  const folder = unpack(commit);
  try {
    return countHouse(readSource(folder));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
