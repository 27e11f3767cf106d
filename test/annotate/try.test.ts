import { execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { test } from "vitest";
import { annotateImage } from "../../src/annotate/annotate-image.js";
import { explained } from "../pictures/fixtures.js";

test("try", async () => {
  const dir = mkdtempSync("/tmp/xmp-");
  const src = sharp({ create: { width: 33, height: 21, channels: 3, background: "#a02030" } });
  for (const [f, buf] of [
    [
      "jpeg",
      await src
        .clone()
        .withExif({ IFD0: { Copyright: "me" } })
        .jpeg()
        .toBuffer(),
    ],
    ["png", await src.clone().png().toBuffer()],
    ["webp", await src.clone().webp().toBuffer()],
    ["webpl", await src.clone().webp({ lossless: true }).toBuffer()],
    ["tiff", await src.clone().tiff().toBuffer()],
  ] as const) {
    const out = annotateImage(buf, explained.explanation, { name: f, model: "tissue" });
    const again = annotateImage(out, explained.explanation, { name: f, model: "tissue" });
    const meta = await sharp(Buffer.from(out)).metadata();
    const same = Buffer.compare(await sharp(buf).raw().toBuffer(), await sharp(Buffer.from(out)).raw().toBuffer());
    console.log(
      f,
      buf.length,
      out.length,
      Buffer.compare(Buffer.from(out), Buffer.from(again)),
      same,
      meta.xmp?.length,
    );
    writeFileSync(join(dir, `a.${f}`), out);
    const said = execFileSync("exiftool", ["-validate", "-warning", "-a", "-G1", "-XMP:all", join(dir, `a.${f}`)], {
      encoding: "utf8",
    });
    console.log(said);
    if (f === "jpeg") console.log(meta.xmp?.toString());
  }
});
