/** How the axes of a tensor lie in memory. */

/**
 * Order of the logical axes, a digit each: `"0312"` holds an NHWC tensor as NCHW. `"B16"` holds it as ONNX Runtime's
 * convolutions compute it, NCHWc: `[batch, channels / 16, height, width, 16]`.
 */
export type Layout = string;

/** Order of features for ONNX convolutions. */
export const NCHW: Layout = "0312";
/** Order of filters `[height, width, in, out]` for ONNX convolutions. */
export const OIHW: Layout = "3201";

/** Row-major order of a rank: `"0123"`. */
export function natural(rank: number): Layout {
  return "0123456789".slice(0, rank);
}

/** The blocked layout of a block size. */
export function blockedLayout(block: number): Layout {
  return `B${block}`;
}

/** How many channels a block has; 0 for a layout that is a plain order of axes. */
export function blockOf(layout: Layout): number {
  return layout.startsWith("B") ? Number(layout.slice(1)) : 0;
}

/** Axes in memory order, of a layout that is not blocked. */
export function axesOf(layout: Layout): number[] {
  return [...layout].map(Number);
}

/** Sizes in memory order; a blocked tensor is declared as NCHW, as ONNX Runtime's operators require. */
export function physical(sizes: readonly number[], layout: Layout): number[] {
  return axesOf(blockOf(layout) ? NCHW : layout).map((axis) => sizes[axis]);
}

/**
 * Sizes of the axes that lie in memory, in order: those of `physical`, with the channels of a blocked tensor in two.
 */
export function memorySizes(sizes: readonly number[], layout: Layout): number[] {
  const block = blockOf(layout);
  if (!block) return physical(sizes, layout);
  const [batch, height, width, channels] = sizes;
  return channels === 1 ? [batch, 1, height, width, 1] : [batch, channels / block, height, width, block];
}

/** Whether a tensor with one value a channel, or with whole blocks of channels, can be held in blocks. */
export function fitsBlocks(extent: readonly number[], block: number): boolean {
  return block > 0 && extent.length === 4 && (extent[3] === 1 || extent[3] % block === 0);
}

/** Two layouts with the same order of wide axes hold the same bytes. */
export function memoryOrder(extent: readonly number[], layout: Layout): string {
  const block = blockOf(layout);
  if (!block) return wideAxes(axesOf(layout), extent);
  const [, height, width, channels] = extent;
  if (channels === 1 || channels === block) return wideAxes([0, 1, 2, 3], extent);
  return height * width === 1 ? wideAxes([0, 3], extent) : layout;
}

function wideAxes(axes: readonly number[], extent: readonly number[]): string {
  return axes.filter((axis) => extent[axis] > 1).join("");
}
