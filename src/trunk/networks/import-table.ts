/** From a network that was read to a classifier that can be explained: its logits, and where heads can read it. */

import { WeightsError } from "../../core/errors.js";
import { sizeOf } from "../../core/nd-array.js";
import { answersByPlace, type NetworkTable, type PixelScaling } from "./network-table.js";
import { type FunctionName, isLikeImage, type Operation } from "./operation.js";
import type { ReadNetwork } from "./read-nodes.js";
import { rowsBehind } from "./rows-behind.js";
import { defaultSource, sourceLayers } from "./source-layers.js";

/** What may stand behind logits. */
export type Ending = "softmax" | "log-softmax" | "sigmoid";

export interface ImportedTable {
  readonly table: NetworkTable;
  /** Outputs of the answer. */
  readonly classCount: number;
  /** Axis `i` of the answer's rows in memory is axis `order[i]` of the file's output, the batch included. */
  readonly order: readonly number[];
  /** What the file calls the logits, where it has a name for them. */
  readonly logits?: string;
  /** What makes the file's outputs of the logits; `none` where the file ends in the logits, or in what we cannot tell. */
  readonly ending: Ending | "none";
}

export interface TableChoices {
  /** For messages. */
  readonly path: string;
  readonly scaling: PixelScaling;
  readonly centerCrop?: number;
  /** The row to explain at; the default where absent. */
  readonly source?: string;
  /** What the file's outputs are, where it does not end in a softmax or sigmoid that tells. */
  readonly outputs?: OutputScale;
}

/** `logits`: any numbers, the outputs are taken as they are. `probabilities`: 0..1; of several they sum to 1. */
export type OutputScale = "logits" | "probabilities";
export const OUTPUT_SCALES: readonly OutputScale[] = ["logits", "probabilities"];

/**
 * A softmax, its logarithm or a sigmoid at the end is left out: what is explained are the logits before it.
 *
 * @throws WeightsError where the network has several outputs, or ends in anything but one number, or one map of the image,
 *   for each class; where it has no layer to explain at, or not the one that is asked for.
 */
export function importedTable(
  network: ReadNetwork,
  { path, scaling, centerCrop, source: asked, outputs: scale }: TableChoices,
): ImportedTable {
  const fail = (what: string, cure: string) => new WeightsError(`${path}: ${what}`, { cure, file: path });
  const [height, width] = network.size;
  const outputs = Object.entries(network.outputs);
  if (outputs.length !== 1)
    throw fail(
      `has ${outputs.length} outputs: ${outputs.map(([name]) => name).join(", ")}.`,
      "Export it with its logits as the only output.",
    );
  const [[, output]] = outputs;
  const { operations, answer, ending } = logitsOf(network.operations, output.row, scale);
  const answering = operations.at(-1);
  if (!answering) throw fail("answers with the image itself.", "Import a network that classifies.");
  const { shape } = answering;
  const isMap = answersByPlace({ operations, answer });
  const classCount = isMap ? shape[2] : Math.max(1, ...shape);
  if (isMap ? !isLikeImage(shape, { height, width }) : sizeOf(shape) !== classCount)
    throw fail(
      `ends in ${shape.join(" x ")} numbers, neither an answer of a classifier nor a map of the image.`,
      "Import a network that classifies or segments.",
    );
  const layers = sourceLayers(operations, { height, width });
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
    table: {
      ...{ operations, scaling, source: source.name, output: last.name, answer },
      ...(centerCrop !== undefined && { centerCrop }),
    },
    ...{ classCount, ending, logits: network.tensors[answer], order: output.order },
  };
}

interface Logits {
  readonly operations: readonly Operation[];
  readonly answer: string;
  readonly ending: ImportedTable["ending"];
}

/** Nearer to 0 or 1 no probability counts. */
const LEAST = 1e-7;

/** Without the softmax, its logarithm or the sigmoid that ends it, and reshapes around that; of probabilities whose end is not known their logarithm. */
function logitsOf(operations: readonly Operation[], output: string, scale: OutputScale | undefined): Logits {
  const whole = {
    operations: rowsBehind(operations, { want: [output] }) ?? [],
    answer: output,
    ending: "none",
  } as const;
  if (scale === "logits") return whole;
  const cut = withoutEnding(operations, output) ?? whole;
  if (scale === undefined || cut.ending !== "none") return cut;
  const last = operations.find(({ name }) => name === output);
  if (!last) return whole;
  const row = (name: string, inputs: readonly string[]) => ({ name: `${output}.${name}`, inputs, shape: last.shape });
  const clip = { ...row("clipped", [output]), op: "function", function: "clip", numbers: [LEAST, 1 - LEAST] } as const;
  const log = { ...row("log", [clip.name]), op: "function", function: "log" } as const;
  const isAlone = Math.max(1, ...last.shape.slice(-1)) === 1;
  if (!isAlone) return { operations: [...whole.operations, clip, log], answer: log.name, ending: "softmax" };
  const rest = { ...row("rest", [clip.name]), op: "sub", number: 1, isSwapped: true, activation: "none" } as const;
  const logRest = { ...row("log-rest", [rest.name]), op: "function", function: "log" } as const;
  const odds = { ...row("log-odds", [log.name, logRest.name]), op: "sub", activation: "none" } as const;
  return { operations: [...whole.operations, clip, log, rest, logRest, odds], answer: odds.name, ending: "sigmoid" };
}

function withoutEnding(operations: readonly Operation[], output: string): Logits | undefined {
  const byName = new Map(operations.map((row) => [row.name, row]));
  let row = byName.get(output);
  while (row && (row.op === "reshape" || row.op === "transpose")) row = byName.get(row.inputs[0]);
  const ending = row?.op === "function" ? ENDINGS[row.function] : undefined;
  if (!row || !ending) return undefined;
  const [answer] = row.inputs;
  return { operations: rowsBehind(operations, { want: [answer] }) ?? [], answer, ending };
}

const ENDINGS: Partial<Readonly<Record<FunctionName, Ending>>> = {
  softmax: "softmax",
  logSoftmax: "log-softmax",
  sigmoid: "sigmoid",
};
