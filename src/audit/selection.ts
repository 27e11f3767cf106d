/** Which images of a report a rule is about, and what it looks for in each, as SQL. */

import { quoted } from "../survey/duck.js";
import { NOTHING_KNOWN, UNSAID } from "../survey/summary/class-counts.js";
import { UNUSUAL } from "../survey/unusual.js";
import type { AuditRule, Extent } from "./rules.js";

/** Names of the views of one report. */
export interface Views {
  readonly images: string;
  readonly aspects: string;
}

export const HERE: Views = { images: "images", aspects: "aspects" };
export const THERE: Views = { images: "otherImages", aspects: "otherAspects" };

/** Cases of explanations whose reason lies elsewhere. */
const ELSEWHERE: Readonly<Record<Extent, readonly string[]>> = {
  wholly: NOTHING_KNOWN,
  mostly: [...NOTHING_KNOWN, "partly-elsewhere"],
};

/**
 * One row an image that the rule is about: `part` is the group's value; `isAsked` whether the rule is about it indeed,
 * `isSaid` whether the explanation can tell, `hit` whether it has what is counted; `weight` orders the images that are
 * named.
 *
 * @param unusual a query that gives `image` and `p`, instead of how unusual the report itself finds its images.
 */
export function selection(
  rule: AuditRule,
  { views = HERE, unusual }: { views?: Views; unusual?: string } = {},
): string {
  const { kind, aspect, by, isPresentOnly } = rule;
  const from =
    aspect !== undefined
      ? `${views.images} AS i JOIN ${views.aspects} AS a ON a.image = i.image AND a.name = ${quoted(aspect)}`
      : unusual !== undefined
        ? `${views.images} AS i LEFT JOIN (${unusual}) AS u ON u.image = i.image`
        : `${views.images} AS i`;
  const part = by === undefined ? "NULL::VARCHAR" : partOf(by);
  const p = unusual === undefined ? "i.unusualP" : "u.p";
  const cases = (names: readonly string[]) => `i."case" IN (${names.map(quoted).join(", ")})`;
  const [isAsked, isSaid, hit, weight] = {
    // What is there and has no score cannot be read.
    aspect: [
      isPresentOnly ? "a.isPresent" : "true",
      "a.isRelevant IS NOT NULL AND NOT (a.isPresent AND a.score IS NULL)",
      "a.isRelevant",
      kind === "always" ? "i.elsewhere" : "a.share",
    ],
    elsewhere: ["true", `NOT ${cases(UNSAID)}`, cases(ELSEWHERE[rule.extent ?? "wholly"]), "i.elsewhere"],
    outliers: [`${p} IS NOT NULL`, "true", `${p} <= ${UNUSUAL}`, `-${p}`],
  }[kind === "elsewhere" || kind === "outliers" ? kind : "aspect"];
  return `SELECT i.image, i.sha256, i.path, ${part} AS part, ${isAsked} AS isAsked, ${isSaid} AS isSaid,
      coalesce(${hit}, false) AS hit, ${weight} AS weight
    FROM ${from} WHERE i.error IS NULL${rule.class === undefined ? "" : ` AND i.predicted = ${quoted(rule.class)}`}
      ${by === undefined ? "" : `AND ${part} IS NOT NULL`}`;
}

function partOf(by: string): string {
  return by === "split" ? "coalesce(i.groups['split'], i.split)" : `i.groups[${quoted(by)}]`;
}
