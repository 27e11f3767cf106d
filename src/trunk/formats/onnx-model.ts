/** An ONNX model as the fields of its file, and the same model cut to one of its tensors. */

import { WeightsError } from "../../core/errors.js";
import { delimited, type Field, fieldsOf, textOf } from "../../core/protobuf-fields.js";
import { GRAPH, MODEL, nodeOf } from "./onnx-graph.js";
import { tensorOf } from "./onnx-tensor.js";

/** @throws WeightsError where the bytes are no ONNX model, or cut off. */
export function modelFields(place: string, bytes: Uint8Array): readonly Field[] {
  const found: Field[] = [];
  try {
    for (const field of fieldsOf(bytes)) found.push(field);
  } catch (cause) {
    // A model begins with the version of its format.
    if (found[0]?.number === MODEL.irVersion)
      throw new WeightsError(`${place}: is cut off or damaged.`, { cure: "Fetch or export it again.", cause });
    throw new WeightsError(`${place}: is no ONNX model.`, {
      cure: "Give an .onnx file, as torch.onnx.export writes it.",
      cause,
    });
  }
  if (found.some(({ number }) => number === MODEL.graph)) return found;
  throw new WeightsError(`${place}: is no ONNX model: it has no graph.`, {
    cure: "Give an .onnx file, as torch.onnx.export writes it.",
  });
}

/**
 * The same model with one tensor as its only output, and without whatever that does not need: the rest might take any
 * time or memory.
 *
 * @throws WeightsError where the bytes are no ONNX model.
 */
export function withOutput(model: Uint8Array, tensor: string): Uint8Array {
  const rewritten = modelFields("model", model).map((field) => {
    if (field.number !== MODEL.graph) return field.bytes;
    const parts = [...fieldsOf(field.value)];
    const needed = neededFor(tensor, parts);
    const described = parts.find(({ number, value }) => {
      return (number === GRAPH.valueInfo || number === GRAPH.output) && nameIn(value) === tensor;
    });
    const output = described?.value ?? delimited(1, Buffer.from(tensor));
    const kept = parts.filter((part) => part !== described && isKept(part, needed)).map((part) => part.bytes);
    return delimited(MODEL.graph, Buffer.concat([...kept, delimited(GRAPH.output, output)]));
  });
  return Buffer.concat(rewritten);
}

function isKept({ number, value }: Field, needed: ReadonlySet<string>): boolean {
  if (number === GRAPH.node) return nodeOf(value).outputs.some((output) => needed.has(output));
  if (number === GRAPH.initializer) return needed.has(tensorOf(value).name);
  if (number === GRAPH.input || number === GRAPH.valueInfo) return needed.has(nameIn(value));
  return number === GRAPH.name;
}

/** Names of a tensor and of all that it is computed from. */
function neededFor(tensor: string, parts: readonly Field[]): ReadonlySet<string> {
  const nodes = parts.filter(({ number }) => number === GRAPH.node).map(({ value }) => nodeOf(value));
  const needed = new Set([tensor]);
  // Nodes are in order, so those that a node reads come before it.
  for (const { inputs, outputs } of nodes.reverse())
    if (outputs.some((output) => needed.has(output))) for (const input of inputs) needed.add(input);
  needed.delete("");
  return needed;
}

/** Of a `ValueInfoProto`. */
function nameIn(value: Uint8Array): string {
  return textOf([...fieldsOf(value)].find(({ number }) => number === 1)?.value ?? new Uint8Array());
}
