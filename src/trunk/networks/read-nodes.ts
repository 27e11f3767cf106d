/** Steps through the nodes of a network, from whatever file they are, and makes a table of rows of them. */

import { WeightsError } from "../../core/errors.js";
import { LIMITS } from "../../core/limits.js";
import type { NdArray } from "../../core/nd-array.js";
import type { OnnxNode } from "../formats/onnx-graph.js";
import { layerOfParameter } from "../layer-parameters.js";
import { convolutionOperators } from "./convolution-operators.js";
import { elementwiseOperators } from "./elementwise-operators.js";
import { fold } from "./fold-numbers.js";
import type { Features, GraphValue, Numbers } from "./graph-values.js";
import type { NodeReading, OperatorReader, OperatorTable } from "./node-reading.js";
import type { Operation } from "./operation.js";
import { poolingOperators } from "./pooling-operators.js";
import { Refusal } from "./refusal.js";
import { rowsBehind } from "./rows-behind.js";
import { shapeOperators } from "./shape-operators.js";
import { createTable, rowName } from "./table.js";

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

export const IMAGE_SIDES = `Sides are whole numbers up to ${LIMITS.weightsInputSize}.`;

export function isImageSide(side: number): boolean {
  return Number.isSafeInteger(side) && side > 0 && side <= LIMITS.weightsInputSize;
}

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
  /** By row, what the file calls its output. */
  readonly tensors: Readonly<Record<string, string>>;
}

/** Nodes in the words of ONNX, in order. */
export interface NodesToRead {
  readonly nodes: readonly OnnxNode[];
  /** Of the standard operators. */
  readonly opset: number;
  /** Its tensor's name, its sides, and how it lies in memory. */
  readonly image: { readonly name: string; readonly size: readonly [number, number]; readonly features: Features };
  readonly outputs: readonly string[];
  /** Numbers of a tensor that is a constant. */
  readonly constant: (name: string) => Promise<Numbers | undefined>;
  /** Whether a tensor is one, so that the node that makes it is not read. */
  readonly isConstant: (name: string) => boolean;
  /** For messages. */
  readonly path: string;
}

/**
 * Each node that an output needs once, in its order. Numbers are folded, normalisation goes into kernels, and a transposition costs nothing
 * where only names of axes change.
 *
 * @throws WeightsError where a node cannot be read: it names the node, its operator, and what would help.
 */
export async function readNodes({ opset, image, outputs: wanted, ...graph }: NodesToRead): Promise<ReadNetwork> {
  const { path, constant, isConstant } = graph;
  const nodes = nodesBehind(graph.nodes, wanted);
  const table = createTable();
  const values = new Map<string, GraphValue>([[image.name, image.features]]);
  const readers = countReaders(nodes, wanted);
  /** Rows that are read under several names: another name for the same features hides no reader of the first. */
  const shared = new Set<string>();
  const tensors: Record<string, string> = Object.create(null);
  let folded = 0;
  for (const node of nodes) {
    if (isConstant(node.outputs[0])) continue;
    const inputs: (GraphValue | undefined)[] = [];
    for (const name of node.inputs) inputs.push(values.get(name) ?? (await constant(name)));
    const reading: NodeReading = {
      ...{ node, opset, table },
      name: rowName(node.name, node.operator),
      input: (index) => inputs[index],
      isOnlyReader: (index) => {
        const value = inputs[index];
        return readers.get(node.inputs[index]) === 1 && value?.kind === "features" && !shared.has(value.row);
      },
    };
    const outputs = inNode(path, node, () => {
      const made = read(reading, inputs);
      if (inputs.every(isNumbers)) folded += sizesOf(made);
      if (folded > MOST_FOLDED) throw new Refusal("is one of too many that compute with constants", FOLD);
      return made;
    });
    for (const [index, name] of node.outputs.entries()) {
      const value = outputs[index];
      if (!name || !value) continue;
      values.set(name, value);
      if (value.kind === "features") tensors[value.row] = name;
    }
    for (const [index, value] of inputs.entries())
      if (value?.kind === "features" && (readers.get(node.inputs[index]) ?? 0) > 1) shared.add(value.row);
  }
  const outputs = Object.fromEntries(
    wanted.map((name) => {
      const value = values.get(name);
      if (value?.kind === "features") return [name, value];
      throw new WeightsError(`${path}: its output ${name} does not depend on the image.`, {
        cure: "Export the network again.",
      });
    }),
  );
  const operations = rowsBehind([...table.rows.values()], { want: Object.values(outputs).map(({ row }) => row) }) ?? [];
  const isKept = new Set(operations.map(({ name }) => name));
  const parameters = Object.entries(table.parameters).filter(([name]) => isKept.has(layerOfParameter(name)));
  return { operations, parameters: Object.fromEntries(parameters), size: image.size, outputs, tensors };
}

/** Numbers that are computed of constants alone, all nodes together: some standardise their kernels. */
const MOST_FOLDED = 300_000_000;
const FOLD = "Export the network with its constants folded.";

function isNumbers(value: GraphValue | undefined): value is Numbers | undefined {
  return value?.kind !== "features";
}

function sizesOf(values: readonly GraphValue[]): number {
  return values.reduce((sum, value) => sum + (value.kind === "numbers" ? value.data.length : 0), 0);
}

function read(reading: NodeReading, inputs: readonly (GraphValue | undefined)[]): readonly GraphValue[] {
  const { operator } = reading.node;
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

/** Those that outputs need. Every node stands after its inputs. */
function nodesBehind(nodes: readonly OnnxNode[], outputs: readonly string[]): readonly OnnxNode[] {
  const needed = new Set(outputs);
  const found = nodes.toReversed().filter((node) => {
    if (!node.outputs.some((output) => output !== "" && needed.has(output))) return false;
    for (const input of node.inputs) needed.add(input);
    return true;
  });
  return found.reverse();
}

/** How many nodes and outputs read each tensor; a node that reads it twice counts twice. */
function countReaders(nodes: readonly OnnxNode[], outputs: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const name of [...nodes.flatMap(({ inputs }) => inputs), ...outputs])
    counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}
