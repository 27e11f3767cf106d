/** The page of a faithfulness run: the table, the controls, and the overlays of the worst cases. */

import type { Faithfulness } from "../faithfulness/faithfulness.js";
import { faithfulnessLines, METHOD_COLUMNS, methodRows } from "../pictures/faithfulness-table.js";
import { escapeHtml, htmlPage } from "./html-page.js";

export interface PictureOfCase {
  /** File name, in the folder of the page. */
  readonly file: string;
  readonly image: string;
  readonly causes: readonly string[];
  readonly distractors: readonly string[];
  /** Relevance of the most relevant distractor less that of the most relevant cause. */
  readonly error: number;
  /** Whether one of the causes was called relevant. */
  readonly isCauseRelevant: boolean;
}

/** @returns a page that loads nothing but the overlays in its folder. */
export function faithfulnessPage(
  faithfulness: Faithfulness,
  { model, dataset, worst }: { model: string; dataset: string; worst: readonly PictureOfCase[] },
): string {
  const rows = methodRows(faithfulness).map(
    ({ isDefault, cells }) =>
      `<tr${isDefault ? ' class="own"' : ""}>${cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join("")}</tr>`,
  );
  const cases = worst.map((one) => {
    const { file, image, causes, distractors } = one;
    const present = `cause: ${escapeHtml(causes.join(", "))}; also there: ${escapeHtml(distractors.join(", "))}`;
    const caption = `<b>${escapeHtml(image)}</b>: ${verdictOf(one)}; ${present}`;
    const img = `<img src="${encodeURI(file)}" loading="lazy" alt="">`;
    return `<figure>${img}<figcaption>${caption}</figcaption></figure>`;
  });
  const lines = faithfulnessLines(faithfulness).map((line) => `<li>${escapeHtml(line)}</li>`);
  const columns = METHOD_COLUMNS.map((column) => `<th>${column}</th>`);
  return htmlPage(
    `Does ${model} name the cause?`,
    `<p>Dataset: ${escapeHtml(dataset)}, test images.
The explanation is right where the aspect that caused the label comes first.</p>
<ul>${lines.join("")}</ul>
<h2>Methods</h2>
<table class="methods"><tr>${columns.join("")}</tr>${rows.join("")}</table>
<p>The marked row is how this model explains.
The lines of other methods were set on validation images in the same way.</p>
<h2>The worst cases, worst first</h2>
${cases.join("\n") || "<p>None: no image shows a cause beside another aspect.</p>"}`,
  );
}

function verdictOf({ error, isCauseRelevant }: PictureOfCase): string {
  if (error > 0) return `ranks a distractor first, by ${error.toFixed(2)}`;
  if (error === 0) return "ranks neither cause nor distractor first";
  const lead = (-error).toFixed(2);
  return isCauseRelevant
    ? `names the cause, by ${lead}`
    : `ranks the cause first, by ${lead}, but does not call it relevant`;
}
