/** What a rule of an audit may say, and that it says so. */

import { checkKeys, findName, nearest } from "../core/check-keys.js";
import { InputError } from "../core/errors.js";
import { shown } from "../core/message-text.js";

/** What is counted: the key that a rule has exactly one of. */
export const RULE_KINDS = ["never", "always", "elsewhere", "outliers", "change"] as const;
export type RuleKind = (typeof RULE_KINDS)[number];

/** How much of the reason lies elsewhere: no known aspect at all, or most of it too. */
export const EXTENTS = ["wholly", "mostly"] as const;
export type Extent = (typeof EXTENTS)[number];

/** A rule of `audit.json`, read. */
export interface AuditRule {
  /** For messages: `audit.json: rules[0]`. */
  readonly where: string;
  /** What it is called in results; by default its meaning in words. */
  readonly name: string;
  readonly kind: RuleKind;
  /** Answer of the images that are counted; all answers where absent. */
  readonly class?: string;
  /** Group whose values are judged each alone. */
  readonly by?: string;
  /** Of `never`, `always` and `change`. */
  readonly aspect?: string;
  /** Of `elsewhere`. */
  readonly extent?: Extent;
  /** Only images in which the aspect is present. */
  readonly isPresentOnly: boolean;
  readonly side: "atMost" | "atLeast";
  readonly limit: number;
  /** Folder of another report, of `change` and `outliers`. */
  readonly against?: string;
}

const COMMON = ["name", "class", "by"];
/** Keys of a rule by what it counts. */
export const RULE_KEYS: Readonly<Record<RuleKind, readonly string[]>> = {
  never: ["never", "atMost", "where", ...COMMON],
  always: ["always", "atLeast", "where", ...COMMON],
  elsewhere: ["elsewhere", "atMost", ...COMMON],
  outliers: ["outliers", "atMost", "against", ...COMMON],
  change: ["change", "atMost", "against", ...COMMON],
};
const ALL_KEYS = [...new Set(Object.values(RULE_KEYS).flat())];
const MOST_RULES = 10_000;

/**
 * Reads the content of `audit.json`; names of classes, aspects and groups are checked when the report is known.
 *
 * @param where names the file.
 * @throws InputError naming the rule and its key.
 */
export function parseRules(value: unknown, where: string): AuditRule[] {
  checkKeys(value, ["rules", "$schema"], where);
  const { rules } = value;
  if (!Array.isArray(rules) || rules.length === 0 || rules.length > MOST_RULES)
    throw new InputError(`${where}: rules: expected a list of 1 to ${MOST_RULES} rules, got ${shown(rules)}.`);
  return rules.map((rule, index) => parseRule(rule, `${where}: rules[${index}]`));
}

function parseRule(value: unknown, where: string): AuditRule {
  checkKeys(value, ALL_KEYS, where);
  const kinds = RULE_KINDS.filter((kind) => kind in value);
  if (kinds.length !== 1)
    throw new InputError(`${where}: ${kinds.length === 0 ? "counts nothing" : `has ${kinds.join(" and ")}`}.`, {
      cure: `Give one of ${RULE_KINDS.join(", ")}.`,
    });
  const [kind] = kinds;
  const alien = Object.keys(value).find((key) => !RULE_KEYS[kind].includes(key));
  if (alien !== undefined)
    throw new InputError(`${where}: "${alien}" does not go with "${kind}".`, {
      cure: `What does: ${RULE_KEYS[kind].join(", ")}.`,
    });
  const side = kind === "always" ? "atLeast" : "atMost";
  const rule = {
    where,
    kind,
    ...optional("class", value.class, where),
    ...optional("by", value.by, where),
    ...optional("against", value.against, where),
    ...counts(kind, value, where),
    isPresentOnly: isPresentOnly(value.where, where),
    side,
    limit: limitOf(value[side], { kind, side, where: `${where}.${side}` }),
  } as const;
  if (kind === "change" && rule.against === undefined)
    throw new InputError(`${where}: names no other report.`, { cure: 'Name its folder as "against".' });
  return { ...rule, name: optional("name", value.name, where).name ?? ruleText(rule) };
}

