/** Renders text as pixels with Pango, which comes with sharp, in the font of this package. */

import { fileURLToPath } from "node:url";
import sharp from "sharp";

const FONTS = new URL("../../fonts/", import.meta.url);
const FAMILY = "Aspectlens Sans";
/** Height of its capitals as a share of its size. */
const CAPITAL_HEIGHT = 0.714;

export interface TextLook {
  /** Height of a capital, pixels. */
  readonly size: number;
  /** `#rrggbb`; coloured emoji keep theirs. */
  readonly colour?: string;
  readonly isBold?: boolean;
}

/** The rectangle of a text's visible pixels, red, green, blue and opacity. @throws Error if there are none. */
export async function renderText(
  text: string,
  { size, colour = "#000000", isBold = false }: TextLook,
): Promise<{ data: Uint8Array; width: number; height: number }> {
  const escaped = wellFormed(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const { data, info } = await sharp({
    text: {
      text: `<span foreground="${colour}">${escaped}</span>`,
      font: `${FAMILY} ${isBold ? "Bold " : ""}${(size / CAPITAL_HEIGHT).toFixed(2)}`,
      fontfile: fileURLToPath(new URL(`AspectlensSans-${isBold ? "Bold" : "Regular"}.ttf`, FONTS)),
      // At 72 dpi, a font size in points equals pixels.
      dpi: 72,
      rgba: true,
    },
  })
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

/** Replaces lone surrogates, which Pango refuses, by U+FFFD. */
function wellFormed(text: string): string {
  return Buffer.from(text).toString();
}
