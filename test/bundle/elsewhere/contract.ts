/** What every program elsewhere that runs a bundle's graphs must give: the goldens, of the weights that it finds. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Golden } from "../../../src/bundle/golden.js";
import { tinyMappedModel } from "../tiny-model.js";
import { alterNecrosis, compareGoldens, decodeGoldens, unpackTinyBundle } from "./unpacked-bundle.js";

/** Outputs of `explain.onnx` in which one head has a part: its own, and its products with the others. */
const OF_NECROSIS = [
  ...["unmasked", "masked", "reference", "overlap/conv_pw_6"].map((output) => `necrosis/${output}`),
  "pairs/conv_pw_6",
];

/** @param replay takes an unpacked bundle's folder; gives its goldens anew, encoded, by file name. */
export function replayContract(replay: (folder: string) => Promise<ReadonlyMap<string, Uint8Array>>): void {
  let folder: string;
  let goldens: ReadonlyMap<string, Golden>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "aspectlens-"));
    goldens = await unpackTinyBundle(folder);
  });
  afterAll(() => rm(folder, { recursive: true }));

  test("the goldens are no zeros, which any program would give", () => {
    for (const [name, { predict, explain }] of goldens) {
      for (const [output, { data }] of [...Object.entries(predict), ...Object.entries(explain)]) {
        expect(data.filter((value) => value !== 0).length, `${name} ${output}`).toBeGreaterThanOrEqual(data.length / 4);
      }
    }
  });

  test("gives every output of both graphs as in the goldens", async () => {
    const replayed = decodeGoldens(await replay(folder));
    // Three goldens; predict: logits, scores, 4 aspects; explain: these, 4 x (masked, reference, overlap), 4 maps of
    // the tap.
    expect(compareGoldens(replayed, goldens)).toEqual({ count: 3 * (6 + 6 + 12 + 4), wrong: [] });
  });

  test("gives every output of a model with a network of its own", async () => {
    const other = await mkdtemp(join(tmpdir(), "aspectlens-"));
    try {
      const expected = await unpackTinyBundle(other, tinyMappedModel({ seed: 2 }));
      // As above, and what two heads say of mapped features.
      const found = compareGoldens(decodeGoldens(await replay(other)), expected);
      expect(found).toEqual({ count: 3 * (6 + 6 + 12 + 4 + 2), wrong: [] });
    } finally {
      await rm(other, { recursive: true });
    }
  });

  test("computes them: where the weights of one head are altered, all of its outputs are off and no others", async () => {
    await alterNecrosis(folder);
    const { wrong } = compareGoldens(decodeGoldens(await replay(folder)), goldens);
    const places = ["predict/necrosis/unmasked", ...OF_NECROSIS.map((output) => `explain/${output}`)];
    const expected = [...goldens.keys()].flatMap((name) => places.map((place) => `${name} ${place}`));
    expect(wrong.map((line) => line.split(": ")[0]).sort()).toEqual(expected.sort());
  });
}
