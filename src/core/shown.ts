/** Values from files and command lines as they may stand in a message. */

const LONGEST = 200;

/** As JSON on one line, cut after 200 characters; what is nested too deep for that is only named. */
export function shown(value: unknown): string {
  let text: string;
  try {
    text = JSON.stringify(value) ?? String(value);
  } catch {
    return Array.isArray(value) ? "a deep list" : "a deep object"; // RangeError: the stack is used up
  }
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}...` : text;
}
