/** What every kind of image file has in common here: a place for XMP, and all other bytes, which stay. */

export interface XmpContainer {
  /** The XMP packet in the file, if any. */
  readonly packet?: Uint8Array;
  /** The second part of a packet that is too long for one place (JPEG). */
  readonly extension?: Uint8Array;
  /** The file with another packet, and with the same pixels, byte for byte. */
  withPacket(packet: Uint8Array): Uint8Array;
}

/** Makes an error of what is wrong with a file, as a sentence without the file's name, and what to do about it. */
export type Refuse = (what: string, cure?: string) => Error;

export const SIGNED = "is signed (C2PA): any change would break the signature.";
export const ANIMATED = "is animated.";
export const SAVE_AGAIN = "Save it again.";
/** Of several packets readers take one or another. */
export const SEVERAL = "holds several XMP packets.";

/** A stretch of a file that is replaced. */
export interface Change {
  readonly start: number;
  readonly end: number;
  readonly bytes: Uint8Array;
}

/** @param changes that do not overlap. */
export function changed(file: Uint8Array, changes: readonly Change[]): Buffer {
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const { start, end, bytes } of [...changes].sort((a, b) => a.start - b.start)) {
    parts.push(file.subarray(at, start), bytes);
    at = end;
  }
  return Buffer.concat([...parts, file.subarray(at)]);
}

export function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1", start, end);
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
