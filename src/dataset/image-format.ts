/**
 * Tells an image's format by its first bytes, before it is decoded; formats that are not read are refused with advice
 * on how to convert them.
 */

import { ImageError } from "../core/errors.js";

export type ImageFormat = "png" | "jpeg" | "webp" | "gif" | "tiff" | "avif" | "bmp";

/**
 * File endings that are searched for in folders; HEIC is included so that such files are reported instead of ignored.
 */
export const IMAGE_ENDINGS = [
  "png",
  "jpg",
  "jpeg",
  "webp",
  "tif",
  "tiff",
  "gif",
  "avif",
  "bmp",
  "heic",
  "heif",
] as const;

/** A format's signature: bytes as Latin-1, at offset `at`. */
const MARKS: readonly { readonly format: ImageFormat; readonly at: number; readonly mark: string }[] = [
  { format: "png", at: 0, mark: "\x89PNG\r\n\x1a\n" },
  { format: "jpeg", at: 0, mark: "\xff\xd8\xff" },
  { format: "webp", at: 8, mark: "WEBP" },
  { format: "gif", at: 0, mark: "GIF8" },
  { format: "tiff", at: 0, mark: "II*\0" },
  { format: "tiff", at: 0, mark: "MM\0*" },
  { format: "tiff", at: 0, mark: "II+\0" },
  { format: "tiff", at: 0, mark: "MM\0+" },
  { format: "bmp", at: 0, mark: "BM" },
];

const REFUSED: readonly { readonly at: number; readonly mark: string; readonly cure: string }[] = [
  { at: 0, mark: "%PDF", cure: "PDF is a document, not a raster image. Export its page as PNG." },
  { at: 0, mark: "8BPS", cure: "a Photoshop document. Export it as PNG." },
  { at: 128, mark: "DICM", cure: "DICOM: convert to PNG with its window applied." },
  { at: 4, mark: "JXL ", cure: "JPEG XL: convert to JPEG or PNG." },
  { at: 0, mark: "\xff\x0a", cure: "JPEG XL: convert to JPEG or PNG." },
  { at: 4, mark: "jP  ", cure: "JPEG 2000: convert to JPEG or PNG." },
  { at: 0, mark: "\xffO\xffQ", cure: "JPEG 2000: convert to JPEG or PNG." },
];

/** Brands in the ISO container that AVIF and HEIC share. */
const AV1 = ["avif", "avis"];
const HEVC = ["heic", "heix", "hevc", "hevx", "heim", "heis", "hevm", "hevs", "mif1", "msf1"];

/** @throws ImageError where it is none of the formats that are read. */
export function imageFormat(bytes: Uint8Array, name: string): ImageFormat {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 4096)).toString("latin1");
  const found = MARKS.find(({ at, mark }) => head.startsWith(mark, at));
  if (found) return found.format;
  if (head.startsWith("ftyp", 4)) {
    // The major brand, a version, then the compatible brands.
    const end = Math.min(head.length, (head.charCodeAt(2) << 8) | head.charCodeAt(3));
    const brands = [head.slice(8, 12), ...(head.slice(16, end).match(/.{4}/gs) ?? [])];
    if (brands.some((brand) => AV1.includes(brand))) return "avif";
    if (brands.some((brand) => HEVC.includes(brand)))
      throw new ImageError(
        `${name}: HEIC/HEVC: convert to JPEG or PNG, as with "heif-convert photo.heic photo.jpg"; ` +
          `phones can save JPEG themselves.`,
      );
  }
  const refused = REFUSED.find(({ at, mark }) => head.startsWith(mark, at));
  if (refused) throw new ImageError(`${name}: ${refused.cure}`);
  if (/<svg[\s>]/i.test(head))
    throw new ImageError(`${name}: SVG is a drawing, not a raster image.`, { cure: "Export it as PNG." });
  throw new ImageError(`${name}: not an image that can be read.`, {
    cure: "Convert it to PNG, JPEG, WebP, TIFF, GIF, AVIF or BMP.",
  });
}
