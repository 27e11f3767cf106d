/** What the shares of a mask at the model's size can show: a pixel counts as the aspect's from a half on. */

/** Share of a pixel from which it counts. */
export const POSITIVE_SHARE = 0.5;

/** There is some of the aspect, but no pixel that counts as its. */
export function isTooSmall(mask: Uint8Array | Float32Array): boolean {
  return mask.some((share) => share > 0) && !mask.some((share) => share >= POSITIVE_SHARE);
}
