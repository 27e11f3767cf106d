/** The bytes of an XMP packet as text, and back in the encoding that they had. */

import { PacketFault } from "./xmp-tree.js";

export interface PacketText {
  readonly text: string;
  /** In the same encoding, with the same mark before it and the same zeros behind it. */
  encode(text: string): Uint8Array;
}

type Encoding = "utf-8" | "utf-16le" | "utf-16be";

const MARKS: readonly (readonly [encoding: Encoding, mark: readonly number[]])[] = [
  ["utf-8", [0xef, 0xbb, 0xbf]],
  ["utf-16le", [0xff, 0xfe]],
  ["utf-16be", [0xfe, 0xff]],
];

/**
 * UTF-8, or UTF-16 of either order of bytes, as the mark or the first `<` says.
 *
 * @throws PacketFault where it is not text in that encoding.
 */
export function decodePacket(bytes: Uint8Array): PacketText {
  const marked = MARKS.find(([, mark]) => mark.every((value, at) => bytes[at] === value));
  const [encoding, mark] = marked ?? [unmarkedEncoding(bytes), []];
  let end = bytes.length;
  const unit = encoding === "utf-8" ? 1 : 2;
  while (end >= mark.length + unit && bytes.subarray(end - unit, end).every((value) => value === 0)) end -= unit;
  const [head, zeros] = [bytes.subarray(0, mark.length), bytes.subarray(end)];
  let text: string;
  try {
    // Node's decoder knows utf-16be only where it has all of ICU.
    const body = bytes.subarray(mark.length, end);
    const decoder = new TextDecoder(encoding === "utf-8" ? "utf-8" : "utf-16le", { fatal: true, ignoreBOM: true });
    text = decoder.decode(encoding === "utf-16be" ? swapped(body) : body);
  } catch (cause) {
    throw new PacketFault(`is not text in ${encoding.toUpperCase()}`, { cause });
  }
  return {
    text,
    encode: (changed) => {
      const body = Buffer.from(changed, encoding === "utf-8" ? "utf8" : "utf16le");
      return Buffer.concat([head, encoding === "utf-16be" ? swapped(body) : body, zeros]);
    },
  };
}

/** XML begins with `<`, after white space at most. */
function unmarkedEncoding(bytes: Uint8Array): Encoding {
  if (bytes[0] === 0 && bytes[1] !== 0) return "utf-16be";
  return bytes[0] !== 0 && bytes[1] === 0 ? "utf-16le" : "utf-8";
}

/** @throws RangeError where the bytes are no pairs. */
function swapped(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes).swap16();
}
