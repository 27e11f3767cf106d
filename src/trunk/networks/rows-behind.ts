/** Which rows of a table are needed for others. */

import type { Operation } from "./operation.js";

/**
 * Rows to compute for those that are wanted, in order, without what is given. Every row stands after its inputs, so one walk
 * from the end meets each after all that read it.
 *
 * @param options.given names whose values are there; the image alone by default.
 * @returns `undefined` where what is given does not lead there.
 */
export function rowsBehind(
  operations: readonly Operation[],
  { given = new Set(["input"]), want }: { readonly given?: ReadonlySet<string>; readonly want: readonly string[] },
): readonly Operation[] | undefined {
  const needed = new Set(want);
  const rows: Operation[] = [];
  for (const row of operations.toReversed()) {
    if (!needed.delete(row.name) || given.has(row.name)) continue;
    for (const input of row.inputs) needed.add(input);
    rows.push(row);
  }
  const isMissing = [...needed].some((name) => !given.has(name));
  return isMissing ? undefined : rows.reverse();
}
