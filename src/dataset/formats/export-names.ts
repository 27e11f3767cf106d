/** What classes and aspects are called as categories of another tool, and the mapping that leads back. */

import { stringify } from "yaml";
import type { Manifest } from "../manifest.js";

export interface ExportNames {
  /** Category by class, in the order of the dataset. */
  readonly classes: ReadonlyMap<string, string>;
  /** Category by aspect; those that cannot be said are left out. */
  readonly aspects: ReadonlyMap<string, string>;
}

/** Kinds that other tools know. An amount is a number, for which they have no place. */
const KINDS: readonly string[] = ["segmentation", "boxes", "presence"];

/** A class that is called like an aspect gets a name of its own. */
export function exportNames({ classes, aspects }: Pick<Manifest, "classes" | "aspects">): ExportNames {
  const kept = aspects.filter(({ kind }) => KINDS.includes(kind)).map(({ name }) => name);
  const taken = new Set(kept);
  const nameOf = (name: string) => {
    let category = name;
    while (taken.has(category)) category = `class ${category}`;
    taken.add(category);
    return category;
  };
  return {
    classes: new Map(classes.map((name) => [name, nameOf(name)])),
    aspects: new Map(kept.map((name) => [name, name])),
  };
}

/**
 * The mapping file with which `data import` makes the same dataset again.
 *
 * @param options.saysAbsent the format tells what is absent; else an annotated image without a mark has none.
 * @param options.saysTags the format has classes and presence of whole images.
 */
export function mappingBack(
  { name, task, aspects }: Manifest,
  names: ExportNames,
  { saysAbsent, saysTags }: { saysAbsent: boolean; saysTags: boolean },
): string {
  const state = { unmarked: saysAbsent ? "unlabelled" : "empty", unannotated: "unlabelled" };
  const kinds = aspects.filter((aspect) => names.aspects.has(aspect.name) && (saysTags || aspect.kind !== "presence"));
  const text = stringify({
    name,
    ...(saysTags &&
      task !== "regression" && {
        class: {
          ...{ task, from: "tags" },
          classes: Object.fromEntries([...names.classes].map(([own, category]) => [own, [category]])),
          unmarked: "unlabelled",
        },
      }),
    ...(kinds.length > 0 && {
      aspects: Object.fromEntries(
        kinds.map((aspect) => [
          aspect.name,
          { kind: aspect.kind, categories: [names.aspects.get(aspect.name)], ...state },
        ]),
      ),
    }),
    splits: { keep: true, by: [] },
  });
  return saysTags ? text : `# This form has no classes of whole images: say under "class" what they are.\n${text}`;
}
