/** What two folders that the same commands made have in common, file by file. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, extname, join } from "node:path";
import sharp from "sharp";
import { compareJson } from "./compare-json.js";
import { compareArrays } from "./safetensors.js";

/**
 * `words`: sentences were reworded; `looks`: a page or picture for people differs, or is called otherwise; `names`: a
 * graph's bytes differ. None of these counts as a difference.
 * @typedef {"equal" | "words" | "looks" | "names" | "different"} Verdict
 */
/** @typedef {{ model: string, kind: string, name: string, verdict: Verdict, where: string }} Item */

/** Made by the script itself, or holding nothing but times. */
const LEFT_OUT = /^(cut|flipped|foreign)\.aspect$|events\.out\.tfevents|\.aspectlens-drawn$/;
/** Pages and pictures for people. */
const LOOKS = /\.(html|md|txt)$|\.overlay\.jpg$|\.compare\.png$|worst-\d+\.jpg$/;

/**
 * @param {string} before
 * @param {string} after
 * @param {readonly string[]} models
 * @returns {Promise<Item[]>} bundles are compared elsewhere.
 */
export async function compareFolders(before, after, models) {
  const paths = [...new Set([...filesIn(before), ...filesIn(after)])].toSorted();
  const items = [];
  for (const path of paths) {
    if (LEFT_OUT.test(path) || path.endsWith(".aspect")) continue;
    const model = models.find((name) => path.split(/[/.-]/).includes(name)) ?? "others";
    const isInBoth = existsSync(join(before, path)) && existsSync(join(after, path));
    const found = isInBoth
      ? await compareFiles(path, readFileSync(join(before, path)), readFileSync(join(after, path)))
      : { verdict: LOOKS.test(path) ? "looks" : "different", where: "only one build makes it" };
    items.push(/** @type {Item} */ ({ model, kind: kindOf(path), name: path, ...found }));
  }
  return items;
}

/**
 * @param {string} path for its ending.
 * @param {Buffer} before
 * @param {Buffer} after
 * @returns {Promise<{ verdict: Verdict, where: string }>}
 */
export async function compareFiles(path, before, after) {
  if (before.equals(after)) return { verdict: "equal", where: "" };
  if (LOOKS.test(path)) return { verdict: "looks", where: "" };
  if (path.endsWith(".safetensors")) return compareArrays(before, after);
  if (path.endsWith(".png")) return comparePixels(before, after);
  const [a, b] = [before, after].map((bytes) => parsed(bytes.toString("utf8")));
  // What these list is compared itself, so sizes and hashes say nothing more.
  const lists = { "bundle.json": ["files"], ".aspectlens-files": ["bytes", "sha256"] };
  const ignored = Object.entries(lists).find(([name]) => name === basename(path))?.[1] ?? [];
  return a && b ? compareJson(a, b, { ignored }) : { verdict: "different", where: "its bytes" };
}

/** JSON, or JSON line by line. @param {string} text @returns {unknown} undefined where it is neither. */
export function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    const lines = text.split("\n").filter((line) => line !== "");
    try {
      return lines.length === 0 ? undefined : lines.map((line) => JSON.parse(line));
    } catch {
      return undefined;
    }
  }
}

/**
 * @param {Buffer} before
 * @param {Buffer} after
 * @returns {Promise<{ verdict: "equal" | "different", where: string }>}
 */
async function comparePixels(before, after) {
  const [a, b] = await Promise.all(
    [before, after].map((png) => sharp(png).raw().toBuffer({ resolveWithObject: true })),
  );
  const isSame = a.data.equals(b.data) && a.info.width === b.info.width && a.info.channels === b.info.channels;
  return { verdict: isSame ? "equal" : "different", where: isSame ? "" : "its pixels" };
}

/** @param {string} path */
function kindOf(path) {
  if (/^runs\/.*\/best\/references/.test(path)) return "references";
  if (/^runs\/.*\/best\/.*\.safetensors$/.test(path)) return "trained weights";
  if (/^runs\/.*\/best\//.test(path)) return "threshold, heads, metrics (best/model.json)";
  if (/^runs\//.test(path)) return "other files of the run";
  if (/^explained\//.test(path)) {
    if (LOOKS.test(path)) return "pictures of explanations";
    return extname(path) === ".png" ? "masks" : "explanations";
  }
  return /^faithfulness\//.test(path) ? "faithfulness" : "datasets and weights";
}

/** @param {string} folder */
function filesIn(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}
