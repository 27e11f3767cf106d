/** Takes protobuf messages apart field by field, without a description of what they mean. */

import protobuf from "protobufjs/minimal.js";
import { LIMITS } from "./limits.js";

/** Wire type of what has a length: text, bytes, messages, packed numbers. */
const LENGTH_DELIMITED = 2;

export interface Field {
  readonly number: number;
  /** The whole field, its tag included; copied as it is, it stays the same field. */
  readonly bytes: Uint8Array;
  /** What follows the tag, and the length where there is one: the content of a text, the bytes of a number. */
  readonly value: Uint8Array;
}

/** @throws Error where the message is cut off, is no protobuf, or has more fields than the limit. */
export function* fieldsOf(message: Uint8Array): Generator<Field> {
  const reader = protobuf.Reader.create(message);
  let count = 0;
  while (reader.pos < reader.len) {
    if (++count > LIMITS.protobufFields) throw new Error(`more than ${LIMITS.protobufFields} fields`);
    const start = reader.pos;
    const tag = reader.uint32();
    let from = reader.pos;
    if ((tag & 7) === LENGTH_DELIMITED) {
      const length = reader.uint32();
      from = reader.pos;
      reader.skip(length);
    } else reader.skipType(tag & 7);
    yield { number: tag >>> 3, bytes: message.subarray(start, reader.pos), value: message.subarray(from, reader.pos) };
  }
}

/** Whole numbers, one or many packed; negative ones too. */
export function integersOf(value: Uint8Array): readonly number[] {
  const reader = protobuf.Reader.create(value);
  const found: number[] = [];
  while (reader.pos < reader.len) {
    const byte = value[reader.pos];
    if (byte < 0x80) {
      found.push(byte); // most of them, and much faster
      reader.pos += 1;
      continue;
    }
    // 64 bits come as a number or as a `Long`, depending on what else is installed.
    const number: unknown = reader.int64();
    found.push(typeof number === "number" ? number : Number(String(number)));
  }
  return found;
}

export function textOf(value: Uint8Array): string {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("utf8");
}

/** A field that holds bytes or a message. */
export function delimited(number: number, content: Uint8Array): Uint8Array {
  const head = protobuf.Writer.create();
  head.uint32((number << 3) | LENGTH_DELIMITED).uint32(content.length);
  return Buffer.concat([head.finish(), content]);
}
