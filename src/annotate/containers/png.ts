/** XMP in a PNG: a chunk `iTXt` with the keyword `XML:com.adobe.xmp`, packed or not. */

import { crc32, deflateSync, inflateSync } from "node:zlib";
import { LIMITS } from "../../core/limits.js";
import {
  ANIMATED,
  changed,
  latin1,
  type Refuse,
  SAVE_AGAIN,
  SEVERAL,
  SIGNED,
  viewOf,
  type XmpContainer,
} from "./container.js";

const SIGNATURE_BYTES = 8;
const KEYWORD = "XML:com.adobe.xmp\0";
/** ImageMagick's own form, before it wrote the standard one. */
const OLD_KEYWORD = "Raw profile type xmp\0";

interface Chunk {
  readonly type: string;
  readonly start: number;
  readonly data: number;
  /** Of its data; a checksum follows. */
  readonly dataEnd: number;
  readonly end: number;
}

/** @throws what `refuse` makes, where it is damaged, animated, signed, or has several packets. */
export function openPng(bytes: Uint8Array, refuse: Refuse): XmpContainer {
  const chunks = chunksOf(bytes, refuse);
  if (chunks.some(({ type }) => type === "acTL")) throw refuse(ANIMATED);
  if (chunks.some(({ type }) => type === "caBX")) throw refuse(SIGNED);
  const called = (keyword: string) => (chunk: Chunk) =>
    ["iTXt", "tEXt", "zTXt"].includes(chunk.type) &&
    latin1(bytes, chunk.data, Math.min(chunk.dataEnd, chunk.data + keyword.length)) === keyword;
  if (chunks.some(called(OLD_KEYWORD)))
    throw refuse("holds its XMP in an old form of ImageMagick's (Raw profile type xmp).", SAVE_AGAIN);
  const found = chunks.filter(called(KEYWORD));
  if (found.length > 1) throw refuse(SEVERAL, SAVE_AGAIN);
  const [old] = found;
  const text = old && textOf(bytes, old, refuse);
  const first = chunks.find(({ type }) => type === "IDAT");
  if (!first) throw refuse("is damaged: it holds no image.", SAVE_AGAIN);
  const place = old ?? { start: first.start, end: first.start };
  return {
    ...(text && { packet: text.packet }),
    withPacket: (packet) => {
      const head = text?.head ?? Buffer.from(`${KEYWORD}\0\0\0\0`, "latin1");
      const body = text?.isPacked ? deflateSync(packet) : packet;
      return changed(bytes, [
        { start: place.start, end: place.end, bytes: chunkOf("iTXt", Buffer.concat([head, body])) },
      ]);
    },
  };
}

function chunksOf(bytes: Uint8Array, refuse: Refuse): Chunk[] {
  const view = viewOf(bytes);
  const chunks: Chunk[] = [];
  for (let at = SIGNATURE_BYTES; ; ) {
    const damaged = () => refuse(`is damaged: its chunk at byte ${at} does not end.`, SAVE_AGAIN);
    if (at + 12 > bytes.length) throw damaged();
    const dataEnd = at + 8 + view.getUint32(at);
    if (dataEnd + 4 > bytes.length) throw damaged();
    const chunk = { type: latin1(bytes, at + 4, at + 8), start: at, data: at + 8, dataEnd, end: dataEnd + 4 };
    chunks.push(chunk);
    if (chunk.type === "IEND") return chunks;
    at = chunk.end;
  }
}

/** @returns the packet, and all that stands before it in its chunk. */
function textOf(
  bytes: Uint8Array,
  { type, start, data, dataEnd }: Chunk,
  refuse: Refuse,
): { head: Uint8Array; packet: Uint8Array; isPacked: boolean } {
  const damaged = (what: string) => refuse(`is damaged: ${what}.`, SAVE_AGAIN);
  if (type !== "iTXt") throw refuse(`holds its XMP in a chunk ${type} instead of iTXt.`, SAVE_AGAIN);
  if (crc32(bytes.subarray(start + 4, dataEnd)) !== viewOf(bytes).getUint32(dataEnd))
    throw damaged("the checksum of its XMP is wrong");
  const [flag, method] = [bytes[data + KEYWORD.length], bytes[data + KEYWORD.length + 1]];
  const language = bytes.indexOf(0, data + KEYWORD.length + 2);
  const translated = language < 0 ? -1 : bytes.indexOf(0, language + 1);
  if (translated < 0 || translated >= dataEnd || flag > 1 || (flag === 1 && method !== 0))
    throw damaged("its XMP has no heading");
  const [head, body] = [bytes.subarray(data, translated + 1), bytes.subarray(translated + 1, dataEnd)];
  if (flag === 0) return { head, packet: body, isPacked: false };
  try {
    return { head, packet: inflateSync(body, { maxOutputLength: LIMITS.xmpBytes }), isPacked: true };
  } catch (cause) {
    const isLong = (cause as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE";
    throw isLong
      ? refuse(`its XMP unpacks to more than ${LIMITS.xmpBytes / 1e6} MB.`)
      : damaged("its XMP cannot be unpacked");
  }
}

function chunkOf(type: string, data: Uint8Array): Uint8Array {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const whole = Buffer.alloc(body.length + 8);
  whole.writeUInt32BE(data.length, 0);
  body.copy(whole, 4);
  whole.writeUInt32BE(crc32(body), body.length + 4);
  return whole;
}
