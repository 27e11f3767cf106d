/**
 * XMP in a JPEG: a segment APP1 before the image data. What lies behind the image (further images, a video) stays, and
 * the index of further images (MPF) stays right.
 */

import {
  type Change,
  changed,
  latin1,
  type Refuse,
  SAVE_AGAIN,
  SEVERAL,
  SIGNED,
  viewOf,
  type XmpContainer,
} from "./container.js";
import { moveFurtherImages } from "./jpeg-mpf.js";

const XMP = "http://ns.adobe.com/xap/1.0/\0";
const EXTENSION = "http://ns.adobe.com/xmp/extension/\0";
/** Behind that name: a digest as 32 letters, the whole length, and where this piece begins. */
const EXTENSION_HEAD = EXTENSION.length + 40;
/** A segment's length has two bytes and counts them. */
const MOST_BYTES = 65_535 - 2 - XMP.length;

const [APP0, APP1, APP2, APP11, START_OF_SCAN, END] = [0xe0, 0xe1, 0xe2, 0xeb, 0xda, 0xd9];

interface Segment {
  readonly marker: number;
  /** Of its marker. */
  readonly start: number;
  /** Of what follows its length. */
  readonly data: number;
  readonly end: number;
}

/** @throws what `refuse` makes, where it is damaged, signed, or has several packets. */
export function openJpeg(bytes: Uint8Array, refuse: Refuse): XmpContainer {
  const segments = headerOf(bytes, refuse);
  const startsWith = ({ data, end }: Segment, name: string) =>
    data + name.length <= end && latin1(bytes, data, data + name.length) === name;
  const isSigned = (segment: Segment) =>
    segment.marker === APP11 && startsWith(segment, "JP") && latin1(bytes, segment.data, segment.end).includes("c2pa");
  if (segments.some(isSigned)) throw refuse(SIGNED);
  const packets = segments.filter((segment) => segment.marker === APP1 && startsWith(segment, XMP));
  if (packets.length > 1) throw refuse(SEVERAL, SAVE_AGAIN);
  const begin = ({ data }: Segment) => viewOf(bytes).getUint32(data + EXTENSION_HEAD - 4);
  const pieces = segments
    .filter((segment) => segment.marker === APP1 && startsWith(segment, EXTENSION))
    .filter(({ data, end }) => end >= data + EXTENSION_HEAD)
    .sort((a, b) => begin(a) - begin(b));
  const indexes = segments.filter((segment) => segment.marker === APP2 && startsWith(segment, "MPF\0"));
  const [old] = packets;
  return {
    ...(old && { packet: bytes.subarray(old.data + XMP.length, old.end) }),
    ...(pieces.length > 0 && {
      extension: Buffer.concat(pieces.map(({ data, end }) => bytes.subarray(data + EXTENSION_HEAD, end))),
    }),
    withPacket: (given) => {
      const packet = given.length > MOST_BYTES ? withoutPadding(given) : given;
      if (packet.length > MOST_BYTES)
        throw refuse(`its XMP packet would have ${packet.length} bytes, and a JPEG holds ${MOST_BYTES}.`);
      const place = old ?? { start: placeFor(segments, startsWith), end: placeFor(segments, startsWith) };
      const changes: Change[] = [{ start: place.start, end: place.end, bytes: segmentOf(packet) }];
      const file = changed(bytes, changes);
      for (const { data, end } of indexes)
        moveFurtherImages(file, { from: bytes, index: data + "MPF\0".length, end, changes, refuse });
      return file;
    },
  };
}

/** Up to the image data. */
function headerOf(bytes: Uint8Array, refuse: Refuse): Segment[] {
  const segments: Segment[] = [];
  const view = viewOf(bytes);
  const damaged = (at: number) => refuse(`is damaged: no segment begins at byte ${at}.`, SAVE_AGAIN);
  let at = 2;
  for (;;) {
    const start = at;
    if (at + 4 > bytes.length || bytes[at] !== 0xff) throw damaged(at);
    while (bytes[at + 1] === 0xff) at++; // any number of them may fill
    const marker = bytes[at + 1];
    if (marker === START_OF_SCAN) return segments;
    if (marker === undefined || marker === 0 || marker === END || (marker >= 0xd0 && marker <= 0xd8) || marker === 1)
      throw damaged(start);
    if (at + 4 > bytes.length) throw damaged(start);
    const length = view.getUint16(at + 2);
    const segment = { marker, start, data: at + 4, end: at + 2 + length };
    if (length < 2 || segment.end > bytes.length) throw damaged(start);
    segments.push(segment);
    at = segment.end;
  }
}

/** Behind JFIF and Exif, which want to be first. */
function placeFor(segments: readonly Segment[], startsWith: (segment: Segment, name: string) => boolean): number {
  let place = 2;
  for (const segment of segments) {
    if (segment.marker !== APP0 && !(segment.marker === APP1 && startsWith(segment, "Exif\0"))) break;
    place = segment.end;
  }
  return place;
}

function segmentOf(packet: Uint8Array): Uint8Array {
  const head = Buffer.from([0xff, APP1, 0, 0]);
  head.writeUInt16BE(2 + XMP.length + packet.length, 2);
  return Buffer.concat([head, Buffer.from(XMP, "latin1"), packet]);
}

/** Packets often end with some thousand spaces, for programs that change them where they are. */
function withoutPadding(packet: Uint8Array): Uint8Array {
  const text = latin1(packet, 0, packet.length);
  const end = text.lastIndexOf("<?xpacket end");
  return end < 0 ? packet : Buffer.from(`${text.slice(0, end).trimEnd()}\n${text.slice(end)}`, "latin1");
}
