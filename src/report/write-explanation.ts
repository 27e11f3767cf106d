/** Everything that is left on disk of one explanation: the picture, the masks, and last the JSON that names them. */

import { join } from "node:path";
import { writeFileAtomic, writeJson } from "../core/files.js";
import type { Explained } from "../explain/explanation.js";
import { maskFiles } from "./mask-png.js";
import { renderOverlay } from "./overlay.js";
import type { Picture } from "./raster.js";

/**
 * Writes `<stem>.overlay.png`, the mask files that the explanation names, and `<stem>.json`.
 *
 * @param picture the upright image, squeezed into a square or not.
 * @param options.shape width and height of the original.
 * @returns path of the picture.
 */
export async function writeExplanation(
  explained: Explained,
  picture: Picture,
  { shape, folder, stem }: { shape: { readonly width: number; readonly height: number }; folder: string; stem: string },
): Promise<string> {
  const overlay = join(folder, `${stem}.overlay.png`);
  const [drawn, masks] = await Promise.all([renderOverlay(explained, picture, { shape }), maskFiles(explained)]);
  await writeFileAtomic(overlay, drawn);
  for (const [name, bytes] of Object.entries(masks)) await writeFileAtomic(join(folder, name), bytes);
  await writeJson(join(folder, `${stem}.json`), explained.explanation);
  return overlay;
}
