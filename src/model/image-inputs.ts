/** The images that the graphs of a model read: of the classifier, and of networks that aspect heads have to themselves. */

import type { Sample } from "../core/annotation.js";
import { ShapeError } from "../core/errors.js";
import { INPUTS, imagePort } from "../core/graph-ports.js";
import { imageBatch } from "../core/image-batch.js";
import type { NdArrays } from "../core/nd-array.js";
import { isSameSize, type Size, shapeOf, sizeKey } from "../core/size.js";
import type { ModelSpec } from "./model-spec.js";

type Described = Pick<ModelSpec, "trunk" | "networks">;

/** Size of each image, pixels, by the name of the input. */
export function imageSizesByInput({ trunk, networks = [] }: Described): ReadonlyMap<string, Size> {
  return new Map([
    [INPUTS.image, trunk.inputSize],
    ...networks.map((network) => [imagePort(network.name), network.trunk.inputSize] as const),
  ]);
}

/** Shapes by the name of the input, `[batch, height, width, 3]`. */
export function imageShapes(spec: Described, batchSize: number): Record<string, readonly number[]> {
  return Object.fromEntries(
    [...imageSizesByInput(spec)].map(([name, size]) => [name, [batchSize, ...shapeOf(size), 3]]),
  );
}

/**
 * The images of samples by the name of the input, RGB 0..255; rows past the samples are zeros.
 *
 * @throws ShapeError where a sample lacks the image at a size that a network needs.
 */
export function imageInputs(
  spec: Described,
  samples: readonly Sample[],
  { batchSize }: { batchSize: number },
): Record<string, NdArrays[string]> {
  const own = spec.trunk.inputSize;
  return Object.fromEntries(
    [...imageSizesByInput(spec)].map(([name, size]) => {
      const seen = isSameSize(size, own)
        ? samples
        : samples.map((sample) => ({ ...sample, image: imageAt(sample, size) }));
      return [name, imageBatch(seen, { size, batchSize })];
    }),
  );
}

function imageAt({ path, otherSizes }: Sample, size: Size): Uint8Array {
  const image = otherSizes?.[sizeKey(size)];
  if (image) return image;
  throw new ShapeError(
    `${path}: the model also reads the image at ${sizeKey(size)} px. Read samples with "otherSizes".`,
  );
}
