/** Layers as plain float64 loops over flat NHWC arrays, each from its definition. */

/** `[batch, height, width, channels]` and its numbers, row-major. */
export interface Image {
  readonly shape: readonly [batch: number, height: number, width: number, channels: number];
  readonly data: ArrayLike<number>;
}

/** A kernel `[height, width, input channels, output channels]` (depthwise: `[height, width, channels, 1]`). */
export interface Kernel {
  readonly shape: readonly [height: number, width: number, input: number, output: number];
  readonly data: ArrayLike<number>;
}

type Shape = Image["shape"];

function build(shape: Shape, value: (n: number, y: number, x: number, c: number) => number): Image {
  const data: number[] = [];
  const [batch, height, width, channels] = shape;
  for (let n = 0; n < batch; n++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) for (let c = 0; c < channels; c++) data.push(value(n, y, x, c));
  return { shape, data };
}

/** The value at a place, 0 outside the image. */
function at({ shape: [, height, width, channels], data }: Image, n: number, y: number, x: number, c: number): number {
  const isInside = y >= 0 && y < height && x >= 0 && x < width;
  return isInside ? data[((n * height + y) * width + x) * channels + c] : 0;
}

/** TensorFlow's "same" padding: rows before the first, the odd one goes behind. */
function padBefore(size: number, window: number, stride: number): number {
  const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + window - size);
  return Math.floor(total / 2);
}

/** Convolution (strictly: correlation) with "same" padding. */
export function conv(image: Image, kernel: Kernel, stride: number): Image {
  const [batch, height, width] = image.shape;
  const [kh, kw, inputs, outputs] = kernel.shape;
  const [top, left] = [padBefore(height, kh, stride), padBefore(width, kw, stride)];
  return build([batch, Math.ceil(height / stride), Math.ceil(width / stride), outputs], (n, y, x, o) => {
    let sum = 0;
    for (let i = 0; i < kh; i++)
      for (let j = 0; j < kw; j++)
        for (let c = 0; c < inputs; c++) {
          const weight = kernel.data[((i * kw + j) * inputs + c) * outputs + o];
          sum += weight * at(image, n, y * stride + i - top, x * stride + j - left, c);
        }
    return sum;
  });
}

/** The same, each channel with a kernel of its own. */
export function depthwiseConv(image: Image, kernel: Kernel, stride: number): Image {
  const [batch, height, width, channels] = image.shape;
  const [kh, kw] = kernel.shape;
  const [top, left] = [padBefore(height, kh, stride), padBefore(width, kw, stride)];
  return build([batch, Math.ceil(height / stride), Math.ceil(width / stride), channels], (n, y, x, c) => {
    let sum = 0;
    for (let i = 0; i < kh; i++)
      for (let j = 0; j < kw; j++)
        sum += kernel.data[(i * kw + j) * channels + c] * at(image, n, y * stride + i - top, x * stride + j - left, c);
    return sum;
  });
}

/** Each number by itself. */
export function map({ shape, data }: Image, change: (value: number, channel: number) => number): Image {
  return { shape, data: Array.from(data, (value, index) => change(value, index % shape[3])) };
}

/** Mean and (population) variance of each channel over batch and space. */
export function channelMoments({ shape, data }: Image): { mean: number[]; variance: number[] } {
  const channels = shape[3];
  const count = data.length / channels;
  const mean = new Array<number>(channels).fill(0);
  const variance = new Array<number>(channels).fill(0);
  for (let i = 0; i < data.length; i++) mean[i % channels] += data[i] / count;
  for (let i = 0; i < data.length; i++) variance[i % channels] += (data[i] - mean[i % channels]) ** 2 / count;
  return { mean, variance };
}

/** Bilinear resizing with half-pixel centres, the outermost values repeated. */
export function resizeBilinear(image: Image, [toHeight, toWidth]: readonly [number, number]): Image {
  const [batch, height, width, channels] = image.shape;
  const place = (index: number, from: number, to: number) => {
    const exact = Math.min(Math.max(((index + 0.5) * from) / to - 0.5, 0), from - 1);
    const low = Math.floor(exact);
    return { low, high: Math.min(low + 1, from - 1), share: exact - low };
  };
  return build([batch, toHeight, toWidth, channels], (n, y, x, c) => {
    const row = place(y, height, toHeight);
    const column = place(x, width, toWidth);
    const mix = (line: number) =>
      at(image, n, line, column.low, c) * (1 - column.share) + at(image, n, line, column.high, c) * column.share;
    return mix(row.low) * (1 - row.share) + mix(row.high) * row.share;
  });
}

/** Largest value or mean of each window of `size` x `size`, stride `size`, no padding. */
export function pool(image: Image, size: number, kind: "max" | "mean"): Image {
  const [batch, height, width, channels] = image.shape;
  return build([batch, Math.floor(height / size), Math.floor(width / size), channels], (n, y, x, c) => {
    const window: number[] = [];
    for (let i = 0; i < size; i++)
      for (let j = 0; j < size; j++) window.push(at(image, n, y * size + i, x * size + j, c));
    return kind === "max" ? Math.max(...window) : window.reduce((sum, value) => sum + value, 0) / window.length;
  });
}
