/** Writes what an explanation says into the bytes of its image, as XMP; no pixel and no other metadata change. */

import { ImageError } from "../core/errors.js";
import { LIMITS } from "../core/limits.js";
import { type ImageFormat, imageFormat } from "../dataset/image-format.js";
import type { Explanation } from "../explain/explanation.js";
import { type Refuse, SAVE_AGAIN, type XmpContainer } from "./containers/container.js";
import { openJpeg } from "./containers/jpeg.js";
import { openPng } from "./containers/png.js";
import { openTiff } from "./containers/tiff.js";
import { openWebp } from "./containers/webp.js";
import { concernsUs, editPacket, extensionOf, newPacket } from "./xmp/edit-packet.js";
import { xmpProperties } from "./xmp/properties.js";
import { PacketFault } from "./xmp/xmp-tree.js";

const CONTAINERS: Readonly<Partial<Record<ImageFormat, (bytes: Uint8Array, refuse: Refuse) => XmpContainer>>> = {
  jpeg: openJpeg,
  png: openPng,
  webp: openWebp,
  tiff: openTiff,
};

export interface AnnotateImageOptions {
  /** Of the image in messages. */
  readonly name: string;
  /** Of the bundle that explained it. */
  readonly model: string;
}

/**
 * A JPEG, PNG, WebP or TIFF with the explanation in its XMP: aspects as flags and numbers in a namespace of ours, and
 * keywords in `dc:subject`. Those of an earlier call are replaced; the compressed image data and all other metadata
 * stay byte for byte. docs/annotate.md lists the properties.
 *
 * @param bytes of the file; they are not changed.
 * @returns the bytes of the new file.
 * @throws ImageError where the format has no place for XMP, or the file is damaged, animated, signed (C2PA), a
 *   BigTIFF, or holds XMP that cannot be read.
 */
export function annotateImage(
  bytes: Uint8Array,
  explanation: Explanation,
  { name, model }: AnnotateImageOptions,
): Uint8Array {
  const refuse: Refuse = (what, cure) => new ImageError(`${name}: ${what}`, { cure });
  const format = imageFormat(bytes, name);
  const open = CONTAINERS[format];
  if (!open) throw refuse(`${format.toUpperCase()} is not annotated.`, "Convert it to PNG, JPEG, WebP or TIFF.");
  const container = open(bytes, refuse);
  const properties = xmpProperties(explanation, { model });
  try {
    return container.withPacket(changedPacket(container, { properties, refuse }));
  } catch (cause) {
    if (!(cause instanceof PacketFault)) throw cause;
    throw new ImageError(`${name}: its XMP ${cause.message}.`, {
      cure: "Correct or remove it, or save the image again.",
      cause,
    });
  }
}

function changedPacket(
  { packet, extension }: XmpContainer,
  { properties, refuse }: { properties: ReturnType<typeof xmpProperties>; refuse: Refuse },
): Uint8Array {
  if (!packet) return newPacket(properties);
  if (packet.length > LIMITS.xmpBytes) throw refuse(`its XMP has more than ${LIMITS.xmpBytes / 1e6} MB.`);
  const edited = editPacket(packet, properties);
  if (extension && extensionOf(packet) !== undefined && concernsUs(extension))
    throw refuse("keeps its keywords in a second packet (extended XMP).", SAVE_AGAIN);
  return edited;
}
