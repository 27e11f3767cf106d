/**
 * Small images cropped, resized and colour-jittered in the graph: two matrix products an image. A decoding library
 * takes longer for that than a small trunk takes for its step. The images come whole, their views as numbers.
 */

import * as tf from "@tensorflow/tfjs";
import type { Sample } from "../core/annotation.js";
import { LUMA } from "../core/luma.js";
import { type NdArrays, sizeOf } from "../core/nd-array.js";
import { writeResampling } from "../core/resample.js";
import type { Tensors } from "../engine/engine.js";

export interface CropShape {
  readonly batchSize: number;
  /** Side of the square that holds every whole image, pixels. */
  readonly side: number;
  /** Side of what the model sees. */
  readonly size: number;
}

/** Shapes of `cropInputs`. */
export function cropInputShapes({ batchSize, side, size }: CropShape): Record<string, number[]> {
  return {
    "crop/pixels": [batchSize, 3, side, side],
    "crop/rows": [batchSize, 1, size, side],
    "crop/columns": [batchSize, 1, side, size],
    "crop/jitter": [batchSize, 3],
  };
}

/** @param samples each with its `picture`. */
export function cropInputs(samples: readonly Sample[], shape: CropShape): NdArrays {
  const { side, size } = shape;
  const inputs = Object.fromEntries(
    Object.entries(cropInputShapes(shape)).map(([name, shape]) => [
      name,
      { shape, data: new Float32Array(sizeOf(shape)) },
    ]),
  );
  const area = side * side;
  for (const [index, { picture, path }] of samples.entries()) {
    if (!picture) throw new TypeError(`${path}: was cut already`);
    const { pixels, width, height, view } = picture;
    if (Math.max(width, height) > side)
      throw new RangeError(`${path}: ${width} x ${height} pixels, at most ${side} fit`);
    const planes = inputs["crop/pixels"].data.subarray(index * 3 * area, (index + 1) * 3 * area);
    const { crop, flip, isUpsideDown, isTransposed, jitter = { brightness: 1, contrast: 1, saturation: 1 } } = view;
    // A transposed view is the view of the transposed picture.
    const [down, across] = isTransposed ? [1, side] : [side, 1];
    for (let y = 0, from = 0; y < height; y++) {
      for (let x = 0, to = y * down; x < width; x++, to += across, from += 3) {
        planes[to] = pixels[from];
        planes[area + to] = pixels[from + 1];
        planes[2 * area + to] = pixels[from + 2];
      }
    }
    const offset = index * side * size;
    const vertical = { start: crop.top, length: crop.height, whole: height, size, isMirrored: isUpsideDown };
    const horizontal = { start: crop.left, length: crop.width, whole: width, size, isMirrored: flip };
    const [rows, columns] = isTransposed ? [horizontal, vertical] : [vertical, horizontal];
    writeResampling(inputs["crop/rows"].data, rows, { offset, stride: side, step: 1 });
    writeResampling(inputs["crop/columns"].data, columns, { offset, stride: 1, step: size });
    inputs["crop/jitter"].data.set([jitter.brightness, jitter.contrast, jitter.saturation], 3 * index);
  }
  return inputs;
}

/**
 * What the model sees: the crops resized, then their colours jittered as by `jitterColours`, without its rounding.
 *
 * @param inputs of `cropInputs`.
 * @returns `[batch, size, size, 3]` RGB 0..255; the caller disposes it.
 */
export function cropImages(inputs: Tensors): tf.Tensor4D {
  return tf.tidy(() => {
    const [batch, , size] = inputs["crop/rows"].shape;
    const rows = tf.matMul(inputs["crop/rows"], inputs["crop/pixels"]); // [batch, 3, size, side]
    const planes = tf.clipByValue(tf.matMul(rows, inputs["crop/columns"]), 0, 255);
    const colours = tf.reshape(planes, [batch, 3, size * size]);
    const [brightness, contrast, saturation] = tf
      .split(inputs["crop/jitter"], 3, 1)
      .map((factor) => tf.reshape(factor, [batch, 1, 1]));
    const luma = tf.tile(tf.tensor3d([...LUMA], [1, 1, 3]), [batch, 1, 1]);
    // Saturation about the pixel's grey and gain are one matrix; contrast is about the mean grey of the brightened
    // image.
    const own = tf.mul(saturation, tf.eye(3).reshape([1, 3, 3]));
    const mixed = tf.mul(tf.sub(1, saturation), tf.tile(luma, [1, 3, 1]));
    const matrix = tf.mul(tf.mul(brightness, contrast), tf.add(own, mixed)); // [batch, 3, 3]
    const level = tf.matMul(luma, tf.mean(colours, 2, true)); // [batch, 1, 1]
    const shift = tf.mul(tf.mul(brightness, tf.sub(1, contrast)), level);
    const jittered = tf.clipByValue(tf.add(tf.matMul(matrix, colours), shift), 0, 255);
    return tf.transpose(tf.reshape(jittered, [batch, 3, size, size]), [0, 2, 3, 1]);
  });
}
