/** Tables as markup: text is escaped, numbers stand to the right. */

import { escapeHtml } from "./html-page.js";

/** Text, or markup that is made of escaped text. */
export type Cell = string | { readonly html: string; readonly isNumber?: boolean };

/** Numbers, percentages and intervals. */
const NUMBER = /^[-–\d.,]+( %)?$|^not evaluated$|^–$/;

export function htmlTable(header: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const isNumeric = header.map((_, column) =>
    rows.every((row) => {
      const cell = row[column] ?? "";
      return typeof cell === "string" ? cell === "" || NUMBER.test(cell) : cell.isNumber === true;
    }),
  );
  const kind = (column: number) => (isNumeric[column] ? ' class="number"' : "");
  const head = header.map((cell, column) => `<th${kind(column)}>${escapeHtml(cell)}</th>`).join("");
  const body = rows.map(
    (row) => `<tr>${row.map((cell, column) => `<td${kind(column)}>${markup(cell)}</td>`).join("")}</tr>`,
  );
  return `<table><thead><tr>${head}</tr></thead><tbody>${body.join("\n")}</tbody></table>`;
}

function markup(cell: Cell): string {
  return typeof cell === "string" ? escapeHtml(cell) : cell.html;
}
