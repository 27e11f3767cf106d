/** The numbers of one tree: rooms, arrows, circles, lengths, names that occur twice, repeated lines, long functions. */

import { posix } from "node:path";
import { importCircles } from "./import-circles.js";
import { parseModule } from "./parse-module.js";
import { repeatedLines } from "./repeated-lines.js";

/** @typedef {import("./parse-module.js").Arrow} Arrow */

const LONGEST_LINE = 120;
const LONGEST_FUNCTION = 60;

/**
 * A room is a folder with files in it; a folder in a room is a room of its own. An arrow is one file that names
 * another, counted once whatever the ways.
 *
 * @param {readonly import("./tree.js").File[]} files
 */
export function countHouse(files) {
  const paths = new Set(files.map(({ path }) => path));
  const modules = files.map((file) => ({ ...file, ...parseModule(file, paths) }));
  const arrows = modules.flatMap((module) => module.arrows);
  const between = unique(arrows.map(({ from, to }) => `${from} -> ${to}`)).map((text) => text.split(" -> "));
  const apart = between.filter(([from, to]) => roomOf(from) !== roomOf(to));
  const lengths = files
    .map(({ path, text }) => ({ file: path, lines: text.split("\n").length - (text.endsWith("\n") ? 1 : 0) }))
    .toSorted((a, b) => b.lines - a.lines);
  const functions = modules.flatMap((module) => module.functions).toSorted((a, b) => b.lines - a.lines);
  return {
    files: {
      count: files.length,
      median: quantile(lengths, 0.5),
      ninetiethPercentile: quantile(lengths, 0.9),
      longest: lengths.slice(0, 10),
    },
    rooms: rooms([...paths], between),
    arrows: {
      betweenRooms: apart.length,
      pairsOfRooms: unique(apart.map(([from, to]) => `${roomOf(from)} -> ${roomOf(to)}`)).toSorted(),
      insideRooms: between.length - apart.length,
    },
    circles: circles(arrows),
    longLines: files.flatMap(({ path, text }) =>
      text.split("\n").flatMap((line, index) => (line.length > LONGEST_LINE ? [`${path}:${index + 1}`] : [])),
    ),
    fileNamesTwice: twice(
      [...paths].map((path) => ({ name: posix.basename(path).replace(/\.[jt]s$/, ""), file: path })),
    ),
    exportsTwice: twice(modules.flatMap(({ path, exports }) => unique(exports).map((name) => ({ name, file: path })))),
    repeated: repeatedLines(modules),
    longFunctions: functions.filter(({ lines }) => lines > LONGEST_FUNCTION),
  };
}

/** @param {string} path */
function roomOf(path) {
  return posix.dirname(path);
}

/**
 * Arrows are those between its entries (files, and folders as one each), which one has before one's eyes in the room.
 *
 * @param {readonly string[]} paths @param {readonly string[][]} between
 */
function rooms(paths, between) {
  const folders = unique(paths.flatMap((path) => [roomOf(path), ...(roomOf(path) === "." ? [] : ["."])])).toSorted();
  return folders.map((room) => {
    const files = paths.filter((path) => roomOf(path) === room);
    const entryOf = (/** @type {string} */ path) => {
      const inside = room === "." ? path : path.startsWith(`${room}/`) && path.slice(room.length + 1);
      return inside ? inside.split("/")[0] : undefined;
    };
    const entries = unique(paths.map(entryOf)).filter(Boolean);
    const arrows = between.map((ends) => ends.map(entryOf)).filter(([from, to]) => from && to && from !== to);
    return { room, files: files.length, entries: entries.length, arrows: unique(arrows.map(String)).length };
  });
}

/** @param {readonly Arrow[]} arrows */
function circles(arrows) {
  const isType = (/** @type {Arrow} */ { kind }) => kind === "type";
  return {
    atRuntime: importCircles(arrows.filter((arrow) => !isType(arrow))),
    throughTypes: importCircles(arrows, isType),
  };
}

/** @param {readonly { name: string, file: string }[]} items @returns {{ name: string, files: string[] }[]} */
function twice(items) {
  /** @type {Map<string, string[]>} */
  const files = new Map();
  for (const { name, file } of items) files.set(name, [...(files.get(name) ?? []), file]);
  return [...files]
    .filter(([, places]) => places.length > 1)
    .map(([name, places]) => ({ name, files: places }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Of lengths that fall. @param {readonly { lines: number }[]} lengths @param {number} share */
function quantile(lengths, share) {
  return lengths[Math.floor((lengths.length - 1) * (1 - share))]?.lines ?? 0;
}

/** @template Value @param {readonly Value[]} values */
function unique(values) {
  return [...new Set(values)];
}
