/** The frame and style of all HTML pages, and the escaping of text. */

import { visible } from "../core/terminal.js";

/** Colours by `prefers-color-scheme`; readable from 400 pixels of width on. */
const STYLE = `:root{color-scheme:light dark;--ink:#1d2329;--faint:#5f6a75;--line:#dfe4e9;--paper:#fff;--panel:#f5f7f9;
--accent:#0072b2;--good:#00785a;--bad:#b8500a;--shade:0,114,178}
@media (prefers-color-scheme:dark){:root{--ink:#e6eaee;--faint:#9ba6b1;--line:#323a42;--paper:#14181c;--panel:#1c2228;
--accent:#5cb8ec;--good:#35c39d;--bad:#f3924f;--shade:92,184,236}}
*{box-sizing:border-box}
body{font:15px/1.5 system-ui,sans-serif;margin:1.5rem auto;max-width:1240px;padding:0 1rem;color:var(--ink);
background:var(--paper)}
h1{font-size:1.5rem;margin:0 0 .5rem;overflow-wrap:anywhere}h2{font-size:1.15rem;margin:2rem 0 .5rem}
h3{font-size:1rem;margin:1.5rem 0 .25rem;overflow-wrap:anywhere}p{margin:.4rem 0;max-width:80ch}
a{color:var(--accent)}.faint,figcaption{color:var(--faint)}.bad{color:var(--bad)}.good{color:var(--good)}
.scroll{overflow-x:auto;max-width:100%}
table{border-collapse:collapse;display:block;overflow-x:auto;font-variant-numeric:tabular-nums}
td,th{padding:.25rem .8rem .25rem 0;text-align:left;border-bottom:1px solid var(--line);vertical-align:top}
thead th{color:var(--faint);font-weight:500;white-space:nowrap}td.number,th.number{text-align:right}
.methods td,.methods th{white-space:nowrap}.methods :is(td,th):nth-child(n+3){text-align:right}
.own{font-weight:600;background:var(--panel)}
pre{background:var(--panel);padding:1rem;overflow:auto}svg{max-width:720px;width:100%;height:auto}
figure{margin:1rem 0}img{max-width:100%;border:1px solid var(--line)}
.note{border-left:4px solid var(--bad);background:var(--panel);padding:.5rem .9rem;margin:.6rem 0}
.note.plain{border-color:var(--accent)}.note p{margin:.2rem 0}
.facts{display:flex;flex-wrap:wrap;gap:.4rem 2rem;margin:.6rem 0}
.facts div{min-width:7rem}.facts b{display:block;font-size:1.15rem;font-weight:600}
.grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,24rem),1fr));gap:.5rem 1.5rem}
.grid>*{min-width:0}
.thumbs{display:flex;flex-wrap:wrap;gap:.7rem;margin:.4rem 0}
.thumbs figure{margin:0;width:9.5rem}.thumbs img{display:block;width:100%;height:auto;border-radius:3px}
.thumbs figcaption{font-size:12px;line-height:1.35;overflow-wrap:anywhere}
.hash{overflow-wrap:anywhere}details{margin:.5rem 0}summary{cursor:pointer}
@media (max-width:480px){body{margin:1rem auto;padding:0 .75rem}.thumbs figure{width:calc(50% - .35rem)}}
@media print{details::details-content{content-visibility:visible}}`;

/** Nothing is fetched, whatever the page's text may hold. */
const POLICY = "default-src 'none'; img-src data: 'self'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

export interface PageOptions {
  /** Which command made it, so that it may be replaced. */
  readonly generator?: string;
  readonly style?: string;
}

/**
 * @param title as text.
 * @param body as markup.
 * @param options.style further rules.
 * @returns a page that loads nothing but the images in its body.
 */
export function htmlPage(title: string, body: string, { generator, style = "" }: PageOptions = {}): string {
  const maker = generator === undefined ? "" : `<meta name="generator" content="${escapeHtml(generator)}">`;
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">${maker}
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<title>${escapeHtml(title)}</title>
<style>${STYLE}${style}</style>
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

/** A value as JSON that can stand in a script element: it holds no `<`. */
export function scriptJson(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll("<", "\\u003c")
    .replaceAll("\u2028", "\\u2028")
    .replaceAll("\u2029", "\\u2029");
}
