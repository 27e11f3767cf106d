import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { expect, test } from "vitest";
import { writeExplanation } from "../../src/report/write-explanation.js";
import { explained, explanation, necrosis, tissue } from "./fixtures.js";

test("writes the JSON, the overlay in the original's shape, and the masks that the JSON names, and nothing else", async () => {
  const folder = await mkdtemp(join(tmpdir(), "aspectlens-"));
  try {
    const square = tissue({ width: 256, height: 256 });
    const aspects = [{ ...necrosis, mask: "x.necrosis.png", survivalMap: "x.necrosis.survival.png" }];
    const out = join(folder, "out");
    const given = { ...explained, explanation: { ...explanation, aspects } };
    const shape = { width: 300, height: 200 };
    const paths = await writeExplanation(given, square, { folder: out, stem: "x", shape });
    const names = ["x.json", "x.necrosis.png", "x.necrosis.survival.png", "x.overlay.png"];
    expect((await readdir(out)).sort()).toEqual(names);
    expect(paths[0]).toBe(join(out, "x.json"));
    expect(JSON.parse(await readFile(paths[0], "utf8")).aspects[0].mask).toBe("x.necrosis.png");
    // Panels of 400 x 267 (300 x 200), a caption and a scale.
    expect((await sharp(join(out, "x.overlay.png")).metadata()).height).toBe(76 + 26 + 267 + 30 + 8);
  } finally {
    await rm(folder, { recursive: true });
  }
});
