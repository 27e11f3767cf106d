/** The outlines of a mask along the edges of its pixels, one polygon for each region whose pixels touch by a side. */

type Corner = readonly [x: number, y: number];

/** Steps along the edges with the region on the right hand, in the order of right turns: east, south, west, north. */
const STEPS = [
  [1, 0],
  [0, 1],
  [-1, 0],
  [0, -1],
] as const;

/**
 * Holes are filled: a single polygon has none.
 *
 * @param pixels `[height * width]`, row-major, not 0 in the mask.
 * @returns corners clockwise, y pointing down.
 */
export function outlinesOf(
  pixels: Uint8Array,
  { width, height }: { width: number; height: number },
): readonly (readonly Corner[])[] {
  const seen = new Uint8Array(width * height);
  const outlines: Corner[][] = [];
  for (let at = 0; at < pixels.length; at++) {
    if (pixels[at] === 0 || seen[at]) continue;
    markRegion(pixels, { width, height, seen, start: at });
    // The first pixel in reading order: its upper edge is a part of the outer outline.
    outlines.push(follow(pixels, { width, height, start: [at % width, Math.floor(at / width)] }));
  }
  return outlines;
}

function markRegion(
  pixels: Uint8Array,
  { width, height, seen, start }: { width: number; height: number; seen: Uint8Array; start: number },
): void {
  const open = [start];
  seen[start] = 1;
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const [x, y] = [at % width, Math.floor(at / width)];
    const near = [
      x > 0 ? at - 1 : -1,
      x + 1 < width ? at + 1 : -1,
      y > 0 ? at - width : -1,
      y + 1 < height ? at + width : -1,
    ];
    for (const next of near) {
      if (next < 0 || pixels[next] === 0 || seen[next]) continue;
      seen[next] = 1;
      open.push(next);
    }
  }
}

/** Goes round a region, and turns right wherever it can, so that pixels that touch by a corner stay apart. */
function follow(
  pixels: Uint8Array,
  { width, height, start }: { width: number; height: number; start: Corner },
): Corner[] {
  const isSet = (x: number, y: number) => x >= 0 && y >= 0 && x < width && y < height && pixels[y * width + x] !== 0;
  const corners: Corner[] = [start];
  let [[x, y], direction] = [start as readonly [number, number], 0];
  do {
    [x, y] = [x + STEPS[direction][0], y + STEPS[direction][1]];
    // Of the four pixels around this corner, those ahead to the right and to the left of the way.
    const [ahead, right] = [STEPS[direction], STEPS[(direction + 1) % 4]];
    const cell = (side: 1 | -1) =>
      isSet(x + (ahead[0] + side * right[0] - 1) / 2, y + (ahead[1] + side * right[1] - 1) / 2);
    const turn = !cell(1) ? 1 : cell(-1) ? 3 : 0;
    if (turn !== 0 && (x !== start[0] || y !== start[1])) corners.push([x, y]);
    direction = (direction + turn) % 4;
  } while (x !== start[0] || y !== start[1] || direction !== 0);
  return corners;
}
