/** What two builds answered to the same command lines. */

import { parsed } from "./compare-files.js";
import { compareJson } from "./compare-json.js";

/** @typedef {import("./compare-files.js").Item} Item */
/** @typedef {import("./run-build.js").Outcome} Outcome */

/**
 * @param {readonly Outcome[]} before
 * @param {readonly Outcome[]} after
 * @returns {Item[]} for each command its exit code, its JSON, and its texts for people, which may be reworded.
 */
export function compareOutcomes(before, after) {
  return before.flatMap(({ model, args, ...a }, index) => {
    const b = after[index];
    const name = `aspectlens ${args.join(" ")}`;
    const where = a.code === b.code ? "" : `${a.code} -> ${b.code}`;
    /** @type {Item[]} */
    const items = [{ model, kind: "exit codes", name, verdict: where ? "different" : "equal", where }];
    const isJson = args.includes("--json");
    if (isJson) {
      const [x, y] = [a.stdout, b.stdout].map((text) => parsed(text) ?? text);
      // A bundle's size is that of its card too, which is text.
      const found = compareJson(x, y, { ignored: args[0] === "export" ? ["bytes"] : [] });
      items.push({ model, kind: "answers with --json", name, ...found });
    }
    const texts = [a, b].map(({ stdout, stderr }) => untimed(isJson ? stderr : stdout + stderr));
    const isSame = texts[0] === texts[1];
    items.push({ model, kind: "messages", name, verdict: isSame ? "equal" : "words", where: "" });
    return items;
  });
}

/** @param {string} text */
function untimed(text) {
  return text.replace(/\d+(\.\d+)? (ms|s|min|h)\b/g, "TIME");
}
