/** How much a file may ask for before it is refused; `docs/limits.md` says the same to users, and a test holds the two together. */

export const LIMITS = {
  /** Pixels of one image or mask, before it is decoded. */
  imagePixels: 100_000_000,
  /** Bytes of the pixels of one mask, all channels, before they become one value a pixel. */
  maskBytes: 400_000_000,
} as const;
