/** Tensors of the Open Inference Protocol, in JSON and as binary data behind it, to arrays and back. */

import { InputError } from "../core/errors.js";
import { fromBase64 } from "./request-image.js";

/** A tensor of a request. */
export type InTensor =
  | {
      readonly name: string;
      readonly shape: readonly number[];
      readonly kind: "numbers";
      readonly values: Float32Array;
    }
  | { readonly name: string; readonly shape: readonly number[]; readonly kind: "bytes"; readonly values: Uint8Array[] };

/** A tensor of an answer. */
export type OutTensor = InTensor;

export interface InferRequest {
  readonly id?: string;
  readonly inputs: readonly InTensor[];
  /** Names of the outputs that are wanted, and which of them as binary data; all of them where it is absent. */
  readonly wanted?: ReadonlyMap<string, boolean>;
  /** Of outputs that say nothing themselves. */
  readonly isBinary: boolean;
}

interface JsonTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly datatype: string;
  readonly parameters?: { readonly binary_data_size?: unknown };
  readonly data?: unknown;
}

interface JsonRequest {
  readonly id?: string;
  readonly parameters?: { readonly binary_data_output?: unknown };
  readonly inputs: readonly JsonTensor[];
  readonly outputs?: readonly { readonly name: string; readonly parameters?: { readonly binary_data?: unknown } }[];
}

/** Lists inside one another in `data`. */
const DEEPEST = 8;

/**
 * @param body parsed JSON, or the bytes of a request with binary data.
 * @param headerLength the header Inference-Header-Content-Length: bytes of the JSON before the binary data.
 * @throws InputError where a tensor is not what it says.
 */
export function decodeRequest(body: unknown, headerLength: string | string[] | undefined): InferRequest {
  const { json, binary } = parts(body, headerLength);
  let offset = 0;
  const inputs = json.inputs.map((tensor): InTensor => {
    const where = `inputs: ${tensor.name}`;
    const size = tensor.parameters?.binary_data_size;
    const isText = tensor.datatype === "BYTES";
    if (!isText && tensor.datatype !== "FP32")
      throw new InputError(`${where}: datatype "${tensor.datatype}".`, { cure: "Use FP32 or BYTES." });
    const count = tensor.shape.reduce((product, side) => product * side, 1);
    const { name, shape } = tensor;
    if (size !== undefined) {
      if (!Number.isSafeInteger(size) || Number(size) < 0 || offset + Number(size) > binary.length)
        throw new InputError(
          `${where}: binary_data_size ${String(size)}: the body has ${binary.length - offset} bytes left.`,
        );
      const bytes = binary.subarray(offset, offset + Number(size));
      offset += Number(size);
      return isText
        ? { name, shape, kind: "bytes", values: splitBytes(bytes, count, where) }
        : { name, shape, kind: "numbers", values: toFloats(bytes, count, where) };
    }
    const flat = flatten(tensor.data, count, where);
    if (isText) return { name, shape, kind: "bytes", values: flat.map((text) => bytesOf(text, where)) };
    const values = Float32Array.from(flat, (value) => (typeof value === "number" ? value : Number.NaN));
    if (values.some((value) => !Number.isFinite(value))) throw new InputError(`${where}: data: expected numbers.`);
    return { name, shape, kind: "numbers", values };
  });
  return {
    ...(json.id !== undefined && { id: json.id }),
    inputs,
    isBinary: json.parameters?.binary_data_output === true,
    ...(json.outputs?.length && {
      wanted: new Map(
        json.outputs.map(({ name, parameters }) => [
          name,
          parameters?.binary_data === undefined
            ? json.parameters?.binary_data_output === true
            : parameters.binary_data === true,
        ]),
      ),
    }),
  };
}

/**
 * @param head what stands before the outputs.
 * @returns the body and, where it holds binary data, how many bytes its JSON has.
 * @throws InputError where an output is wanted that there is not.
 */
