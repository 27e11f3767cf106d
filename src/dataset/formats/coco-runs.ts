/** COCO's masks as runs: lists of numbers, or the same as a short text. */

/**
 * The lengths that a text stands for. Each character less 48 holds five bits, the lowest first, and in bit 0x20 whether
 * more follow; bit 0x10 of the last is the sign. From the fourth length on it is the difference to the one two before.
 *
 * @returns `undefined` where the text is none.
 */
export function unpackRuns(text: string): number[] | undefined {
  const runs: number[] = [];
  for (let at = 0; at < text.length; ) {
    let [value, shift, more] = [0, 0, true];
    while (more) {
      const bits = text.charCodeAt(at++) - 48;
      // NaN where the text has ended.
      if (!(bits >= 0 && bits < 64) || shift > 30) return undefined;
      value |= (bits & 0x1f) << shift;
      shift += 5;
      more = (bits & 0x20) !== 0;
      if (!more && bits & 0x10 && shift < 32) value |= -1 << shift;
    }
    runs.push(runs.length > 2 ? value + runs[runs.length - 2] : value);
  }
  return runs;
}
