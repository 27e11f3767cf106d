/**
 * Text of files and command lines as a terminal may get it: nothing in it moves the cursor, sets a title or forges a
 * line.
 */

/** C0 with line feeds and tabs, DEL, C1, line and paragraph separators, and what turns the direction of writing. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

const NAMES: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** Longest quotation in a message, characters. */
const LONGEST_QUOTE = 200;
/** Longest message: paths may take 4,096 bytes each. */
const LONGEST_MESSAGE = 10_000;

/** Control characters as `\x1b`, line separators as `\u2028`; everything else stays. Doing it twice changes nothing. */
export function visible(text: string): string {
  return text.replace(UNSAFE, (character) => {
    const named = NAMES[character];
    if (named) return named;
    const code = character.charCodeAt(0);
    return code < 256 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16)}`;
  });
}

/** The beginning of a long text, with an ellipsis. @param longest characters, the ellipsis included. */
export function clip(text: string, longest = LONGEST_QUOTE): string {
  if (text.length <= longest) return text;
  const characters = Array.from(text.slice(0, 2 * longest)); // whole code points
  return characters.length <= longest && text.length <= 2 * longest
    ? text
    : `${characters.slice(0, longest - 1).join("")}…`;
}

/** On one line: quotations cut after 200 characters, a very long text in its middle, so that place and cure stay. */
export function visibleLine(text: string): string {
  const quotes = text.replace(/"[^"]{201,}"/g, (quote) => `"${clip(quote.slice(1, -1))}"`);
  const half = LONGEST_MESSAGE / 2;
  return visible(quotes.length > LONGEST_MESSAGE ? `${quotes.slice(0, half)} … ${quotes.slice(-half)}` : quotes);
}

/** The same of a message of several lines, as libraries write them. */
export function messageLine(message: string): string {
  return visibleLine(message.replace(/\s*\n\s*/g, " "));
}
