/** Detects boxes that were written as centre and size, `[cx, cy, w, h]`, instead of corners. */

/** Fewer images, or a smaller share of them, are single mistakes. */
const LEAST_IMAGES = 3;
const LEAST_SHARE = 0.2;
const ROUNDING = 1e-6;

/**
 * Boxes written as centre and size often have no area when read as corners; the others are read as wrong boxes. So if
 * many images have a box that makes sense only as centre and size, the rest is doubtful too.
 */
export function createBoxOrderCheck(): { add(sample: unknown): void; warning(): string | undefined } {
  let imageCount = 0;
  let centredCount = 0;
  let passedCount = 0;
  return {
    add(sample) {
      const boxes = boxesOf(sample);
      if (boxes.length === 0) return;
      imageCount++;
      if (boxes.some((box) => !hasArea(box) && isCentred(box))) centredCount++;
      else if (boxes.some((box) => hasArea(box) && isCentred(box))) passedCount++;
    },
    warning() {
      if (centredCount < LEAST_IMAGES || centredCount < LEAST_SHARE * imageCount) return undefined;
      return (
        `the boxes of ${centredCount} of ${imageCount} images ` +
        `have no area as [yMin, xMin, yMax, xMax] but would as [cx, cy, w, h], ` +
        `and those of ${passedCount} more could be meant so too. ` +
        `Write corners: [cy - h / 2, cx - w / 2, cy + h / 2, cx + w / 2].`
      );
    },
  };
}

type Four = readonly [number, number, number, number];

/** Every box of four numbers in 0..1, even if something else is wrong with the sample. */
function boxesOf(sample: unknown): Four[] {
  const aspects = Object.values(toRecord(toRecord(sample).aspects));
  return aspects.flatMap((aspect) => {
    const { boxes } = toRecord(aspect);
    return Array.isArray(boxes) ? boxes.filter(isFour) : [];
  });
}

function toRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function isFour(box: unknown): box is Four {
  return (
    Array.isArray(box) &&
    box.length === 4 &&
    box.every((edge) => typeof edge === "number" && edge >= -ROUNDING && edge <= 1 + ROUNDING)
  );
}

function hasArea([yMin, xMin, yMax, xMax]: Four): boolean {
  return yMax > yMin && xMax > xMin;
}

/** Read as centre and size, the box lies inside the image. */
function isCentred([x, y, width, height]: Four): boolean {
  const fits = (middle: number, length: number) =>
    length > 0 && middle - length / 2 >= -ROUNDING && middle + length / 2 <= 1 + ROUNDING;
  return fits(x, width) && fits(y, height);
}
