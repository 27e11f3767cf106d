/** Names in a sentence. */

const MOST = 5;

/** @returns the first of them in quotation marks, so that spaces are seen, and how many more there are. */
export function quoted(names: readonly string[]): string {
  const shown = names.slice(0, MOST).map((name) => JSON.stringify(name));
  return `${shown.join(", ")}${names.length > MOST ? ` and ${names.length - MOST} more` : ""}`;
}
