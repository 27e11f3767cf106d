/** The heads in float64 plain loops, written from the definitions, to check tensors and their gradients against. */

/** Row-major float64 numbers `[batch, height, width, channels]` (or fewer axes). */
export interface Grid {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

export type Grids = Readonly<Record<string, Grid>>;

export function grid(shape: readonly number[], data?: ArrayLike<number>): Grid {
  const size = shape.reduce((a, b) => a * b, 1);
  return { shape, data: data ? Float64Array.from(data) : new Float64Array(size) };
}

/** Bilinear with half-pixel centres: each target pixel looks up where its centre lies in the source. */
export function resize(x: Grid, [toHeight, toWidth]: readonly [number, number]): Grid {
  const [batch, height, width, channels] = x.shape;
  const out = grid([batch, toHeight, toWidth, channels]);
  const sample = (b: number, y: number, x0: number, c: number) => {
    const row = Math.min(height - 1, Math.max(0, y));
    const column = Math.min(width - 1, Math.max(0, x0));
    return x.data[((b * height + row) * width + column) * channels + c];
  };
  let at = 0;
  for (let b = 0; b < batch; b++) {
    for (let i = 0; i < toHeight; i++) {
      for (let j = 0; j < toWidth; j++) {
        const [y, z] = [((i + 0.5) * height) / toHeight - 0.5, ((j + 0.5) * width) / toWidth - 0.5];
        const [top, left] = [Math.floor(y), Math.floor(z)];
        const [down, right] = [y - top, z - left];
        for (let c = 0; c < channels; c++) {
          out.data[at++] =
            (1 - down) * ((1 - right) * sample(b, top, left, c) + right * sample(b, top, left + 1, c)) +
            down * ((1 - right) * sample(b, top + 1, left, c) + right * sample(b, top + 1, left + 1, c));
        }
      }
    }
  }
  return out;
}

/** `out[b, y f + i, x f + j, c] = in[b, y, x, (i f + j) channels + c]`. */
export function spread(x: Grid, factor: number): Grid {
  const [batch, height, width, depth] = x.shape;
  const channels = depth / factor ** 2;
  const out = grid([batch, height * factor, width * factor, channels]);
  let at = 0;
  for (let b = 0; b < batch; b++) {
    for (let y = 0; y < height * factor; y++) {
      for (let z = 0; z < width * factor; z++) {
        const cell = (b * height + Math.floor(y / factor)) * width + Math.floor(z / factor);
        const place = (y % factor) * factor + (z % factor);
        for (let c = 0; c < channels; c++) out.data[at++] = x.data[cell * depth + place * channels + c];
      }
    }
  }
  return out;
}

/** The last axis times a matrix `[..., from, to]`. */
export function project(x: Grid, kernel: Grid): Grid {
  const [from, to] = kernel.shape.slice(-2);
  const rows = x.data.length / from;
  const out = grid([...x.shape.slice(0, -1), to]);
  for (let r = 0; r < rows; r++) {
    for (let i = 0; i < from; i++) {
      for (let o = 0; o < to; o++) out.data[r * to + o] += x.data[r * from + i] * kernel.data[i * to + o];
    }
  }
  return out;
}

/** 3x3 a channel, zeros outside. */
export function depthwise(x: Grid, kernel: Grid): Grid {
  const [batch, height, width, channels] = x.shape;
  const out = grid(x.shape);
  for (let b = 0; b < batch; b++) {
    for (let y = 0; y < height; y++) {
      for (let z = 0; z < width; z++) {
        for (let i = -1; i <= 1; i++) {
          for (let j = -1; j <= 1; j++) {
            if (y + i < 0 || y + i >= height || z + j < 0 || z + j >= width) continue;
            for (let c = 0; c < channels; c++) {
              out.data[((b * height + y) * width + z) * channels + c] +=
                x.data[((b * height + y + i) * width + z + j) * channels + c] *
                kernel.data[((i + 1) * 3 + j + 1) * channels + c];
            }
          }
        }
      }
    }
  }
  return out;
}

/** Adds a vector to the last axis. */
export function shift(x: Grid, vector: ArrayLike<number>): Grid {
  return { shape: x.shape, data: x.data.map((value, i) => value + vector[i % vector.length]) };
}

export function relu(x: Grid): Grid {
  return { shape: x.shape, data: x.data.map((value) => Math.max(0, value)) };
}

/** All taps projected, brought to the grid of the largest, summed, shifted, relu. */
export function fuse(name: string, parameters: Grids, taps: Grids): Grid {
  const largest = Math.max(...Object.values(taps).map((tap) => tap.shape[1]));
  const parts = Object.entries(taps).map(([tap, features]) =>
    resize(project(features, parameters[`head/${name}/reduce/${tap}/kernel`]), [largest, largest]),
  );
  const sum = grid(
    parts[0].shape,
    parts[0].data.map((_, i) => parts.reduce((total, part) => total + part.data[i], 0)),
  );
  return relu(shift(sum, parameters[`head/${name}/reduce/bias`].data));
}

export function subPixels(
  name: string,
  parameters: Grids,
  taps: Grids,
  { factor, prior }: { factor: number; prior: readonly number[] },
): Grid {
  const of = (what: string) => parameters[`head/${name}/${what}`];
  const around = depthwise(fuse(name, parameters, taps), of("depthwise/kernel"));
  const mixed = relu(shift(project(around, of("pointwise/kernel")), of("pointwise/bias").data));
  const fine = spread(shift(project(mixed, of("output/kernel")), of("output/bias").data), factor);
  return shift(fine, prior);
}

/** Mean, or largest, over the places: `[batch, h, w, channels]` to `[batch, channels]`. */
export function pool(x: Grid, how: "mean" | "largest"): Grid {
  const [batch, height, width, channels] = x.shape;
  const out = grid([batch, channels]);
  if (how === "largest") out.data.fill(-Infinity);
  for (let i = 0; i < x.data.length; i++) {
    const cell = Math.floor(i / (height * width * channels)) * channels + (i % channels);
    if (how === "mean") out.data[cell] += x.data[i] / (height * width);
    else out.data[cell] = Math.max(out.data[cell], x.data[i]);
  }
  return out;
}

/** -t log p - (1 - t) log(1 - p), from the definition. */
export function crossEntropy(logit: number, target: number): number {
  const p = 1 / (1 + Math.exp(-logit));
  return -target * Math.log(p) - (1 - target) * Math.log(1 - p);
}

/** One labelled image: its logits, and its mask. */
interface Masked {
  readonly logits: Float64Array;
  readonly mask: ArrayLike<number>;
}

/** A batch's segmentation loss: mean cross-entropy, plus 1 - (2 shared + 1) / (areas + 1) where there is any area. */
export function maskLoss(images: readonly Masked[]): number {
  let entropy = 0;
  let shared = 0;
  let chances = 0;
  let area = 0;
  for (const { logits, mask } of images) {
    logits.forEach((value, i) => {
      const p = 1 / (1 + Math.exp(-value));
      entropy += crossEntropy(value, mask[i]) / logits.length / images.length;
      shared += Math.min(p, mask[i]);
      chances += p;
      area += mask[i];
    });
  }
  return area === 0 ? entropy : entropy + 1 - (2 * shared + 1) / (chances + area + 1);
}

/** One labelled image: its logits, and its boxes. */
interface Boxed {
  readonly logits: Float64Array;
  readonly boxes: readonly (readonly number[])[];
}

/** A batch's box loss, straight from the boxes: focal over the heat, absolute errors in the cells around each centre. */
export function boxLoss(images: readonly Boxed[], size: number): number {
  const sums = images.map((image) => boxSums(image, size));
  const total = (key: "heat" | "shape" | "near" | "count") => sums.reduce((sum, one) => sum + one[key], 0);
  return total("heat") / Math.max(1, total("count")) + total("shape") / Math.max(1, total("near"));
}

function boxSums({ logits, boxes }: Boxed, size: number) {
  const cells = boxes
    .map(([top, left, bottom, right]) => ({
      y: ((top + bottom) / 2) * size,
      x: ((left + right) / 2) * size,
      height: bottom - top,
      width: right - left,
    }))
    .map((cell) => ({ ...cell, row: Math.floor(cell.y), column: Math.floor(cell.x) }));
  let heatLoss = 0;
  let shapeLoss = 0;
  let nearCount = 0;
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const at = 5 * (row * size + column);
      const p = 1 / (1 + Math.exp(-logits[at]));
      const heat = Math.max(
        0,
        ...cells.map((cell) =>
          Math.exp(
            -(((row - cell.row) / ((0.54 * cell.height * size + 1) / 6)) ** 2) / 2 -
              ((column - cell.column) / ((0.54 * cell.width * size + 1) / 6)) ** 2 / 2,
          ),
        ),
      );
      heatLoss -= heat === 1 ? (1 - p) ** 2 * Math.log(p) : (1 - heat) ** 4 * p ** 2 * Math.log(1 - p);
      // The twin takes no boxes whose neighbourhoods meet, so "the box nearby" needs no rule.
      const cell = cells.find((c) => Math.abs(c.row - row) <= 1 && Math.abs(c.column - column) <= 1);
      if (!cell) continue;
      nearCount++;
      const truth = [Math.log(cell.height), Math.log(cell.width), cell.y - row, cell.x - column];
      truth.forEach((value, i) => {
        shapeLoss += Math.abs(logits[at + 1 + i] - value);
      });
    }
  }
  return { heat: heatLoss, shape: shapeLoss, near: nearCount, count: boxes.length };
}

/** d f / d data[index], by central differences; f in float64, so that a step of 1e-5 leaves an error near 1e-9. */
export function slope(f: () => number, data: Float64Array, index: number, step = 1e-5): number {
  const before = data[index];
  data[index] = before + step;
  const up = f();
  data[index] = before - step;
  const down = f();
  data[index] = before;
  return (up - down) / (2 * step);
}
