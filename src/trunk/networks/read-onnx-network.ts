/** Reads a network of any shape from an ONNX file, as a table of rows with channels last. */

import { WeightsError } from "../../core/errors.js";
import type { NdArray } from "../../core/nd-array.js";
import type { Field } from "../../core/protobuf-fields.js";
import { parseOnnx, readOnnxFile } from "../formats/onnx-file.js";
import { type OnnxGraph, type OnnxNode, opsetOf } from "../formats/onnx-graph.js";
import { modelFields } from "../formats/onnx-model.js";
import { numbersOf } from "../formats/onnx-tensor.js";
import { convolutionOperators } from "./convolution-operators.js";
import { elementwiseOperators } from "./elementwise-operators.js";
import { fold } from "./fold-numbers.js";
import { channelsLast, type Features, type GraphValue, type Numbers } from "./graph-values.js";
import type { NodeReading, OperatorReader, OperatorTable } from "./node-reading.js";
import type { Operation } from "./operation.js";
import { poolingOperators } from "./pooling-operators.js";
import { shapeOperators } from "./shape-operators.js";
import { createTable, Refusal, rowName } from "./table.js";

const OPERATORS: OperatorTable = {
  ...elementwiseOperators,
  ...convolutionOperators,
  ...poolingOperators,
  ...shapeOperators,
};

/** Operators of networks that are none of ours, in the words of who made them. */
const FOREIGN: readonly (readonly [RegExp, string])[] = [
  [/^(LSTM|GRU|RNN)$/, "is recurrent. Only convolutional networks are read."],
  [/^(If|Loop|Scan|SequenceMap)$/, "is control flow. Export the network without it, by tracing."],
  [
    /^(NonZero|TopK|NonMaxSuppression|Unique|Compress|RoiAlign|MaxRoiPool)$/,
    "makes a shape that depends on the image. Export the part before it.",
  ],
  [/(Quantize|Integer|QLinear)/, "computes with quantised numbers. Export the network as float32."],
  [/^(Attention|MultiHeadAttention)$/, "is the attention of a transformer. Only convolutional networks are read."],
];

/** A network that was read. */
export interface ReadNetwork {
  /** In order of computation; what no output needs is left out. */
  readonly operations: readonly Operation[];
  /** By `trunk/<row>/<part>`. */
  readonly parameters: Readonly<Record<string, NdArray>>;
  /** Of the image, pixels: height and width. */
  readonly size: readonly [number, number];
  /** By the graph's name, the row and the axes of its output. */
  readonly outputs: Readonly<Record<string, Features>>;
}

/**
 * Steps through the graph once, in its order. Numbers are folded, normalisation goes into kernels, and a transposition
 * costs nothing where only names of axes change.
 *
 * @param path of an `.onnx` file; its external data must lie in the same folder.
 * @param inputSize height and width of the image, where the file leaves them open.
 * @throws WeightsError where the file cannot be read or is of another opset, the input is no image, or a node cannot be read: it names the node, its operator, and what
 *   would help.
 */
