/** Progress on stderr: a bar, what is being done, and the time left; where it is no terminal, plain lines that are said. */

import { messageLine, visible } from "../core/terminal.js";

const WIDTH = 24;
const REDRAW_MS = 100;

export interface ProgressBar {
  /** @param share done, 0..1. @param text shown after the bar. */
  update(share: number, text: string): void;
  /** One plain line where stderr is no terminal, which shows no bar; the same text is said once. */
  say(text: string): void;
  /** Clears the line, so that other output can follow. */
  clear(): void;
}

/** @param label shown before the bar. */
export function progressBar(label: string, stream: NodeJS.WriteStream = process.stderr): ProgressBar {
  const begun = performance.now();
  let first: { share: number; at: number } | null = null;
  let drawn = 0;
  let said = "";
  return {
    update: (share, text) => {
      const now = performance.now();
      first ??= { share, at: now };
      if (!stream.isTTY || (now - drawn < REDRAW_MS && share < 1)) return;
      drawn = now;
      const filled = Math.round(WIDTH * Math.min(1, share));
      const bar = "█".repeat(filled) + "░".repeat(WIDTH - filled);
      const rate = (share - first.share) / (now - first.at);
      const left = rate > 0 ? ` ${duration(((1 - share) / rate) | 0)} left` : "";
      const line = `${label} ${bar} ${Math.floor(share * 100)}%${left}  ${visible(text)}`;
      stream.write(`\r\x1b[2K${line.slice(0, (stream.columns ?? 100) - 1)}`);
      if (share >= 1 && now - begun > 0) drawn = 0;
    },
    say: (text) => {
      if (!stream.isTTY && text !== said) stream.write(`${messageLine(text)}\n`);
      said = text;
    },
    clear: () => {
      if (stream.isTTY) stream.write("\r\x1b[2K");
    },
  };
}

/** Milliseconds as `45 s`, `3 min 20 s` or `2 h 5 min`. */
export function duration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