export function encodeAnswer(
  head: { readonly model_name: string; readonly model_version: string; readonly id?: string },
  outputs: readonly OutTensor[],
  { wanted, isBinary }: Pick<InferRequest, "wanted" | "isBinary">,
): { readonly body: unknown; readonly headerBytes?: number } {
  const unknown = [...(wanted?.keys() ?? [])].find((name) => !outputs.some((output) => output.name === name));
  if (unknown !== undefined)
    throw new InputError(`outputs: "${unknown}" is none.`, {
      cure: `There are: ${outputs.map(({ name }) => name).join(", ")}.`,
    });
  const binaries: Uint8Array[] = [];
  const shown = outputs
    .filter(({ name }) => wanted?.has(name) ?? true)
    .map((output) => {
      const { name, shape } = output;
      const tensor = { name, shape, datatype: output.kind === "numbers" ? "FP32" : "BYTES" };
      if (!(wanted?.get(name) ?? isBinary)) {
        const data =
          output.kind === "numbers"
            ? Array.from(output.values)
            : output.values.map((bytes) => Buffer.from(bytes).toString("utf8"));
        return { ...tensor, data };
      }
      const bytes = output.kind === "numbers" ? fromFloats(output.values) : joinBytes(output.values);
      binaries.push(bytes);
      return { ...tensor, parameters: { binary_data_size: bytes.length } };
    });
  const json = { ...head, outputs: shown };
  if (binaries.length === 0) return { body: json };
  const text = Buffer.from(JSON.stringify(json));
  return { body: Buffer.concat([text, ...binaries]), headerBytes: text.length };
}

function parts(body: unknown, headerLength: string | string[] | undefined): { json: JsonRequest; binary: Uint8Array } {
  if (!Buffer.isBuffer(body)) return { json: body as JsonRequest, binary: new Uint8Array() };
  const length = Number(headerLength ?? body.length);
  if (!Number.isSafeInteger(length) || length < 0 || length > body.length)
    throw new InputError("Inference-Header-Content-Length: expected the bytes of the JSON before the binary data.");
  let json: unknown;
  try {
    json = JSON.parse(body.subarray(0, length).toString("utf8"));
  } catch (cause) {
    throw new InputError("the body: what stands before the binary data is no JSON.", { cause });
  }
  return { json: checked(json), binary: body.subarray(length) };
}

/** A body of bytes passes no schema. */
function checked(json: unknown): JsonRequest {
  const { inputs, outputs = [] } = (json ?? {}) as Partial<Record<"inputs" | "outputs", unknown>>;
  const isNamed = (value: unknown): value is { name: string } =>
    typeof value === "object" && value !== null && typeof (value as { name?: unknown }).name === "string";
  const isTensor = (value: unknown) =>
    isNamed(value) &&
    typeof (value as Partial<JsonTensor>).datatype === "string" &&
    Array.isArray((value as Partial<JsonTensor>).shape) &&
    ((value as Partial<JsonTensor>).shape ?? []).every((side) => Number.isSafeInteger(side) && side >= 0);
  if (!Array.isArray(inputs) || inputs.length === 0 || inputs.length > 64 || !inputs.every(isTensor))
    throw new InputError("inputs: expected tensors with name, shape and datatype.");
  if (!Array.isArray(outputs) || !outputs.every(isNamed)) throw new InputError("outputs: expected names.");
  return json as JsonRequest;
}

/** Row by row, from lists inside one another or a flat one. */
function flatten(data: unknown, count: number, where: string): unknown[] {
  if (!Array.isArray(data)) throw new InputError(`${where}: data: expected a list.`);
  let flat: unknown[] = data;
  for (let depth = 0; depth < DEEPEST && flat.some(Array.isArray); depth++) flat = flat.flat();
  if (flat.length !== count) throw new InputError(`${where}: data: expected ${count} values, got ${flat.length}.`);
  return flat;
}

function bytesOf(text: unknown, where: string): Uint8Array {
  if (typeof text !== "string") throw new InputError(`${where}: data: expected files in base64.`);
  return fromBase64(text);
}

/** Elements, each after its length of 32 bits. */
function splitBytes(bytes: Uint8Array, count: number, where: string): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const elements: Uint8Array[] = [];
  let at = 0;
  while (at + 4 <= bytes.length) {
    const length = view.getUint32(at, true);
    if (at + 4 + length > bytes.length) break;
    elements.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  if (at === bytes.length && elements.length === count) return elements;
  throw new InputError(`${where}: expected ${count} elements, each after its length of 32 bits.`);
}

function joinBytes(elements: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(
    elements.flatMap((element) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(element.length);
      return [length, element];
    }),
  );
}

function toFloats(bytes: Uint8Array, count: number, where: string): Float32Array {
  if (bytes.length !== 4 * count)
    throw new InputError(`${where}: binary_data_size: expected ${4 * count} bytes, got ${bytes.length}.`);
  const values = new Float32Array(new Uint8Array(bytes).buffer);
  if (values.some((value) => !Number.isFinite(value))) throw new InputError(`${where}: holds what is no number.`);
  return values;
}

function fromFloats(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
