import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseManifest } from "../../src/dataset/manifest.js";
import { readOriginalMasks } from "../../src/dataset/original-masks.js";
import { toRecord } from "../../src/dataset/record.js";
import { pngBytes, temporaryFolder } from "./given.js";

const directory = await temporaryFolder();
await mkdir(join(directory, "masks"));
// 0 is background, 1 and 2 are aspects, 9 is void.
await writeFile(
  join(directory, "masks", "m.png"),
  pngBytes([
    [0, 1, 9],
    [2, 2, 1],
  ]),
);
await writeFile(
  join(directory, "i.png"),
  pngBytes([
    [0, 0, 0],
    [0, 0, 0],
  ]),
);

test("masks of each aspect in the file's size, void apart; empty ones have the image's size", async () => {
  const aspects = ["one", "two", "none", "unlabelled"].map((name) => ({ name, kind: "segmentation" }));
  const manifest = parseManifest({ format: "aspectlens-dataset/1", name: "x", classes: ["a", "b"], aspects }, "d.json");
  const mask = "masks/m.png";
  const given = {
    one: { mask, values: [1], ignore: [9] },
    two: { mask, values: [2] },
    none: { mask: null },
  };
  const record = toRecord({ image: "i.png", split: "test", aspects: given }, manifest, "s:1");
  const names = aspects.map(({ name }) => name);
  expect(await readOriginalMasks({ directory, manifest }, record, { aspects: names })).toEqual({
    one: {
      width: 3,
      height: 2,
      marked: Uint8Array.of(0, 1, 0, 0, 0, 1),
      ignored: Uint8Array.of(0, 0, 1, 0, 0, 0),
    },
    two: { width: 3, height: 2, marked: Uint8Array.of(0, 0, 0, 1, 1, 0) },
    none: { width: 3, height: 2, marked: null },
  });
  expect(await readOriginalMasks({ directory, manifest }, record, { aspects: ["two"] })).toMatchObject({
    two: { width: 3 },
  });
});
