/** How much a file may ask for before it is refused; `docs/limits.md` says the same to users, and a test holds the two together. */

export const LIMITS = {
  /** Pixels of one image or mask, before it is decoded. */
  imagePixels: 100_000_000,
  /** Bytes of the pixels of one mask, all channels, before they become one value a pixel. */
  maskBytes: 400_000_000,
  /** Bytes of one image or mask file. */
  imageFileBytes: 700_000_000,
  /** Bytes that decoders of one image hold at once, estimated from its header; also all images together that are decoded at a time. */
  decodingBytes: 600_000_000,
  /** Bytes that a pipe named on the command line may give. */
  pipeBytes: 200_000_000,
  /** Seconds without a byte after which such a pipe is given up. */
  pipeSeconds: 30,
} as const;