function counts(kind: RuleKind, value: Record<string, unknown>, where: string): Pick<AuditRule, "aspect" | "extent"> {
  const given = value[kind];
  if (kind === "outliers") {
    if (given === true) return {};
    throw new InputError(`${where}.outliers: expected true, got ${shown(given)}.`);
  }
  if (kind === "elsewhere") {
    const extent = EXTENTS.find((name) => name === given);
    if (extent) return { extent };
    throw new InputError(`${where}.elsewhere: expected one of ${EXTENTS.join(", ")}, got ${shown(given)}.`);
  }
  return { aspect: text(given, `${where}.${kind}`) };
}

function optional<Key extends string>(key: Key, value: unknown, where: string): { readonly [Name in Key]?: string } {
  if (value === undefined) return {};
  return { [key]: text(value, `${where}.${key}`) } as { readonly [Name in Key]?: string };
}

function text(value: unknown, where: string): string {
  if (typeof value === "string" && value.trim() !== "" && !value.includes("\0")) return value;
  throw new InputError(`${where}: expected a name, got ${shown(value)}.`);
}

function isPresentOnly(value: unknown, where: string): boolean {
  if (value === undefined) return false;
  if (value === "present") return true;
  throw new InputError(`${where}.where: expected "present", got ${shown(value)}.`);
}

/** One that every report keeps is no rule. */
function limitOf(
  value: unknown,
  { kind, side, where }: { kind: RuleKind; side: "atMost" | "atLeast"; where: string },
): number {
  const [isOpenBelow, isOpenAbove] = [side === "atLeast" || kind === "change", side === "atMost"];
  const isIn =
    typeof value === "number" && (isOpenBelow ? value > 0 : value >= 0) && (isOpenAbove ? value < 1 : value <= 1);
  if (isIn) return value;
  const range = `${isOpenBelow ? "above 0" : "from 0"} ${isOpenAbove ? "and below 1" : "to 1"}`;
  throw new InputError(`${where}: expected a share ${range}, got ${shown(value)}.`);
}

/** A rule in words. */
function ruleText(rule: Omit<AuditRule, "name">): string {
  const share = `at ${rule.side === "atMost" ? "most" : "least"} ${percentText(rule.limit)}`;
  const other = rule.against === undefined ? "" : ` beside ${rule.against}`;
  const said: Readonly<Record<RuleKind, string>> = {
    never: `${rule.aspect} is relevant in ${share}`,
    always: `${rule.aspect} is relevant in ${share}`,
    elsewhere: `${rule.extent === "wholly" ? "no known aspect explains" : "most of the reason lies elsewhere in"} ${share}`,
    outliers: `${share} are unusual${other}`,
    change: `${rule.aspect} is relevant as often as in ${rule.against}, up to ${percentText(rule.limit)}`,
  };
  const present = rule.isPresentOnly ? " of the images that show it" : "";
  return `${rule.class ?? "any answer"}: ${said[rule.kind]}${present}`;
}

/** 0.02 as `2 %`. */
export function percentText(share: number): string {
  return `${Number((100 * share).toPrecision(3))} %`;
}

/** What a report knows, that rules name. */
export interface KnownNames {
  readonly classes: readonly string[];
  readonly aspects: readonly string[];
  readonly groups: readonly string[];
}

/**
 * The rules with the names as the report spells them.
 *
 * @throws InputError naming what is not known, and the nearest that is.
 */
export function withKnownNames(rules: readonly AuditRule[], known: KnownNames): AuditRule[] {
  return rules.map((rule) => ({
    ...rule,
    ...spelled(rule, "class", { key: "class", what: "class", known: known.classes }),
    ...spelled(rule, "aspect", { key: rule.kind, what: "aspect", known: known.aspects }),
    ...spelled(rule, "by", { key: "by", what: "group", known: known.groups }),
  }));
}

function spelled<Field extends "class" | "aspect" | "by">(
  rule: AuditRule,
  field: Field,
  { key, what, known }: { key: string; what: string; known: readonly string[] },
): { readonly [Name in Field]?: string } {
  const given = rule[field];
  if (given === undefined) return {};
  const found = findName(given, known);
  if (found !== undefined) return { [field]: found } as { readonly [Name in Field]?: string };
  const near = nearest(given, known);
  throw new InputError(`${rule.where}.${key}: there is no ${what} ${shown(given)}.`, {
    cure: `${near === undefined ? "" : `Did you mean "${near}"? `}Known: ${known.join(", ") || "none"}.`,
  });
}
