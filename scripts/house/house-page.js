/** The counts of one tree or two as a Markdown page, "before" and "after" side by side. */

/** @typedef {ReturnType<typeof import("./count-house.js").countHouse>} House */

/** Of a list; `--json` has all. */
const MOST_SHOWN = 40;

/**
 * @param {readonly { title: string, house: House }[]} columns one tree or two.
 * @returns {string}
 */
export function housePage(columns) {
  const titles = columns.map(({ title }) => title);
  const numbers = (/** @type {(house: House) => number} */ read) => columns.map(({ house }) => read(house));
  const rooms = [...new Set(columns.flatMap(({ house }) => house.rooms.map(({ room }) => room)))].toSorted();
  const last = columns[columns.length - 1].house;
  return [
    "# The house, counted",
    "",
    "Made by `node scripts/house.js BASE > bench/results/house.md`, where BASE is the commit to compare with.",
    "",
    "A room is a folder of `src` with files in it; a folder in a room is a room of its own. An arrow is one file that",
    "names another in any way: `import`, `import type`, `import()`, `typeof import()`, a worker's `new URL()`.",
    "Arrows in a room lie between its entries, where a folder is one. Circles: the shortest through each arrow",
    "that lies in one. Repeated lines lie in runs of at least six lines that stand elsewhere too; empty lines, imports",
    "and indentation are left out.",
    "",
    ...table(
      ["", ...titles],
      [
        ["files", ...numbers(({ files }) => files.count)],
        ["lines of the median file", ...numbers(({ files }) => files.median)],
        ["90th percentile", ...numbers(({ files }) => files.ninetiethPercentile)],
        ["lines of the longest", ...numbers(({ files }) => files.longest[0]?.lines ?? 0)],
        ["rooms", ...numbers((house) => house.rooms.length)],
        ["most entries in one room", ...numbers((house) => Math.max(...house.rooms.map(({ entries }) => entries)))],
        ["most arrows in one room", ...numbers((house) => Math.max(...house.rooms.map((room) => room.arrows)))],
        ["arrows between rooms", ...numbers(({ arrows }) => arrows.betweenRooms)],
        ["pairs of rooms with arrows", ...numbers(({ arrows }) => arrows.pairsOfRooms.length)],
        ["arrows inside rooms", ...numbers(({ arrows }) => arrows.insideRooms)],
        ["import circles", ...numbers(({ circles }) => circles.atRuntime.length)],
        ["circles closed by types only", ...numbers(({ circles }) => circles.throughTypes.length)],
        ["lines longer than 120 characters", ...numbers(({ longLines }) => longLines.length)],
        ["file names that occur twice or more", ...numbers(({ fileNamesTwice }) => fileNamesTwice.length)],
        ["names exported by two files or more", ...numbers(({ exportsTwice }) => exportsTwice.length)],
        ["clusters of repeated lines", ...numbers(({ repeated }) => repeated.clusters.length)],
        ["repeated lines", ...numbers(({ repeated }) => repeated.lines)],
        ["functions longer than 60 lines", ...numbers(({ longFunctions }) => longFunctions.length)],
      ],
    ),
    "",
    "## Rooms: files / entries / arrows between its entries",
    "",
    ...table(
      ["room", ...titles],
      rooms.map((name) => [
        `\`src${name === "." ? "" : `/${name}`}\``,
        ...columns.map(({ house }) => {
          const found = house.rooms.find(({ room }) => room === name);
          return found ? `${found.files} / ${found.entries} / ${found.arrows}` : "";
        }),
      ]),
    ),
    ...columns.flatMap(({ title, house }) => ["", `## ${title}`, ...lists(house)]),
    "",
    "## Arrows between rooms",
    "",
    ...last.arrows.pairsOfRooms.map((pair) => `- ${pair}`),
    "",
  ].join("\n");
}

/** @param {House} house */
function lists(house) {
  /** @type {[string, string[]][]} */
  const sections = [
    ["Longest files", house.files.longest.map(({ file, lines }) => `${file}: ${lines}`)],
    [
      "Functions longer than 60 lines",
      house.longFunctions.map(({ name, file, lines }) => `${name} (${file}): ${lines}`),
    ],
    ["Import circles", house.circles.atRuntime.map(closed)],
    ["Circles closed by types only", house.circles.throughTypes.map(closed)],
    ["Lines longer than 120 characters", house.longLines],
    [
      "File names that occur twice or more",
      house.fileNamesTwice.map(({ name, files }) => `${name}: ${files.join(", ")}`),
    ],
    [
      "Names exported by two files or more",
      house.exportsTwice.map(({ name, files }) => `${name}: ${files.join(", ")}`),
    ],
    [
      "Repeated lines",
      house.repeated.clusters.map((cluster) =>
        cluster.map(({ file, line, length }) => `${file}:${line} (${length})`).join(", "),
      ),
    ],
  ];
  return sections.flatMap(([title, items]) => ["", `### ${title}`, "", ...shownItems(items)]);
}

/** @param {readonly string[]} items */
function shownItems(items) {
  if (items.length === 0) return ["None."];
  const rest = items.length > MOST_SHOWN ? [`- and ${items.length - MOST_SHOWN} more`] : [];
  return [...items.slice(0, MOST_SHOWN).map((item) => `- ${item}`), ...rest];
}

/** @param {readonly string[]} circle */
function closed(circle) {
  return [...circle, circle[0]].join(" -> ");
}

/** @param {readonly string[]} head @param {readonly (string | number)[][]} rows */
function table(head, rows) {
  const line = (/** @type {readonly (string | number)[]} */ cells) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, index) => (index === 0 ? "---" : "---:"))), ...rows.map(line)];
}
