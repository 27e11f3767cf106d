/**
 * Blood smears, imported from PASCAL VOC as a user would: `node bench/defaults/make/bccd.js FOLDER`.
 *
 * The archive calls the folders `annotations` and `images`, which VOC calls `Annotations` and `JPEGImages`.
 */

import { rename } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { requireArchives, withArchives } from "../../../examples/support/archives.js";
import { aspectlens } from "../../../examples/support/command-line.js";

const MAPPING = fileURLToPath(new URL("bccd.yaml", import.meta.url));

const folder = process.argv[2] ?? "data/bccd";
requireArchives(["bccd"]);
await withArchives(["bccd"], async (unpacked) => {
  const source = join(unpacked, "bccd");
  await rename(join(source, "annotations"), join(source, "Annotations"));
  await rename(join(source, "images"), join(source, "JPEGImages"));
  console.log(aspectlens("data", "import", "--from", "voc", source, folder, "--mapping", MAPPING));
});
