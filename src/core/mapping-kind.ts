/** The kinds of mapping from one network's features to another's. */

/**
 * `linear`: a 1x1 convolution between features that were resized to one grid. `unet`: the same, and a small U-Net beside
 * it. `image`: the masked image itself, resized, goes into the other network.
 */
export type MappingKind = "linear" | "unet" | "image";
export const MAPPING_KINDS: readonly MappingKind[] = ["linear", "unet", "image"];
