/** Merges equal remarks about many files of a dataset into one: the first file, and how many others are like it. */

import type { Fault } from "./fault.js";

export interface Remark {
  readonly severity: "warning" | "note";
  readonly line: number;
  /** Aspects that it concerns; none if it concerns images. */
  readonly aspects: readonly string[];
  /** Sentences without their place. */
  readonly message: string;
}

export interface Remarks {
  /** @param kind remarks of one kind are merged. */
  add(kind: string, remark: Remark): void;
  /** Forgets all of one kind. */
  drop(kind: string): void;
  /** One remark per kind, ordered by the line of the first file. */
  faults(file: string): Fault[];
}

export function collectRemarks(): Remarks {
  const kinds = new Map<string, { readonly first: Remark; count: number; readonly aspects: Set<string> }>();
  return {
    add(kind, remark) {
      const known = kinds.get(kind) ?? { first: remark, count: 0, aspects: new Set() };
      known.count++;
      for (const aspect of remark.aspects) known.aspects.add(aspect);
      kinds.set(kind, known);
    },
    drop: (kind) => {
      kinds.delete(kind);
    },
    faults: (file) =>
      [...kinds.values()].map(({ first: { severity, line, message }, count, aspects }) => {
        const names = [...aspects].map((name) => `"${name}"`).join(", ");
        const which = names === "" ? "" : ` (aspects ${names})`;
        const others = count > 1 ? ` The same holds for ${count - 1} more${which}.` : "";
        return { severity, file, line, message: `${file}:${line}: ${message}${others}` };
      }),
  };
}
