/** Proposes a mapping from what exports hold, as the text of a file that says why. */

import { stringify } from "yaml";
import { clashingName } from "../../core/result-file-names.js";
import { DATASET_NAME } from "../manifest.js";
import { DEFAULT_SPLITS } from "./mapping.js";
import { splitIn } from "./places.js";
import { type Part, proposeClass } from "./propose-class.js";
import { quoted } from "./quoted.js";
import type { Survey } from "./survey.js";

/** Heads that a model may have, less the classifier. */
const MOST_ASPECTS = 255;

export interface Proposal {
  /** The mapping file. */
  readonly text: string;
  /** One sentence for each decision. */
  readonly reasons: readonly string[];
}

/** @param name of the set. */
export function proposeMapping(found: Survey, name: string): Proposal {
  const classes = proposeClass(found);
  const { aspects, drop } = proposeAspects(found, classes?.of);
  const splits = proposeSplits(found);
  const parts: [string, Part | undefined][] = [
    ["class", classes],
    ["aspects", aspects],
    ["drop", drop],
    ["splits", splits],
  ];
  const sections = parts.flatMap(([key, part]) =>
    part ? [`${comment(part.reason)}${stringify({ [key]: part.value })}`] : [],
  );
  const head = comment(
    "How categories become classes and aspects; docs/import.md explains every key. Change it and import again with --mapping.",
  );
  const text = [`${head}${stringify({ name })}`, ...sections, groupsText(found)].join("\n");
  return { text, reasons: parts.flatMap(([, part]) => (part ? [part.reason] : [])) };
}

function groupsText({ groups }: Survey): string {
  const given =
    groups.size > 0
      ? `The export gives groups: ${quoted([...groups])}. No split divides those of at least three values; "by" under splits names those that count, as in by: [${stringify([...groups][0]).trim()}], or none: by: []. More are told so:`
      : "Images of one patient, site or device belong in one split. Say how they are told, for example:";
  return `${comment(given)}# groups:
#   patient: { name: "^(p[0-9]+)_" }   # what the parentheses match in the file's name
#   site: { folder: 1 }                # or the first folder of the path, or { attribute: site }
`;
}

function proposeAspects({ categories }: Survey, ofClass: readonly string[] = []): { aspects?: Part; drop?: Part } {
  const placed = categories.filter(({ boxCount, areaCount }) => boxCount + areaCount > 0);
  const used = [...placed].sort((a, b) => b.imageCount - a.imageCount).slice(0, MOST_ASPECTS);
  const aspects: Record<string, unknown> = {};
  const kinds = { boxes: 0, segmentation: 0 };
  const mixed: string[] = [];
  for (const category of placed.filter((one) => used.includes(one))) {
    const name = aspectName(category.name, Object.keys(aspects));
    const kind = category.areaCount >= category.boxCount ? "segmentation" : "boxes";
    kinds[kind]++;
    if (category.areaCount > 0 && category.boxCount > 0)
      mixed.push(`"${category.name}" has ${category.boxCount} boxes and ${category.areaCount} areas`);
    aspects[name] = {
      kind,
      ...(name !== category.name && { categories: [category.name] }),
      unmarked: category.absentCount > 0 ? "unlabelled" : "empty",
      unannotated: "unlabelled",
    };
  }
  const left = categories.filter((one) => !used.includes(one) && !ofClass.includes(one.name)).map(({ name }) => name);
  const said = Object.entries(kinds).flatMap(([kind, count]) => (count > 0 ? [`${count} of kind ${kind}`] : []));
  return {
    ...(used.length > 0 && {
      aspects: {
        reason: `What is marked with a place is an aspect: ${said.join(", ")}. An annotated image without a mark has none of it${mixed.length > 0 ? `. Of two forms the more frequent is taken: ${mixed.join("; ")}` : ""}.`,
        value: aspects,
      },
    }),
    ...(left.length > 0 && { drop: { reason: "Categories of which nothing could be learned.", value: left } }),
  };
}

function proposeSplits({ splits, imageCount }: Survey): Part {
  const given = new Map<string, number>();
  for (const [word, count] of splits) {
    const known = word === undefined ? undefined : splitIn(word)?.split;
    if (known !== undefined) given.set(known, (given.get(known) ?? 0) + count);
  }
  const { shares, seed } = DEFAULT_SPLITS;
  const known = [...given].map(([split, count]) => `${count} ${split}`).join(", ");
  const keptCount = [...given.values()].reduce((sum, count) => sum + count, 0);
  const drawn =
    keptCount === 0 ? "The export has no splits: they are drawn" : `The export's splits are kept (${known})`;
  const others = keptCount > 0 && keptCount < imageCount ? "; images without one are drawn" : "";
  const carved =
    keptCount === imageCount && !given.has("validation") ? "; validation is drawn from the training images" : "";
  return { reason: `${drawn}${others}${carved}.`, value: { keep: true, ...shares, seed } };
}

/** A name that our dataset allows and that is none of the others'. */
function aspectName(category: string, others: readonly string[]): string {
  const plain = category
    .normalize()
    .replace(/[^\p{L}\p{N} ._-]+/gu, "_")
    .replace(/^[^\p{L}\p{N}]+/u, "")
    .trim()
    .slice(0, 60);
  const base = plain === "" ? "aspect" : plain === "class" ? "class_" : plain;
  const isFree = (name: string) =>
    DATASET_NAME.test(name) && !others.includes(name) && clashingName(name, [...others]) === undefined;
  let name = base;
  for (let count = 2; !isFree(name); count++) name = `${base}_${count}`;
  return name;
}

/** Wrapped at the width of a terminal. */
function comment(text: string): string {
  return text.replace(/(.{1,100})(\s+|$)/g, "# $1\n");
}
