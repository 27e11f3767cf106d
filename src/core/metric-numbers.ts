/** The numbers among the metrics of a head, for every table that shows them. */

/** What describes the head or counts its labels, and measures nothing. */
const DESCRIPTION = ["kind", "task", "count", "intervals"];

/**
 * @param metrics of one head.
 * @param options.byClass also the numbers of each class, as "recall of benign"; a matrix stays out.
 * @returns name and value of each number; `null` where nothing was labelled.
 */
export function metricNumbers(
  metrics: object,
  { byClass = false }: { byClass?: boolean } = {},
): [name: string, value: number | null][] {
  const isNumber = (entry: [string, unknown]): entry is [string, number | null] =>
    entry[1] === null || typeof entry[1] === "number";
  return Object.entries(metrics)
    .filter(([name]) => !DESCRIPTION.includes(name))
    .flatMap(([name, value]): [string, unknown][] =>
      byClass && typeof value === "object" && value !== null && !Array.isArray(value)
        ? Object.entries(value).map(([label, own]) => [`${name} of ${label}`, own])
        : [[name, value]],
    )
    .filter(isNumber);
}

/** Three decimals, counts as they are; "not evaluated" where nothing was labelled. */
export function metricText(value: number | null, name = ""): string {
  if (value === null) return "not evaluated";
  return name.endsWith("Count") ? String(value) : value.toFixed(3);
}
