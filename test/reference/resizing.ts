/** Resizing as plain float64 loops over pixels, from the definition of each sampling mode. */

import type { Block } from "./windows.js";

export interface Sampling {
  readonly method: "bilinear" | "nearest";
  readonly alignCorners: boolean;
  readonly halfPixelCenters: boolean;
}

/** Where the centre of target pixel `index` lies among `from` source pixels. */
function sourcePlace(index: number, from: number, to: number, { alignCorners, halfPixelCenters, method }: Sampling) {
  if (alignCorners) return to > 1 ? (index * (from - 1)) / (to - 1) : 0;
  if (!halfPixelCenters) return (index * from) / to;
  return ((index + 0.5) * from) / to - (method === "bilinear" ? 0.5 : 0);
}

export function resized(image: Block, [height, width]: readonly [number, number], sampling: Sampling): number[] {
  const [batch, fromHeight, fromWidth, channels] = image.shape;
  const clamp = (place: number, size: number) => Math.min(Math.max(place, 0), size - 1);
  const at = (n: number, y: number, x: number, c: number) =>
    image.data[((n * fromHeight + clamp(y, fromHeight)) * fromWidth + clamp(x, fromWidth)) * channels + c];
  const round = sampling.alignCorners ? Math.round : Math.floor;
  const result: number[] = [];
  for (let n = 0; n < batch; n++)
    for (let i = 0; i < height; i++)
      for (let j = 0; j < width; j++)
        for (let c = 0; c < channels; c++) {
          const y = sourcePlace(i, fromHeight, height, sampling);
          const x = sourcePlace(j, fromWidth, width, sampling);
          if (sampling.method === "nearest") {
            result.push(at(n, round(y), round(x), c));
            continue;
          }
          const [cy, cx] = [Math.max(y, 0), Math.max(x, 0)];
          const [top, left] = [Math.floor(cy), Math.floor(cx)];
          const [down, right] = [cy - top, cx - left];
          const upper = at(n, top, left, c) * (1 - right) + at(n, top, left + 1, c) * right;
          const lower = at(n, top + 1, left, c) * (1 - right) + at(n, top + 1, left + 1, c) * right;
          result.push(upper * (1 - down) + lower * down);
        }
  return result;
}
