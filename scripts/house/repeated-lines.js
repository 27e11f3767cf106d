/**
 * Lines that stand in the tree more than once. Lines are compared without their indentation; empty lines and imports
 * are left out. A line counts where it lies in a run of at least six lines that also stands elsewhere.
 */

const LEAST = 6;

/** @typedef {{ file: string, line: number, length: number }} Place `line` from 1, `length` in compared lines. */

/**
 * @param {readonly { path: string, text: string, importLines: ReadonlySet<number> }[]} files
 * @returns {{ lines: number, clusters: Place[][] }} the lines of all places; places that share a run are one cluster.
 */
export function repeatedLines(files) {
  const rows = files.map(({ path, text, importLines }) => ({
    path,
    lines: text.split("\n").flatMap((line, index) => {
      const words = line.trim();
      return words === "" || importLines.has(index) ? [] : [{ words, line: index + 1 }];
    }),
  }));
  /** Where each window of six lines starts. @type {Map<string, { row: number, at: number }[]>} */
  const windows = new Map();
  for (const [row, { lines }] of rows.entries()) {
    const words = lines.map((line) => line.words);
    for (let at = 0; at + LEAST <= lines.length; at++) {
      const key = words.slice(at, at + LEAST).join("\n");
      const starts = windows.get(key) ?? [];
      const last = starts.at(-1);
      if (!last || last.row !== row || at - last.at >= LEAST) starts.push({ row, at }); // a run does not repeat itself
      windows.set(key, starts);
    }
  }
  const repeated = [...windows.values()].filter((starts) => starts.length > 1);
  const marked = rows.map(({ lines }) => lines.map(() => false));
  for (const { row, at } of repeated.flat()) marked[row].fill(true, at, at + LEAST);

  /** The first line of the stretch of marked lines that a window lies in. */
  const stretchOf = (/** @type {{ row: number, at: number }} */ { row, at }) => {
    let start = at;
    while (marked[row][start - 1]) start--;
    return `${row}:${start}`;
  };
  /** @type {Set<string>[]} */
  let clusters = [];
  for (const starts of repeated) {
    const keys = new Set(starts.map(stretchOf));
    const touching = clusters.filter((cluster) => [...keys].some((key) => cluster.has(key)));
    clusters = clusters.filter((cluster) => !touching.includes(cluster));
    clusters.push(new Set([...keys, ...touching.flatMap((cluster) => [...cluster])]));
  }
  const placeOf = (/** @type {string} */ key) => {
    const [row, start] = key.split(":").map(Number);
    const end = marked[row].indexOf(false, start);
    const length = (end < 0 ? marked[row].length : end) - start;
    return { file: rows[row].path, line: rows[row].lines[start].line, length };
  };
  return {
    lines: marked.flat().filter(Boolean).length,
    clusters: clusters.map((cluster) => [...cluster].map(placeOf)),
  };
}
