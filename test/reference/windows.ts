/** Sliding windows as plain float64 loops: convolutions of any stride, padding, dilation and multiplier, and pooling. */

/** Row-major numbers over `[batch, height, width, channels]`, or a filter `[height, width, in, out or multiplier]`. */
export interface Block {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

export interface WindowOptions {
  readonly stride: number;
  readonly padding: "same" | "valid";
  readonly dilation?: number;
}

interface Axis {
  readonly count: number;
  /** Source positions of tap `tap` of window `index`; may lie outside. */
  readonly place: (index: number, tap: number) => number;
}

/** TensorFlow's rules: "same" pads so that ceil(size / stride) windows fit, the odd row behind. */
function axis(size: number, taps: number, { stride, padding, dilation = 1 }: WindowOptions): Axis {
  const reach = (taps - 1) * dilation + 1;
  const count = padding === "same" ? Math.ceil(size / stride) : Math.ceil((size - reach + 1) / stride);
  const total = padding === "same" ? Math.max(0, (count - 1) * stride + reach - size) : 0;
  return { count, place: (index, tap) => index * stride + tap * dilation - Math.floor(total / 2) };
}

/** Calls `visit` for every tap of every window that lies inside, with flat offsets of the pixel read and the one made. */
function forEachTap(
  image: Block,
  [kernelHeight, kernelWidth]: readonly number[],
  options: WindowOptions,
  visit: (source: number, target: number, tap: number) => void,
): number[] {
  const [batch, height, width] = image.shape;
  const rows = axis(height, kernelHeight, options);
  const columns = axis(width, kernelWidth, options);
  for (let n = 0; n < batch; n++)
    for (let y = 0; y < rows.count; y++)
      for (let x = 0; x < columns.count; x++)
        for (let i = 0; i < kernelHeight; i++)
          for (let j = 0; j < kernelWidth; j++) {
            const [row, column] = [rows.place(y, i), columns.place(x, j)];
            if (row < 0 || row >= height || column < 0 || column >= width) continue;
            const target = (n * rows.count + y) * columns.count + x;
            visit((n * height + row) * width + column, target, i * kernelWidth + j);
          }
  return [batch, rows.count, columns.count];
}

/** sum over taps and input channels of x * filter. */
export function convolution(image: Block, filter: Block, options: WindowOptions): number[] {
  const [, , inputs, outputs] = filter.shape;
  const result: number[] = [];
  forEachTap(image, filter.shape, options, (source, target, tap) => {
    for (let o = 0; o < outputs; o++)
      for (let c = 0; c < inputs; c++) {
        const product = image.data[source * inputs + c] * filter.data[(tap * inputs + c) * outputs + o];
        result[target * outputs + o] = (result[target * outputs + o] ?? 0) + product;
      }
  });
  return result;
}

/** Channel c of x makes channels c * multiplier ... of the result. */
export function depthwise(image: Block, filter: Block, options: WindowOptions): number[] {
  const [, , channels, multiplier] = filter.shape;
  const result: number[] = [];
  forEachTap(image, filter.shape, options, (source, target, tap) => {
    for (let c = 0; c < channels; c++)
      for (let m = 0; m < multiplier; m++) {
        const place = (target * channels + c) * multiplier + m;
        const product = image.data[source * channels + c] * filter.data[(tap * channels + c) * multiplier + m];
        result[place] = (result[place] ?? 0) + product;
      }
  });
  return result;
}

/** Gradients of `sum(dy * convolution(image, filter))`. */
export function convolutionGradients(
  image: Block,
  filter: Block,
  dy: ArrayLike<number>,
  options: WindowOptions,
): { image: Float64Array; filter: Float64Array } {
  const [, , inputs, outputs] = filter.shape;
  const gradients = { image: new Float64Array(image.data.length), filter: new Float64Array(filter.data.length) };
  forEachTap(image, filter.shape, options, (source, target, tap) => {
    for (let o = 0; o < outputs; o++)
      for (let c = 0; c < inputs; c++) {
        const [pixel, weight] = [source * inputs + c, (tap * inputs + c) * outputs + o];
        gradients.image[pixel] += filter.data[weight] * dy[target * outputs + o];
        gradients.filter[weight] += image.data[pixel] * dy[target * outputs + o];
      }
  });
  return gradients;
}

/** Gradients of `sum(dy * depthwise(image, filter))`, without multiplier. */
export function depthwiseGradients(
  image: Block,
  filter: Block,
  dy: ArrayLike<number>,
  options: WindowOptions,
): { image: Float64Array; filter: Float64Array } {
  const channels = filter.shape[2];
  const gradients = { image: new Float64Array(image.data.length), filter: new Float64Array(filter.data.length) };
  forEachTap(image, filter.shape, options, (source, target, tap) => {
    for (let c = 0; c < channels; c++) {
      const [pixel, weight, made] = [source * channels + c, tap * channels + c, target * channels + c];
      gradients.image[pixel] += filter.data[weight] * dy[made];
      gradients.filter[weight] += image.data[pixel] * dy[made];
    }
  });
  return gradients;
}

/** The largest, or the mean, of the values of a window that lie inside the image. */
export function pooling(image: Block, size: number, options: WindowOptions & { kind: "max" | "average" }): number[] {
  const channels = image.shape[3];
  const seen: number[][] = [];
  forEachTap(image, [size, size], options, (source, target) => {
    for (let c = 0; c < channels; c++) {
      const place = target * channels + c;
      seen[place] ??= [];
      seen[place].push(image.data[source * channels + c]);
    }
  });
  return seen.map((values) =>
    options.kind === "max" ? Math.max(...values) : values.reduce((sum, value) => sum + value, 0) / values.length,
  );
}
