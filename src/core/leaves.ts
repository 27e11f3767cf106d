/** The plain values of nested data by their key, as `--set` names it: `heads.nucleus.tap`, `stages.0.epochs`. */

/** Lists of plain values stay together. */
export function leavesOf(value: unknown, prefix = ""): [key: string, value: unknown][] {
  const isList = Array.isArray(value) && value.every((one) => typeof one !== "object");
  if (typeof value !== "object" || value === null || isList) return [[prefix, value]];
  return Object.entries(value).flatMap(([key, own]) => leavesOf(own, prefix === "" ? key : `${prefix}.${key}`));
}

/** A leaf as text: a string as it is, else as JSON; a key that is absent as a dash. */
export function leafText(value: unknown): string {
  if (value === undefined) return "–";
  return typeof value === "string" ? value : JSON.stringify(value);
}
