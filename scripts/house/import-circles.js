/** Circles of imports: for each arrow that lies in one, the shortest that it lies in. */

/** @typedef {import("./parse-module.js").Arrow} Arrow */

/**
 * @param {readonly Arrow[]} arrows
 * @param {(arrow: Arrow) => boolean} [isAsked] whose circles; by default those of all arrows.
 * @returns {string[][]} the files of each circle in the order of the imports; each set of files once.
 */
export function importCircles(arrows, isAsked = () => true) {
  /** @type {Map<string, string[]>} */
  const next = new Map();
  for (const { from, to } of arrows) next.set(from, [...(next.get(from) ?? []), to]);
  /** @type {Map<string, string[]>} */
  const circles = new Map();
  for (const { from, to } of arrows.filter(isAsked)) {
    const circle = shortestPath(to, from, next);
    if (circle) circles.set(circle.toSorted().join(), circle);
  }
  return [...circles.values()];
}

/**
 * @param {string} from
 * @param {string} to
 * @param {ReadonlyMap<string, string[]>} next
 * @returns {string[] | undefined}
 */
function shortestPath(from, to, next) {
  const paths = [[from]];
  const seen = new Set([from]);
  for (const path of paths) {
    const end = path[path.length - 1];
    if (end === to) return path;
    for (const file of next.get(end) ?? []) {
      if (!seen.has(file)) paths.push([...path, file]);
      seen.add(file);
    }
  }
  return undefined;
}
