/** The frame and style of all HTML pages, and the escaping of text. */

import { visible } from "../core/terminal.js";

const STYLE = `body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:1100px;padding:0 1rem;color:#1d2329}
table{border-collapse:collapse;display:block;overflow-x:auto}
td,th{padding:.25rem .8rem .25rem 0;text-align:left;border-bottom:1px solid #e4e8ec}
.methods td,.methods th{white-space:nowrap}.methods :is(td,th):nth-child(n+3){text-align:right}
.own{font-weight:600;background:#f2f7fb}
pre{background:#f3f5f7;padding:1rem;overflow:auto}svg{max-width:720px;width:100%;height:auto}
figure{margin:1.5rem 0}img{max-width:100%;border:1px solid #e4e8ec}figcaption{color:#66707a}`;

/**
 * @param title as text.
 * @param body as markup.
 * @returns a page that loads nothing but the images in its body.
 */
export function htmlPage(title: string, body: string): string {
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
<h1>${escapeHtml(title)}</h1>
${body}
</html>
`;
}

/** Escapes text for use between tags and in quoted attributes; control characters are shown as escapes. */
export function escapeHtml(value: string): string {
  return value
    .split("\n")
    .map(visible)
    .join("\n")
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;")
    .replace(/"/g, "&quot;");
}
