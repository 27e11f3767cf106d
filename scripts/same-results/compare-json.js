/** Whether two JSON values tell the same. */

/**
 * `words`: only sentences differ, and the numbers in them are the same.
 * @typedef {"equal" | "words" | "different"} Verdict
 */

/** Keys whose values are times. */
const TIMES = ["seconds", "modified"];

/**
 * @param {unknown} before
 * @param {unknown} after
 * @param {{ ignored?: readonly string[] }} [options] keys that are left out, beside times.
 * @returns {{ verdict: Verdict, where: string }} `where`: the first place that differs.
 */
export function compareJson(before, after, { ignored = [] } = {}) {
  const [a, b] = [before, after].map((value) => leaves(value, [...TIMES, ...ignored]));
  let words = "";
  for (const path of new Set([...a.keys(), ...b.keys()])) {
    const [x, y] = [a.get(path), b.get(path)];
    if (Object.is(x, y) && a.has(path) && b.has(path)) continue;
    if (!isReworded(x, y)) return { verdict: "different", where: `${path}: ${shown(x)} -> ${shown(y)}` };
    words ||= `${path}: ${shown(x)} -> ${shown(y)}`;
  }
  return words === "" ? { verdict: "equal", where: "" } : { verdict: "words", where: words };
}

/** Values of all keys, by path; also which objects and lists are empty. */
function leaves(/** @type {unknown} */ value, /** @type {readonly string[]} */ ignored) {
  /** @type {Map<string, unknown>} */
  const found = new Map();
  const visit = (/** @type {unknown} */ part, /** @type {string} */ path) => {
    if (typeof part !== "object" || part === null) return found.set(path, part);
    const entries = Object.entries(part).filter(([key]) => !ignored.includes(key));
    if (entries.length === 0) found.set(path, Array.isArray(part) ? "[]" : "{}");
    for (const [key, child] of entries) visit(child, `${path}/${key}`);
  };
  visit(value, "");
  return found;
}

/** Both are sentences, which have blanks in them, with the same numbers. @param {unknown} x @param {unknown} y */
function isReworded(x, y) {
  if (typeof x !== "string" || typeof y !== "string" || !x.includes(" ") || !y.includes(" ")) return false;
  return numbersIn(x) === numbersIn(y);
}

/** @param {string} text */
function numbersIn(text) {
  return (text.match(/\d+(\.\d+)?/g) ?? []).join(" ");
}

/** @param {unknown} value */
function shown(value) {
  return value === undefined ? "absent" : String(JSON.stringify(value)).slice(0, 90);
}
