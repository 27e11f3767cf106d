/** A mapping against what the exports hold: names that occur nowhere, categories that nobody uses. */

import { nearest } from "../../core/check-keys.js";
import type { Mapping } from "./mapping.js";
import type { Survey } from "./survey.js";
import { type YamlValue, yamlAt } from "./yaml.js";

/**
 * @param root of the mapping file, for the places of errors.
 * @returns a sentence for what is found and not used.
 * @throws ConfigError with line and column where the mapping names what no export has.
 */
export function checkMapping(
  { classes, aspects, drop, groups, splits, licences }: Mapping,
  { categories, sources, attributes, groups: given }: Survey,
  root: YamlValue,
): string[] {
  const known = categories.map(({ name }) => name);
  const readable = [...attributes.keys()];
  const ofImages = [...new Set([...readable, ...given])];
  const need = (name: string, names: readonly string[], what: string, ...path: string[]) => {
    if (names.includes(name)) return;
    const near = nearest(name, names);
    const list = `${names.slice(0, 20).join(", ") || "none"}${names.length > 20 ? ", ..." : ""}`;
    throw yamlAt(root, ...path, name).fail(
      `no source has the ${what} "${name}".`,
      `${near ? `Did you mean "${near}"? ` : ""}Known: ${list}.`,
    );
  };
  for (const aspect of aspects)
    for (const category of aspect.categories) need(category, known, "category", "aspects", aspect.name, "categories");
  for (const category of drop) need(category, known, "category", "drop");
  const names = sources.map((source) => source.name);
  for (const name of Object.keys(licences)) need(name, names, "name", "licences");
  for (const [name, rule] of Object.entries(groups))
    if (rule.by === "attribute") need(rule.attribute, ofImages, "attribute", "groups", name, "attribute");
  const grouped = [...new Set([...given, ...Object.keys(groups)])];
  for (const name of splits.by ?? []) need(name, grouped, "group", "splits", "by");
  const words = classes?.classes.flatMap((one) => one.of.map((word) => ({ word, name: one.name }))) ?? [];
  if (classes?.from === "attribute") {
    need(classes.attribute, readable, "attribute", "class", "attribute");
    const values = [...(attributes.get(classes.attribute)?.keys() ?? [])].map((value) => value.normalize());
    for (const { word, name } of words) need(word, values, `value of ${classes.attribute}`, "class", "classes", name);
  }
  const isByCategory = classes?.from === "tags" || classes?.from === "marks";
  if (isByCategory) for (const { word, name } of words) need(word, known, "category", "class", "classes", name);
  const ofClasses = isByCategory ? words.map(({ word }) => word) : [];
  const used = new Set([...drop, ...aspects.flatMap((one) => one.categories), ...ofClasses]);
  const unused = known.filter((name) => !used.has(name));
  return unused.length === 0 ? [] : [`not used by the mapping: ${unused.join(", ")}`];
}
