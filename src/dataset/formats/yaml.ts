/** YAML as plain texts, lists and maps, each with its place: `no`, `007` and `1e3` stay the texts that they are. */

import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import { nearest } from "../../core/check-keys.js";
import { InputError, type InputErrorClass } from "../../core/errors.js";
import { clip } from "../../core/terminal.js";

/** A value in a YAML file. */
export interface YamlValue {
  readonly kind: "text" | "list" | "map" | "nothing";
  /** Of a text; empty of others. */
  readonly text: string;
  readonly items: readonly YamlValue[];
  readonly entries: ReadonlyMap<string, YamlValue>;
  /** Places of the keys. */
  readonly keys: ReadonlyMap<string, YamlValue>;
  /** An error at this place. */
  fail(what: string, cure: string): InputError;
}

/**
 * @param options.file named in messages.
 * @throws the given error class, with line and column, where it is no YAML; anchors and repeated keys are no harm to us
 *   and are refused only where YAML forbids them.
 */
export function parseYaml(
  text: string,
  { file, error: ErrorClass = InputError }: { file: string; error?: InputErrorClass },
): YamlValue {
  const lines = new LineCounter();
  const failAt = (offset: number, what: string, cure: string, cause?: unknown) => {
    const { line, col } = lines.linePos(offset);
    return new ErrorClass(`${file}:${line}:${col}: ${what}`, { cure, file, line, cause });
  };
  // Failsafe knows texts alone; aliases are not followed, so that a small file cannot become a large one.
  const document = parseDocument(text, { schema: "failsafe", lineCounter: lines, prettyErrors: false });
  const [first] = document.errors;
  if (first) throw failAt(first.pos[0], `is not YAML (${clip(first.message)}).`, "Correct it.", first);
  const toValue = (node: unknown, offset: number): YamlValue => {
    const at = (node as Node | null)?.range?.[0] ?? offset;
    const fail: YamlValue["fail"] = (what, cure) => failAt(at, what, cure);
    const empty = { text: "", items: [], entries: new Map(), keys: new Map(), fail };
    if (isMap(node)) {
      const keys = new Map<string, YamlValue>();
      const entries = new Map<string, YamlValue>();
      for (const { key, value } of node.items) {
        const name = toValue(key, at);
        if (name.kind !== "text") throw name.fail("a key that is no text.", "Write a name before the colon.");
        keys.set(name.text, name);
        entries.set(name.text, toValue(value, (key as Node).range?.[0] ?? at));
      }
      return { ...empty, kind: "map", entries, keys };
    }
    if (isSeq(node)) return { ...empty, kind: "list", items: node.items.map((item) => toValue(item, at)) };
    if (isScalar(node)) {
      const text = String(node.value ?? "");
      const isNothing = text === "" && !node.type?.startsWith("QUOTE");
      return { ...empty, kind: isNothing ? "nothing" : "text", text };
    }
    if (node === null || node === undefined) return { ...empty, kind: "nothing" };
    throw fail("an alias or something else that is not read.", "Write the value itself.");
  };
  return toValue(document.contents, 0);
}

/** The value at a path of keys, as far as there is one; at its end perhaps one text of a list. */
export function yamlAt(root: YamlValue, ...path: string[]): YamlValue {
  let at = root;
  for (const key of path) at = at.entries.get(key) ?? at.items.find(({ text }) => text === key) ?? at;
  return at;
}

/** @throws at the first key that is not `known`, with the nearest. */
export function checkYamlKeys(value: YamlValue, known: readonly string[], what: string): YamlValue["entries"] {
  if (value.kind !== "map")
    throw value.fail(`${what} is ${nameOf(value)}.`, `Write keys with values: ${known.join(", ")}.`);
  for (const [key, place] of value.keys) {
    if (known.includes(key)) continue;
    const near = nearest(key, known);
    const cure = `${near ? `Did you mean "${near}"? ` : ""}Known: ${known.join(", ")}.`;
    throw place.fail(`${what} has the unknown key "${clip(key)}".`, cure);
  }
  return value.entries;
}

/** The texts of a list, or a single text as a list of one. */
export function yamlTexts(value: YamlValue, what: string): { text: string; value: YamlValue }[] {
  if (value.kind === "text") return [{ text: value.text, value }];
  if (value.kind !== "list") throw value.fail(`${what} is ${nameOf(value)}.`, "Write a list, as in [a, b].");
  return value.items.map((item) => ({ text: yamlText(item, what), value: item }));
}

export function yamlText(value: YamlValue, what: string): string {
  if (value.kind === "text") return value.text;
  throw value.fail(`${what} is ${nameOf(value)}.`, "Write a text.");
}

/** One of some words. */
export function yamlWord<Word extends string>(value: YamlValue, words: readonly Word[], what: string): Word {
  const text = yamlText(value, what);
  const found = words.find((word) => word === text);
  if (found !== undefined) return found;
  const near = nearest(text, words);
  const cure = `${near ? `Did you mean "${near}"? ` : ""}Write one of: ${words.join(", ")}.`;
  throw value.fail(`${what} is "${clip(text)}".`, cure);
}

function nameOf({ kind, text }: YamlValue): string {
  return kind === "text" ? `the text "${clip(text)}"` : kind === "nothing" ? "empty" : `a ${kind}`;
}
