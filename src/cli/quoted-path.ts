/** A path as it is typed in a shell. */

/** As a shell takes it for one word. */
export function quoted(path: string): string {
  return /^[\w./:\\-]+$/.test(path) ? path : JSON.stringify(path);
}
