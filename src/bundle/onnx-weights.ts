/**
 * Where an ONNX file keeps its numbers: moves them out to a shared weights file, and back in before a session is built.
 */

import protobuf from "protobufjs/minimal.js";
import { BundleError } from "../core/errors.js";
import { LIMITS } from "../core/limits.js";
import { readPair } from "../core/onnx-check.js";
import { type Field, fieldsOf } from "../core/protobuf-fields.js";

/** Smaller constants (shapes, scales) stay in the graph. */
const SMALLEST_MOVED_BYTES = 1024;
const FLOAT32 = 1;
const EXTERNAL = 1;
/** Field numbers of onnx.proto (github.com/onnx/onnx): ModelProto, GraphProto, TensorProto. */
const GRAPH = 7;
const INITIALIZER = 5;
const DATA_TYPE = 2;
const RAW_DATA = 9;
const EXTERNAL_DATA = 13;
const DATA_LOCATION = 14;
const BYTES = 2;

/** Where numbers stand in the weights file. */
export interface Extent {
  readonly offset: number;
  readonly length: number;
}

/** The float32 constants of a graph that are worth moving out, as raw little-endian bytes, in order. */
export function largeConstants(model: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = [];
  rewriteInitializers(model, (tensor) => {
    const raw = movable(tensor);
    if (raw) found.push(raw);
    return undefined;
  });
  return found;
}

/**
 * The model with its large constants as ONNX external data.
 *
 * @param options.location of the weights file, relative to the model.
 * @param options.place where the weights file holds these bytes.
 */
export function moveConstantsOut(
  model: Uint8Array,
  { location, place }: { location: string; place: (raw: Uint8Array) => Extent },
): Uint8Array {
  return rewriteInitializers(model, (tensor, writer) => {
    const raw = movable(tensor);
    if (!raw) return undefined;
    const { offset, length } = place(raw);
    for (const field of tensor) if (field.number !== RAW_DATA) writer.raw(field.bytes);
    const pairs = { location, offset: String(offset), length: String(length) };
    for (const [key, value] of Object.entries(pairs)) {
      writer.tag(EXTERNAL_DATA).fork();
      writer.tag(1).string(key);
      writer.tag(2).string(value);
      writer.join();
    }
    writer.tag(DATA_LOCATION, 0).int32(EXTERNAL);
    return true;
  });
}

/**
 * The model with its constants inside again, so that ONNX Runtime reads no file.
 *
 * Measured (onnxruntime-node 1.30, MobileNet v1 1.0 @224, 24 MB of constants, 2 threads, best and median of five cold
 * starts of a session, ms): embedded bytes 137, 159; embedded file 114, 136; external data given in memory 134, 149;
 * external file 85, 91. External data cost nothing, so a bundle holds its weights once; they are put back by one copy
 * in memory, since an external file would have to be unpacked and removed again.
 *
 * @param options.location as it must stand in the model; another one is refused, as it could name any file.
 * @throws BundleError where a constant lies outside `weights`.
 */
export function moveConstantsIn(
  model: Uint8Array,
  { location, weights, source }: { location: string; weights: Uint8Array; source: string },
): Uint8Array {
  let moved = 0;
  return rewriteInitializers(model, (tensor, writer) => {
    if (!tensor.some(({ number }) => number === EXTERNAL_DATA)) return undefined;
    const pairs = Object.fromEntries(
      tensor.filter(({ number }) => number === EXTERNAL_DATA).map(({ value }) => readPair(value)),
    );
    const [offset, length] = [Number(pairs.offset), Number(pairs.length)];
    const isInside = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0;
    if (pairs.location !== location || !isInside || offset + length > weights.length) {
      throw new BundleError(`${source}: a constant lies outside ${location}.`, { cure: "Export the bundle again." });
    }
    // Graphs share numbers, but hardly within one: many constants over the same bytes are an attack on memory.
    moved += length;
    if (moved > LIMITS.graphConstants * weights.length) {
      throw new BundleError(`${source}: its constants are more than ${LIMITS.graphConstants} times ${location}.`, {
        cure: "Export the bundle again.",
      });
    }
    for (const field of tensor) {
      if (field.number !== EXTERNAL_DATA && field.number !== DATA_LOCATION) writer.raw(field.bytes);
    }
    writer.tag(RAW_DATA).bytes(weights.subarray(offset, offset + length));
    return true;
  });
}

/** Copies a model; `rewrite` writes another initializer and says so, or leaves one as it is. */
function rewriteInitializers(
  model: Uint8Array,
  rewrite: (tensor: readonly Field[], writer: FieldWriter) => true | undefined,
): Uint8Array {
  const writer = fieldWriter();
  for (const field of fieldsOf(model)) {
    if (field.number !== GRAPH) {
      writer.raw(field.bytes);
      continue;
    }
    writer.tag(GRAPH).fork();
    for (const part of fieldsOf(field.value)) {
      if (part.number !== INITIALIZER) {
        writer.raw(part.bytes);
        continue;
      }
      writer.tag(INITIALIZER).fork();
      const tensor = [...fieldsOf(part.value)];
      if (!rewrite(tensor, writer)) for (const item of tensor) writer.raw(item.bytes);
      writer.join();
    }
    writer.join();
  }
  return writer.finish();
}

/** The raw data of a float32 tensor that is large enough to move. */
function movable(tensor: readonly Field[]): Uint8Array | undefined {
  const type = tensor.find(({ number }) => number === DATA_TYPE);
  const isFloat = type !== undefined && protobuf.Reader.create(type.bytes.subarray(1)).int32() === FLOAT32;
  const raw = tensor.find(({ number }) => number === RAW_DATA)?.value;
  return isFloat && raw && raw.length >= SMALLEST_MOVED_BYTES ? raw : undefined;
}

type FieldWriter = ReturnType<typeof fieldWriter>;

/** Protobuf's writer, which takes whole fields as they are. Large bytes are copied once, at the end. */
function fieldWriter() {
  const pieces: Uint8Array[][] = [[]];
  const add = (bytes: Uint8Array) => pieces[pieces.length - 1].push(bytes);
  const small = (write: (writer: protobuf.Writer) => void) => {
    const writer = protobuf.Writer.create();
    write(writer);
    add(writer.finish());
  };
  const self = {
    raw: add,
    tag(number: number, wireType = BYTES) {
      small((writer) => writer.uint32((number << 3) | wireType));
      return self;
    },
    int32: (value: number) => small((writer) => writer.int32(value)),
    string: (text: string) => small((writer) => writer.string(text)),
    bytes(value: Uint8Array) {
      small((writer) => writer.uint32(value.length));
      add(value);
    },
    /** Begins a message inside; `join` ends it and puts its length before it. */
    fork: () => void pieces.push([]),
    join() {
      const inner = pieces.pop() ?? [];
      small((writer) => writer.uint32(inner.reduce((sum, piece) => sum + piece.length, 0)));
      for (const piece of inner) add(piece);
    },
    finish: (): Uint8Array => concatenate(pieces[0]),
  };
  return self;
}

function concatenate(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let offset = 0;
  for (const piece of pieces) {
    whole.set(piece, offset);
    offset += piece.length;
  }
  return whole;
}
