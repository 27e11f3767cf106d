/**
 * Finds characters that no available font has. Pango draws such a character as a frame around its code, whose size
 * depends only on the number of digits. So a character is missing if it looks like one that can never exist.
 */

import { renderText } from "./render-text.js";

/** The characters in this package's font; all others are looked up in the fonts of the system. */
const IN_OUR_FONT = /^[\u0020-\u007e\u00a0-\u03e1\u03f0-\u052f\u1d00-\u1df9\u1e00-\u20bf\u2190-\u21ae\u2200-\u22ff]*$/;
/** Characters that are invisible, or change the letter before them. */
const NEVER_DRAWN = /\p{Default_Ignorable_Code_Point}|\p{White_Space}|\p{Cc}/u;
/** Two code points that Unicode will never assign, of four and of six digits. */
const [SHORT, LONG] = ["\ufdd0", "\u{1fffe}"];

const known = new Map<string, Promise<boolean>>();

/** True if this package's font has all characters, so that no other font is needed. */
export function isInOurFont(text: string): boolean {
  return IN_OUR_FONT.test(text.normalize("NFC"));
}

/** @returns the characters of a text that cannot be drawn, without repetition. */
export async function missingCharacters(text: string): Promise<string[]> {
  if (isInOurFont(text)) return [];
  const characters = [...new Set(text.normalize("NFC"))].filter((one) => !isInOurFont(one) && !NEVER_DRAWN.test(one));
  const missing = await Promise.all(characters.map(isMissing));
  return characters.filter((_, index) => missing[index]);
}

function isMissing(character: string): Promise<boolean> {
  const answer = known.get(character) ?? compareFrames(character);
  known.set(character, answer);
  return answer;
}

async function compareFrames(character: string): Promise<boolean> {
  const [own, none] = await Promise.all([frameOf(character), frameOf(character.length > 1 ? LONG : SHORT)]);
  return own === none;
}

/** Size and border opacities of a drawn character. */
async function frameOf(character: string): Promise<string> {
  const { data, width, height } = await renderText(character, { size: 20 });
  const at = (x: number, y: number) => data[4 * (y * width + x) + 3];
  const rows = Array.from({ length: width }, (_, x) => [at(x, 0), at(x, height - 1)]);
  const columns = Array.from({ length: height }, (_, y) => [at(0, y), at(width - 1, y)]);
  return `${width} x ${height}: ${rows} ${columns}`;
}
