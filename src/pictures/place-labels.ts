/** Places labels in a panel: beside what they name, inside the frame, without overlap. */

export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface PlacedLabel {
  readonly width: number;
  readonly height: number;
  /** The rectangle that it names, in pixels of the frame. */
  readonly anchor: Rectangle;
}

/** Centres a rectangle, on whole pixels. */
export function inFrame(
  image: { readonly width: number; readonly height: number },
  frame: { readonly width: number; readonly height: number },
): Rectangle {
  const { width, height } = image;
  return { x: Math.floor((frame.width - width) / 2), y: Math.floor((frame.height - height) / 2), width, height };
}

const GAP = 3;

/**
 * Places labels one after another, so that the first has the most choice: above its anchor, below, inside at the top,
 * to the right, to the left, else in any free row. Of these, the first that covers nothing of `shown`, if there is one.
 *
 * @param shown rectangles with something to see.
 * @returns a place for each, in the same order; `null` if the frame is full.
 */
export function placeLabels(
  labels: readonly PlacedLabel[],
  frame: { readonly width: number; readonly height: number },
  shown: readonly Rectangle[] = [],
): (Rectangle | null)[] {
  const taken: Rectangle[] = [];
  return labels.map(({ width, height, anchor }) => {
    const middle = anchor.y + anchor.height / 2 - height / 2;
    const places: [x: number, y: number][] = [
      [anchor.x, anchor.y - height - GAP],
      [anchor.x, anchor.y + anchor.height + GAP],
      [anchor.x + GAP, anchor.y + GAP],
      [anchor.x + anchor.width + GAP, middle],
      [anchor.x - width - GAP, middle],
    ];
    for (let y = GAP; y + height <= frame.height; y += height + GAP) places.push([anchor.x, y]);
    const open = places
      .map(([x, y]) => ({ x: Math.min(Math.max(GAP, x), frame.width - width - GAP), y, width, height }))
      .filter((place) => isInside(place, frame) && taken.every((other) => !overlaps(place, other)));
    const [first] = open;
    if (!first) return null;
    // Rows far away name nothing: beside what it names a label may rather cover something.
    const near = open.filter(({ y }) => Math.abs(y - middle) <= anchor.height / 2 + height + GAP);
    const free = near.find((place) => shown.every((other) => !overlaps(place, other))) ?? first;
    taken.push(free);
    return free;
  });
}

function isInside(place: Rectangle, frame: { readonly width: number; readonly height: number }): boolean {
  return place.x >= 0 && place.y >= 0 && place.x + place.width <= frame.width && place.y + place.height <= frame.height;
}

function overlaps(a: Rectangle, b: Rectangle): boolean {
  return a.x < b.x + b.width + 1 && b.x < a.x + a.width + 1 && a.y < b.y + b.height + 1 && b.y < a.y + a.height + 1;
}
