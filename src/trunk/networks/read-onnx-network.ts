/** Reads a network of any shape from an ONNX file, as a table of rows with channels last. */

import { WeightsError } from "../../core/errors.js";
import type { Field } from "../../core/protobuf-fields.js";
import { isSameSize, type Size, shapeOf, sizeKey, sizeText } from "../../core/size.js";
import { parseOnnx, readOnnxFile } from "../formats/onnx-file.js";
import { type OnnxGraph, opsetOf } from "../formats/onnx-graph.js";
import { modelFields } from "../formats/onnx-model.js";
import { isWhole, numbersOf } from "../formats/onnx-tensor.js";
import { channelsLast, type Features } from "./graph-values.js";
import { IMAGE_SIDES, isImageSide, type ReadNetwork, readNodes } from "./read-nodes.js";

/**
 * @param path of an `.onnx` file; its external data must lie in the same folder.
 * @param inputSize of the image, where the file leaves it open.
 * @throws WeightsError where the file cannot be read or is of another opset, the input is no image, or a node cannot be read: it names the node, its operator, and what
 *   would help.
 */
export async function readOnnxNetwork(
  path: string,
  { inputSize }: { readonly inputSize?: Size } = {},
): Promise<ReadNetwork> {
  const bytes = await readOnnxFile(path);
  const opset = opsetIn(path, modelFields(path, bytes));
  const graph = parseOnnx(path, bytes);
  const image = imageOf(graph, { path, inputSize });
  return readNodes({
    ...{ nodes: graph.nodes, opset, image, outputs: graph.outputs, path },
    isConstant: (name) => graph.constants.has(name),
    constant: async (name) => {
      const tensor = graph.constants.get(name);
      const isInteger = tensor !== undefined && isWhole(tensor);
      return tensor && { kind: "numbers", shape: tensor.shape, data: await numbersOf(tensor, path), isInteger };
    },
  });
}

const [FIRST_OPSET, LAST_OPSET] = [9, 21];

function opsetIn(path: string, fields: readonly Field[]): number {
  const opset = opsetOf(fields);
  if (opset !== undefined && opset >= FIRST_OPSET && opset <= LAST_OPSET) return opset;
  throw new WeightsError(`${path}: is of opset ${opset ?? "unknown"}; ${FIRST_OPSET} to ${LAST_OPSET} are read.`, {
    cure: "Export it again: torch.onnx.export(..., opset_version=17).",
    file: path,
  });
}

/** Of inputs, in a message. */
const MOST_NAMES = 3;

/** The image as the first row reads it: `input`, channels last. */
function imageOf(
  { inputs }: OnnxGraph,
  { path, inputSize }: { path: string; inputSize?: Size },
): { readonly name: string; readonly size: readonly [number, number]; readonly features: Features } {
  const [input] = inputs;
  const fail = (what: string, cure: string) => new WeightsError(`${path}: ${what}`, { cure, file: path });
  if (inputs.length !== 1) {
    const names = inputs.slice(0, MOST_NAMES).map(({ name }) => name);
    const list = [...names, ...(inputs.length > MOST_NAMES ? [`${inputs.length - MOST_NAMES} more`] : [])].join(", ");
    throw fail(
      `wants ${list || "nothing"}, where one image is expected.`,
      "Export the image network alone, with its weights in the file (export_params=True).",
    );
  }
  const shape = input.shape ?? [];
  if (shape.length !== 4)
    throw fail(`wants ${input.name} of ${shape.length} dimensions, no image.`, "Export a network of images.");
  if ((shape[0] ?? 1) !== 1)
    throw fail(`wants ${shape[0]} images at once.`, "Export it for a batch of 1, or with an open one (dynamic_axes).");
  const isLast = shape[3] === 3 && shape[1] !== 3;
  const channels = isLast ? shape[3] : shape[1];
  if (channels !== 3 && channels !== undefined)
    throw fail(
      `wants images of ${channels} channels; those of this package have 3.`,
      "Repeat the channel, or train again.",
    );
  const given = isLast ? shape.slice(1, 3) : shape.slice(2);
  const asked = inputSize === undefined ? [] : shapeOf(inputSize);
  const [height, width] = given.map((side, axis) => side || asked[axis]);
  if (!height || !width) throw fail("leaves the size of its image open.", "Say it: --input-size 224, or HEIGHTxWIDTH.");
  if (!isImageSide(height) || !isImageSide(width))
    throw fail(`is for images of ${sizeText([height, width])}.`, IMAGE_SIDES);
  if (inputSize !== undefined && !isSameSize(inputSize, [height, width]))
    throw fail(
      `is for images of ${sizeText([height, width])}, not of ${sizeKey(inputSize)}.`,
      "Leave the size out, or export it with an open one.",
    );
  const size = [height, width] as const;
  const features: Features = isLast
    ? { kind: "features", row: "input", shape: [1, height, width, 3], order: [0, 1, 2, 3] }
    : { kind: "features", row: "input", shape: [1, 3, height, width], order: channelsLast(4) };
  return { name: input.name, size, features };
}
