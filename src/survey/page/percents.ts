/** Shares and tests as the page writes them. */

import { percentText } from "../../explain/headline.js";
import type { Counted } from "../summary.js";

/** "93 %". */
export function shareText({ share }: Counted): string {
  return percentText(share);
}

/** "91–95 %", in whole percent, and tenths where they would be the same. */
export function intervalText({ interval: [low, high] }: Counted): string {
  const [from, to] = [low, high].map((end) => Math.round(100 * end));
  if (from !== to) return `${from}–${to} %`;
  return `${(100 * low).toFixed(1)}–${(100 * high).toFixed(1)} %`;
}

/** "0.0032", "< 0.0001". */
export function testText(q: number): string {
  return q < 0.0001 ? "< 0.0001" : q.toPrecision(2);
}

/** "1 image", "1,204 images". */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}

/** How a class is called where a regression has none. */
export function className(name: string | null): string {
  return name ?? "all answers";
}
