/** XMP in a WebP: a chunk `XMP `, which needs the extended form; a simple file becomes one. */

import { ANIMATED, latin1, type Refuse, SAVE_AGAIN, SEVERAL, SIGNED, viewOf, type XmpContainer } from "./container.js";

const HEAD_BYTES = 12;
const [HAS_XMP, HAS_ALPHA, IS_ANIMATED] = [0x04, 0x10, 0x02];

interface Chunk {
  readonly type: string;
  readonly data: Uint8Array;
}

/** @throws what `refuse` makes, where it is damaged, animated, signed, or has several packets. */
export function openWebp(bytes: Uint8Array, refuse: Refuse): XmpContainer {
  const end = 8 + viewOf(bytes).getUint32(4, true);
  const chunks = chunksOf(bytes, { end, refuse });
  const ofType = (wanted: string) => chunks.filter(({ type }) => type === wanted);
  const [features] = ofType("VP8X");
  if (features && (chunks[0] !== features || features.data.length < 10))
    throw refuse("is damaged: its chunk VP8X is not the first, or too short.", SAVE_AGAIN);
  const isAnimated = features && (features.data[0] & IS_ANIMATED) !== 0;
  if (isAnimated || ofType("ANIM").length + ofType("ANMF").length > 0) throw refuse(ANIMATED);
  if (ofType("C2PA").length > 0) throw refuse(SIGNED);
  const packets = ofType("XMP ");
  if (packets.length > 1) throw refuse(SEVERAL, SAVE_AGAIN);
  const [old] = packets;
  return {
    ...(old && { packet: old.data }),
    withPacket: (packet) => {
      const head = Buffer.from(features?.data ?? featuresOf(chunks, refuse));
      head[0] |= HAS_XMP;
      const xmp = { type: "XMP ", data: packet };
      const others = chunks.filter((chunk) => chunk !== features).map((chunk) => (chunk === old ? xmp : chunk));
      const all = [{ type: "VP8X", data: head }, ...others, ...(old ? [] : [xmp])];
      const body = Buffer.concat(all.flatMap(toBytes));
      const start = Buffer.from("RIFF\0\0\0\0WEBP", "latin1");
      start.writeUInt32LE(4 + body.length, 4);
      // What follows the last chunk stays behind it.
      return Buffer.concat([start, body, bytes.subarray(end)]);
    },
  };
}

function chunksOf(bytes: Uint8Array, { end, refuse }: { end: number; refuse: Refuse }): Chunk[] {
  const view = viewOf(bytes);
  if (latin1(bytes, 0, 4) !== "RIFF" || end > bytes.length)
    throw refuse(`is damaged: it says that it has ${end} bytes, and has ${bytes.length}.`, SAVE_AGAIN);
  const chunks: Chunk[] = [];
  for (let at = HEAD_BYTES; at < end; ) {
    const size = at + 8 > end ? Number.POSITIVE_INFINITY : view.getUint32(at + 4, true);
    if (at + 8 + size > end) throw refuse(`is damaged: its chunk at byte ${at} does not end.`, SAVE_AGAIN);
    chunks.push({ type: latin1(bytes, at, at + 4), data: bytes.subarray(at + 8, at + 8 + size) });
    at += 8 + size + (size % 2); // the last one may lack its padding
  }
  return chunks;
}

function toBytes({ type, data }: Chunk): Uint8Array[] {
  const head = Buffer.from(`${type}\0\0\0\0`, "latin1");
  head.writeUInt32LE(data.length, 4);
  return [head, data, Buffer.alloc(data.length % 2)];
}

/** Of a simple file: width and height, less one, and whether it is transparent anywhere. */
function featuresOf(chunks: readonly Chunk[], refuse: Refuse): Uint8Array {
  const image = chunks.find(({ type }) => type === "VP8 " || type === "VP8L");
  const size = image && (image.type === "VP8 " ? lossySize(image.data) : losslessSize(image.data));
  if (!size) throw refuse("is damaged: it holds no image.", SAVE_AGAIN);
  const data = Buffer.alloc(10);
  data[0] = size.hasAlpha ? HAS_ALPHA : 0;
  data.writeUIntLE(size.width - 1, 4, 3);
  data.writeUIntLE(size.height - 1, 7, 3);
  return data;
}

interface Size {
  readonly width: number;
  readonly height: number;
  readonly hasAlpha: boolean;
}

/** A key frame of VP8: three bytes, a mark, then 14 bits each below two of scale (RFC 6386, 9.1). */
function lossySize(data: Uint8Array): Size | undefined {
  if (data.length < 10 || latin1(data, 3, 6) !== "\x9d\x01\x2a") return undefined;
  const view = viewOf(data);
  const [width, height] = [view.getUint16(6, true) & 0x3fff, view.getUint16(8, true) & 0x3fff];
  return width === 0 || height === 0 ? undefined : { width, height, hasAlpha: false };
}

/** A mark, 14 bits each, one bit for alpha (RFC 9649, 3.4). */
function losslessSize(data: Uint8Array): Size | undefined {
  if (data.length < 5 || data[0] !== 0x2f) return undefined;
  const bits = viewOf(data).getUint32(1, true);
  return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1, hasAlpha: ((bits >>> 28) & 1) === 1 };
}