export async function readOnnxNetwork(
  path: string,
  { inputSize }: { readonly inputSize?: number } = {},
): Promise<ReadNetwork> {
  const bytes = await readOnnxFile(path);
  const opset = opsetIn(path, modelFields(path, bytes));
  const graph = parseOnnx(path, bytes);
  const image = imageOf(graph, { path, inputSize });
  const table = createTable();
  const values = new Map<string, GraphValue>([[image.name, image.features]]);
  const readers = countReaders(graph);
  const constants = new Map<string, Numbers>();
  const numbersNamed = async (name: string): Promise<Numbers | undefined> => {
    const tensor = graph.constants.get(name);
    if (!tensor) return undefined;
    const known = constants.get(name);
    if (known) return known;
    const read: Numbers = { kind: "numbers", shape: tensor.shape, data: await numbersOf(tensor, path) };
    constants.set(name, read);
    return read;
  };
  for (const node of graph.nodes) {
    if (graph.constants.has(node.outputs[0])) continue;
    const inputs: (GraphValue | undefined)[] = [];
    for (const name of node.inputs) inputs.push(values.get(name) ?? (await numbersNamed(name)));
    // What only constants that were left out lead to, such as a training's inputs, is not read.
    const reading: NodeReading = {
      node,
      opset,
      table,
      name: rowName(node.name, node.operator),
      input: (index) => inputs[index],
      isOnlyReader: (index) => readers.get(node.inputs[index]) === 1,
    };
    const outputs = inNode(path, node, () => read(reading, inputs));
    for (const [index, name] of node.outputs.entries()) if (name && outputs[index]) values.set(name, outputs[index]);
    // Each is read once, nearly always: they are not kept beside the parameters made of them.
    for (const name of node.inputs) constants.delete(name);
  }
  const outputs = Object.fromEntries(
    graph.outputs.map((name) => {
      const value = values.get(name);
      if (value?.kind === "features") return [name, value];
      throw new WeightsError(`${path}: its output ${name} does not depend on the image.`, {
        cure: "Export the network again.",
      });
    }),
  );
  const operations = neededFor(Object.values(outputs), [...table.rows.values()]);
  const isKept = new Set(operations.map(({ name }) => name));
  const parameters = Object.entries(table.parameters).filter(([name]) => isKept.has(name.split("/")[1]));
  return { operations, parameters: Object.fromEntries(parameters), size: image.size, outputs };
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

function read(reading: NodeReading, inputs: readonly (GraphValue | undefined)[]): readonly GraphValue[] {
  const { operator } = reading.node;
  const isNumbers = (value: GraphValue | undefined): value is Numbers | undefined => value?.kind !== "features";
  if (inputs.every(isNumbers)) return [fold(reading.node, inputs)];
  const reader: OperatorReader | undefined = Object.hasOwn(OPERATORS, operator) ? OPERATORS[operator] : undefined;
  if (!reader) {
    const known = FOREIGN.find(([pattern]) => pattern.test(operator));
    throw new Refusal(
      known?.[1] ?? "is an operator that is not read.",
      known ? undefined : "Export the part before it.",
    );
  }
  const result = reader(reading);
  return Array.isArray(result) ? result : [result as GraphValue];
}

function inNode<Result>(path: string, node: OnnxNode, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const what = `${path}: node ${node.name} (${node.operator}) ${error.message}`;
    throw new WeightsError(what.endsWith(".") ? what : `${what}.`, { cure: error.cure, file: path });
  }
}

/** How many nodes and outputs read each tensor; a node that reads it twice counts twice. */
function countReaders({ nodes, outputs }: OnnxGraph): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const name of [...nodes.flatMap(({ inputs }) => inputs), ...outputs])
    counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

/** Of inputs, in a message. */
const MOST_NAMES = 3;

/** The image as the first row reads it: `input`, channels last. */
function imageOf(
  { inputs }: OnnxGraph,
  { path, inputSize }: { path: string; inputSize?: number },
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
  const isLast = shape[3] === 3 && shape[1] !== 3;
  const channels = isLast ? shape[3] : shape[1];
  if (channels !== 3 && channels !== undefined)
    throw fail(
      `wants images of ${channels} channels; those of this package have 3.`,
      "Repeat the channel, or train again.",
    );
  const given = isLast ? shape.slice(1, 3) : shape.slice(2);
  const [height, width] = given.map((side) => side || inputSize);
  if (!height || !width) throw fail("leaves the size of its image open.", "Say it: --input-size 224.");
  if (inputSize !== undefined && (height !== inputSize || width !== inputSize))
    throw fail(
      `is for images of ${width} x ${height}, not of ${inputSize}.`,
      "Leave the size out, or export it with an open one.",
    );
  const size = [height, width] as const;
  const features: Features = isLast
    ? { kind: "features", row: "input", shape: [1, height, width, 3], order: [0, 1, 2, 3] }
    : { kind: "features", row: "input", shape: [1, 3, height, width], order: channelsLast(4) };
  return { name: input.name, size, features };
}

/** Rows that outputs need, in order. */
function neededFor(outputs: readonly Features[], rows: readonly Operation[]): readonly Operation[] {
  const needed = new Set(outputs.map(({ row }) => row));
  const kept: Operation[] = [];
  for (const row of rows.toReversed()) {
    if (!needed.has(row.name)) continue;
    for (const input of row.inputs) needed.add(input);
    kept.push(row);
  }
  return kept.reverse();
}
