/** `bench/results/mappings.md`. */

/**
 * @typedef {object} Found on test images that are answered right; shares of 0 to 1.
 * @property {number} line
 * @property {number} images with a known cause
 * @property {number | null} first
 * @property {number | null} causes relevant
 * @property {number | null} distractors relevant
 * @property {number | null} none: no aspect is relevant, though the cause is known
 */

/**
 * @typedef {object} Counted
 * @property {number} count
 * @property {string} from @property {string} to
 * @property {number} [r2] @property {Readonly<Record<string, number | null>>} [agreement]
 * @property {number} seconds
 * @property {Found} found
 */

/**
 * @typedef {object} Row
 * @property {string} name @property {string} kind
 * @property {string} from @property {string} to
 * @property {number} [r2] @property {Readonly<Record<string, number | null>>} [agreement]
 * @property {number} seconds
 * @property {Found} found
 * @property {Found | null} shared
 * @property {number} [randomized] share of aspects that are relevant where the classifier is re-initialised
 * @property {{ r2: number, agreement: Readonly<Record<string, number | null>>, found: Found }} [shuffled] by the line
 *   of the mapping that is right
 * @property {readonly Counted[]} [counts]
 * @property {{ shared: readonly string[], mapped: readonly string[], found: Found } | null} [together]
 */

const percent = (/** @type {number | null | undefined} */ share) =>
  share == null ? "–" : `${(100 * share).toFixed(1)} %`;
const least = (/** @type {Readonly<Record<string, number | null>> | undefined} */ agreement) => {
  const known = Object.values(agreement ?? {}).flatMap((value) => value ?? []);
  return known.length > 0 ? Math.min(...known).toFixed(2) : "–";
};
const cells = (/** @type {Found | null | undefined} */ found) =>
  found ? [found.first, found.causes, found.distractors, found.none].map(percent) : ["–", "–", "–", "–"];
const FOUND = ["cause first", "causes relevant", "distractors relevant", "none relevant"];

/** @param {readonly Row[]} rows */
export function pageOf(rows) {
  const controlled = rows.find((row) => row.counts);
  const lines = [
    "# Aspects of another network",
    "",
    "Made by `bench/mappings/run.js`, which says how: classifiers trained alone, aspects trained alone on other images,",
    "mappings learned from 1,000 images without labels. On test images that are answered right and whose cause is known;",
    "the line of relevance as training sets it. Agreement: of the head that answers least alike on mapped and on true",
    "features of held-out images.",
    "",
    markdownTable(
      ["condition", "mapping", "from", "to", "R2", "least agreement", "seconds", "images", ...FOUND],
      rows.map(({ name, kind, from, to, r2, agreement, seconds, found }) => [
        ...[name, kind, from, to, r2?.toFixed(3) ?? "–", least(agreement), String(seconds), String(found.images)],
        ...cells(found),
      ]),
    ),
    "",
    "The same classes and aspects trained jointly on one trunk (`bench/faithfulness`), on the same images:",
    "",
    markdownTable(
      ["condition", ...FOUND],
      rows.flatMap(({ name, shared }) => (shared ? [[name, ...cells(shared)]] : [])),
    ),
  ];
  if (!controlled) return `${lines.join("\n")}\n`;
  const { name, randomized, shuffled, counts = [], together } = controlled;
  lines.push(
    "",
    `## Controls, on ${name}`,
    "",
    `With the classifier re-initialised ${percent(randomized)} of the aspects are relevant.`,
    "",
    markdownTable(
      ["", ...FOUND],
      [
        ["as mapped", ...cells(controlled.found)],
        [
          `mapping learned from pairs of different images (R2 ${shuffled?.r2.toFixed(3)}, least agreement ` +
            `${least(shuffled?.agreement)}), the same line`,
          ...cells(shuffled?.found),
        ],
        ...(together
          ? [
              [
                `${together.shared.join(", ")} on the classifier's trunk, ${together.mapped.join(", ")} mapped`,
                ...cells(together.found),
              ],
            ]
          : []),
      ],
    ),
    "",
    "## How many images",
    "",
    markdownTable(
      ["images", "from", "to", "R2", "least agreement", "seconds", ...FOUND],
      counts.map(({ count, from, to, r2, agreement, seconds, found }) => [
        ...[String(count), from, to, r2?.toFixed(3) ?? "–", least(agreement), String(seconds)],
        ...cells(found),
      ]),
    ),
  );
  return `${lines.join("\n")}\n`;
}

/** @param {readonly string[]} head @param {readonly (readonly string[])[]} rows */
function markdownTable(head, rows) {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
