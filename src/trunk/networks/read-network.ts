/** Reads a network from a file of any form that is known. */

import { stat } from "node:fs/promises";
import { join } from "node:path";
import { WeightsError } from "../../core/errors.js";
import type { Size } from "../../core/size.js";
import { readTfjsModel } from "../formats/tfjs-model.js";
import { readKerasNetwork } from "./read-keras-network.js";
import type { ReadNetwork } from "./read-nodes.js";
import { readOnnxNetwork } from "./read-onnx-network.js";

/** How a network's file is named by who runs it beside us. */
export type NetworkForm = "onnx" | "tfjs" | "keras";

/**
 * @param source an `.onnx` file; a `.keras` or a whole model as `.h5`; a `model.json` of a TensorFlow.js layers-model, or
 *   the folder of one.
 * @param inputSize of the image, where the file leaves it open.
 * @throws WeightsError where it is of no known form, cannot be read, or is no convolutional network of images.
 */
export async function readNetwork(
  source: string,
  { inputSize }: { readonly inputSize?: Size } = {},
): Promise<ReadNetwork & { readonly form: NetworkForm; readonly path: string }> {
  const isFolder = (await stat(source).catch(() => undefined))?.isDirectory() ?? false;
  const path = isFolder ? join(source, "model.json") : source;
  if (/\.(keras|h5|hdf5)$/i.test(path)) {
    const { readKerasModel } = await import("../formats/keras-model.js");
    return { ...(await readKerasNetwork(await readKerasModel(path), { inputSize })), form: "keras", path };
  }
  if (!path.endsWith(".json")) return { ...(await readOnnxNetwork(path, { inputSize })), form: "onnx", path };
  const file = await readTfjsModel(path);
  if (file.topology === undefined)
    throw new WeightsError(`${path}: is a graph-model, of which only weights of trunks are read.`, {
      cure: "Give a layers-model, or export the network to ONNX.",
      file: path,
    });
  return { ...(await readKerasNetwork(file, { inputSize })), form: "tfjs", path };
}
