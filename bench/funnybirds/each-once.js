/** Work on many items that is kept line by line, so that it goes on where it was stopped. */

import { existsSync } from "node:fs";
import { appendFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Makes a value for each item, and keeps it as a line of a file; those that are there are not made again.
 *
 * @template Item, Value
 * @param {readonly Item[]} items @param {string} file @param {(item: Item, at: number) => Promise<Value>} make
 * @returns {Promise<Value[]>}
 */
export async function eachOnce(items, file, make) {
  await mkdir(dirname(file), { recursive: true });
  const text = existsSync(file) ? await readFile(file, "utf8") : "";
  // A line that was cut short has no end.
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  if (whole.length < text.length) await writeFile(file, whole);
  const lines = whole.split("\n").slice(0, -1).slice(0, items.length);
  const values = lines.map((line) => JSON.parse(line));
  const [done, begun] = [values.length, performance.now()];
  for (const [at, item] of items.entries()) {
    if (at < done) continue;
    const value = await make(item, at);
    await appendFile(file, `${JSON.stringify(value)}\n`);
    values.push(value);
    if ((at + 1) % 50 > 0) continue;
    const minutes = (((performance.now() - begun) / (at + 1 - done)) * (items.length - at - 1)) / 60_000;
    console.log(`${file}: ${at + 1} of ${items.length}, about ${Math.ceil(minutes)} min left`);
  }
  return values;
}
