/** Opens the original network of an imported file in its own runtime, if there is one. */

import { WeightsError } from "../core/errors.js";
import type { WeightsDescription } from "../trunk/formats/inspect-weights.js";
import type { OnnxWeights } from "../trunk/formats/onnx-file.js";
import type { WeightsFile } from "../trunk/formats/weights-file.js";
import { type NotCompared, type Original, unloadable } from "./original-network.js";
import { openOnnx } from "./original-onnx.js";
import { openTfjs } from "./original-tfjs.js";

/**
 * @param file as `readWeights` returned it.
 * @returns the network, or the reason if no runtime here runs the file: an `.h5`, a trunk file, an `.onnx` in half
 *   precision, layers of Keras 3.
 * @throws WeightsError if the runtime cannot read the network, or it lacks the layer: then it is not the expected
 *   network.
 */
export async function openOriginal(
  file: WeightsFile | OnnxWeights,
  { name, lastLayer }: Pick<WeightsDescription, "name" | "lastLayer">,
): Promise<Original | NotCompared> {
  const { path } = file;
  if (!("lastTensor" in file) && !path.endsWith(".json"))
    return { notCompared: "no runtime here runs the original file beside it" };
  const opened = await orRefuse(path, () => ("lastTensor" in file ? openOnnx(file, name) : openTfjs(path, lastLayer)));
  if ("notCompared" in opened) return opened;
  return { ...opened, run: (image) => orRefuse(path, () => opened.run(image)) };
}

/** Error messages of a library about a file are not shown to users. */
async function orRefuse<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof WeightsError) throw cause;
    throw unloadable(path, "", cause);
  }
}
