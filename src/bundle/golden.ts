/** Goldens: inputs with the outputs that they must give, one safetensors file each. */

import { BundleError } from "../core/errors.js";
import { shown } from "../core/message-text.js";
import type { NdArray, NdArrays } from "../core/nd-array.js";
import { notFinite } from "../core/not-finite.js";
import { prefixed, unprefixed } from "../core/prefixed-names.js";
import { decodeSafetensors, encodeSafetensors } from "../core/safetensors.js";

export interface Golden {
  /** File name without ending. */
  readonly name: string;
  /** `[1, S, S, 3]` RGB 0..255. */
  readonly image: NdArray;
  /** Images of networks that aspect heads have to themselves, by the name of the input (`image/<network>`). */
  readonly otherImages?: NdArrays;
  /** `[1, classes]`. */
  readonly target: NdArray;
  /** Outputs of `predict.onnx` for the image. */
  readonly predict: NdArrays;
  /** Outputs of `explain.onnx` for the image and target. */
  readonly explain: NdArrays;
}

/** Names inside: `input/image`, `input/image/<network>`, `input/target`, `predict/<output>`, `explain/<output>`. */
export function encodeGolden({ image, otherImages = {}, target, predict, explain }: Golden): Uint8Array {
  return encodeSafetensors({
    "input/image": image,
    ...prefixed("input/", otherImages),
    "input/target": target,
    ...prefixed("predict/", predict),
    ...prefixed("explain/", explain),
  });
}

/** @throws BundleError where an input is missing; InputError where the file cannot be read. */
export function decodeGolden(bytes: Uint8Array, { name, source }: { name: string; source: string }): Golden {
  const arrays = decodeSafetensors(bytes, source);
  const wrong = notFinite(arrays);
  if (wrong !== undefined)
    throw new BundleError(`${source}: ${shown(wrong)} holds NaN or Infinity.`, { cure: "Export the bundle again." });
  const { "input/image": image, "input/target": target } = arrays;
  if (!image || !target)
    throw new BundleError(`${source}: has no image or target.`, { cure: "Export the bundle again." });
  const otherImages = prefixed("image/", unprefixed("input/image/", arrays));
  const [predict, explain] = [unprefixed("predict/", arrays), unprefixed("explain/", arrays)];
  const images = Object.keys(otherImages).length > 0 ? { image, otherImages } : { image };
  return { name, ...images, target, predict, explain };
}

/** Inputs of a graph for a golden. */
export function goldenInputs(
  { image, otherImages, target }: Pick<Golden, "image" | "otherImages" | "target">,
  graph: "explain" | "predict",
): NdArrays {
  return { image, ...otherImages, ...(graph === "explain" && { target }) };
}
