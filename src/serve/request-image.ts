/** The image of a request: a form's file, the body itself, or base64 in JSON. */

import type { FastifyRequest } from "fastify";
import { ImageError, InputError } from "../core/errors.js";
import { openImage } from "../dataset/open-image.js";

/** A file as it was sent. */
export interface SentImage {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** An image of more pixels than the server decodes. */
export class TooLargeError extends ImageError {
  override name = "TooLargeError";
}

const LONGEST_NAME = 200;

/**
 * @param options.mostPixels of the decoded image; the header alone is read.
 * @throws InputError where there is none, or it is no base64; ImageError where it is no image; TooLargeError.
 */
export async function requestImage(
  request: FastifyRequest,
  { mostPixels }: { mostPixels: number },
): Promise<SentImage> {
  const sent = await sentImage(request);
  await checkSize(sent, { mostPixels });
  return sent;
}

/** Reads the header alone. @throws ImageError where it is no image; TooLargeError. */
export async function checkSize({ name, bytes }: SentImage, { mostPixels }: { mostPixels: number }): Promise<void> {
  const { width, height } = await openImage(bytes, { name });
  if (width * height <= mostPixels) return;
  throw new TooLargeError(`${name}: ${width} x ${height} pixels; this server takes ${mostPixels / 1e6} million.`, {
    cure: "Make it smaller.",
  });
}

async function sentImage(request: FastifyRequest): Promise<SentImage> {
  if (request.isMultipart()) {
    const file = await request.file();
    if (!file) throw new InputError("image: the form has no file.", { cure: 'Send it as the field "image".' });
    return { name: plainName(file.filename), bytes: await file.toBuffer() };
  }
  const { body } = request;
  if (Buffer.isBuffer(body)) return { name: "image", bytes: body };
  const { image, name } = (body ?? {}) as { image?: string; name?: string };
  if (image === undefined)
    throw new InputError("image: there is none.", {
      cure: 'Send the file itself, a form with the field "image", or JSON with its base64 as "image".',
    });
  return { name: plainName(name), bytes: fromBase64(image) };
}

/** @throws InputError where the text is no base64. */
export function fromBase64(text: string): Uint8Array {
  // Of a data URI, what stands behind the comma.
  const data = /^data:[^,]{0,100};base64,/.exec(text)?.[0].length ?? 0;
  const bytes = Buffer.from(text.slice(data), "base64");
  // Node skips what is no base64: enough of it must be left.
  const wanted = Math.floor(((text.length - data) * 3) / 4) - 2;
  if (bytes.length === 0 || bytes.length < wanted) throw new InputError("image: is no base64.");
  return bytes;
}

/** The last part of a path, since names stand in answers and in the log. */
function plainName(name: string | undefined): string {
  const last = (name ?? "").split(/[\\/]/).at(-1) ?? "";
  return last.slice(0, LONGEST_NAME) || "image";
}
