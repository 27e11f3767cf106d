/** From a network that was read to a classifier that can be explained: its logits, and where heads can read it. */

import { WeightsError } from "../../core/errors.js";
import type { NetworkTable, PixelScaling } from "./network-table.js";
import type { FunctionName, Operation } from "./operation.js";
import type { ReadNetwork } from "./read-nodes.js";
import { rowsBehind } from "./rows-behind.js";
import { defaultSource, sourceLayers } from "./source-layers.js";

/** What may stand behind logits. */
export type Ending = "softmax" | "log-softmax" | "sigmoid";

export interface ImportedTable {
  readonly table: NetworkTable;
  /** Outputs of the answer. */
  readonly classCount: number;
  /** What the file calls the logits, where it has a name for them. */
  readonly logits?: string;
  /** What stood behind the logits, and is left out; `none` where the file ends in the logits, or in what we cannot tell. */
  readonly ending: Ending | "none";
}

export interface TableChoices {
  /** For messages. */
  readonly path: string;
  readonly scaling: PixelScaling;
  /** The row to explain at; the default where absent. */
  readonly source?: string;
}

/**
 * A softmax, its logarithm or a sigmoid at the end is left out: what is explained are the logits before it.
 *
 * @throws WeightsError where the network is for images that are not square, has several outputs, or ends in anything but
 *   one number for each class; where it has no layer to explain at, or not the one that is asked for.
 */
export function importedTable(network: ReadNetwork, { path, scaling, source: asked }: TableChoices): ImportedTable {
  const fail = (what: string, cure: string) => new WeightsError(`${path}: ${what}`, { cure, file: path });
  const [height, width] = network.size;
  if (height !== width) throw fail(`is for images of ${width} x ${height}.`, "Export it for square images.");
  const outputs = Object.entries(network.outputs);
  if (outputs.length !== 1)
    throw fail(
      `has ${outputs.length} outputs: ${outputs.map(([name]) => name).join(", ")}.`,
      "Export it with its logits as the only output.",
    );
  const [[, output]] = outputs;
  const { operations, answer, ending } = withoutEnding(network.operations, output.row);
  const answering = operations.at(-1);
  if (!answering) throw fail("answers with the image itself.", "Import a network that classifies.");
  const { shape } = answering;
  const classCount = Math.max(1, ...shape);
  if (shape.reduce((product, size) => product * size, 1) !== classCount)
    throw fail(`ends in ${shape.join(" x ")} numbers, no answer of a classifier.`, "Import a network that classifies.");
  const layers = sourceLayers(operations);
  const source = asked === undefined ? defaultSource(layers) : layers.find(({ name }) => name === asked);
  const last = layers.at(-1);
  if (!source || !last)
    throw fail(
      asked === undefined
        ? "has no layer at which it can be explained: none larger than 1 x 1 lies on every path."
        : `cannot be explained at ${asked}.`,
      asked === undefined
        ? "Import a convolutional network."
        : `Its layers: ${layers.map(({ name }) => name).join(", ")}.`,
    );
  return {
    table: { operations, scaling, source: source.name, output: last.name, answer },
    ...{ classCount, ending, logits: network.tensors[answer] },
  };
}

/** Without the softmax, its logarithm or the sigmoid that ends it, and reshapes around that. */
function withoutEnding(
  operations: readonly Operation[],
  output: string,
): { readonly operations: readonly Operation[]; readonly answer: string; readonly ending: ImportedTable["ending"] } {
  const byName = new Map(operations.map((row) => [row.name, row]));
  let row = byName.get(output);
  while (row && (row.op === "reshape" || row.op === "transpose")) row = byName.get(row.inputs[0]);
  const ending = row?.op === "function" ? ENDINGS[row.function] : undefined;
  if (!row || !ending)
    return { operations: rowsBehind(operations, { want: [output] }) ?? [], answer: output, ending: "none" };
  const [answer] = row.inputs;
  return { operations: rowsBehind(operations, { want: [answer] }) ?? [], answer, ending };
}

const ENDINGS: Partial<Readonly<Record<FunctionName, Ending>>> = {
  softmax: "softmax",
  logSoftmax: "log-softmax",
  sigmoid: "sigmoid",
};
