/**
 * Whether a bundle's graph is one that this program wrote for the model that the bundle describes, and small enough to
 * run.
 */

import { BundleError } from "../core/errors.js";
import { LIMITS } from "../core/limits.js";
import { shown } from "../core/message-text.js";
import type { BundleDescription } from "./description.js";
import { costOf } from "./graph-cost.js";
import { inputsOf, outputsOf } from "./graph-interface.js";
import { type Ports, type ReadGraph, readExportedGraph } from "./graph-reading.js";

export interface GraphCheck {
  readonly graph: "explain" | "predict";
  readonly description: Pick<BundleDescription, "model">;
  /** Names the file in errors. */
  readonly source: string;
}

/**
 * Reads every field, so that nothing reaches ONNX Runtime that `trace` would not have written: no other file, no
 * control flow, no open shape.
 *
 * @returns the share of the computing allowed for one run that it takes.
 * @throws BundleError
 */
export function checkGraph(model: Uint8Array, { graph, description, source }: GraphCheck): number {
  const refuse = (what: string, cause?: unknown) =>
    new BundleError(`${source}: cannot be run: ${what}.`, { cure: "Export the bundle again.", cause });
  let read: ReadGraph;
  try {
    read = readExportedGraph(model);
  } catch (cause) {
    throw refuse(`it is damaged, or not as this program writes it (${reasonOf(cause)})`, cause);
  }
  const inputs = inputsOf(description, graph);
  const wrongInput = difference(inputs, read.inputs, "input");
  if (wrongInput) throw refuse(wrongInput);
  if (read.inputs.size > inputs.size) throw refuse("it has more inputs than the model");
  const weights = [...read.constants.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  const cost = (() => {
    try {
      return costOf(read);
    } catch (cause) {
      throw refuse(reasonOf(cause), cause);
    }
  })();
  const wrongOutput = difference(outputsOf(description, graph, cost.outputs), cost.outputs, "output");
  if (wrongOutput) throw refuse(wrongOutput);
  const bytes = LIMITS.graphBytes + LIMITS.graphBytesPerWeightByte * weights;
  if (cost.bytes > bytes) throw refuse(`it would hold ${cost.bytes} bytes at once, more than the ${bytes} allowed`);
  const operations = LIMITS.graphOperations + LIMITS.graphOperationsPerWeightByte * weights;
  if (cost.operations > operations)
    throw refuse(`it would compute ${cost.operations} operations, more than the ${operations} allowed`);
  return cost.operations / operations;
}

/** The first port that is missing or has other sizes; -1 stands for any. */
function difference(wanted: Ports, given: Ports, what: "input" | "output"): string | undefined {
  for (const [name, shape] of wanted) {
    const found = given.get(name);
    const isSame =
      found?.length === shape.length &&
      shape.every((size, axis) => (size < 0 ? found[axis] > 0 : size === found[axis]));
    if (isSame) continue;
    const got = found ? `[${found.join(", ")}]` : "none";
    const sizes = shape.map((size) => (size < 0 ? "any" : size)).join(", ");
    return `the model needs the ${what} ${shown(name)} of shape [${sizes}], the graph has ${got}`;
  }
  return undefined;
}

function reasonOf(cause: unknown): string {
  if (cause instanceof RangeError) return "it is cut off"; // protobufjs read beyond the end
  return cause instanceof Error ? cause.message : String(cause);
}
