/** A location map as a small picture inside the page: dark where the aspect never is, light where it mostly is. */

import sharp from "sharp";
import { heatColour } from "../pictures/palette.js";

/** Side of the picture, pixels. */
const SIDE = 128;

/** @param values `[side * side]`, shares 0..1; the largest gets the lightest colour. @returns an `img` element. */
export async function locationMap(values: ArrayLike<number>): Promise<string> {
  const side = Math.sqrt(values.length);
  const largest = Math.max(...Array.from(values), 1e-9);
  const pixels = Buffer.from(Array.from(values).flatMap((value) => [...heatColour(value / largest)]));
  const png = await sharp(pixels, { raw: { width: side, height: side, channels: 3 } })
    .resize(SIDE, SIDE, { kernel: "nearest" })
    .png({ palette: true })
    .toBuffer();
  return `<img src="data:image/png;base64,${png.toString("base64")}" width="${SIDE}" height="${SIDE}" alt="">`;
}
