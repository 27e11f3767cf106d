/** What `scripts/same-results.js` takes for a difference. */

import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { compareFiles } from "../../scripts/same-results/compare-files.js";
import { compareJson } from "../../scripts/same-results/compare-json.js";
import { compareOutcomes } from "../../scripts/same-results/compare-outcomes.js";
import { encodeSafetensors } from "../../src/core/safetensors.js";

const verdictOf = async (path: string, before: Uint8Array | string, after: Uint8Array | string) =>
  (await compareFiles(path, Buffer.from(before), Buffer.from(after))).verdict;

describe("comparing results", () => {
  test("a number's last digit is a difference, and is named", () => {
    const [before, after] = [0.1, 0.10000000000000002].map((value) => ({ threshold: { value } }));
    expect(compareJson(before, after)).toEqual({
      verdict: "different",
      where: "/threshold/value: 0.1 -> 0.10000000000000002",
    });
  });

  test("so is a key that is missing, a name, an empty list, and a number in a sentence", () => {
    expect(compareJson({ a: null }, {}).verdict).toBe("different");
    expect(compareJson({ a: "cam" }, { a: "grad-cam" }).verdict).toBe("different");
    expect(compareJson({ a: [] }, { a: {} }).verdict).toBe("different");
    expect(compareJson({ a: "on 3 images" }, { a: "on 4 images" }).verdict).toBe("different");
  });

  test("times are left out, and other words are told apart", () => {
    expect(compareJson({ seconds: 1, a: 2 }, { seconds: 3, a: 2 }).verdict).toBe("equal");
    expect(compareJson({ a: "on 3 images" }, { a: "of 3 pictures" }).verdict).toBe("words");
  });

  test("one bit of one weight is a difference, the order of the arrays is none", async () => {
    const arrays = (value: number) => ({
      a: { shape: [1], data: Float32Array.of(value) },
      b: { shape: [1], data: Float32Array.of(2) },
    });
    const { a, b } = arrays(1);
    const path = "runs/single/best/parameters.safetensors";
    const before = encodeSafetensors(arrays(1));
    expect(await verdictOf(path, before, encodeSafetensors(arrays(1 + 2 ** -23)))).toBe("different");
    expect(await verdictOf(path, before, encodeSafetensors({ b, a }))).toBe("equal");
  });

  test("masks are compared by their pixels, pictures for people are told apart", async () => {
    const png = (value: number, compressionLevel: number) =>
      sharp(Uint8Array.of(value, 2, 3, 4), { raw: { width: 2, height: 2, channels: 1 } })
        .png({ compressionLevel })
        .toBuffer();
    const before = await png(1, 9);
    expect(await verdictOf("explained/single/1.nucleus.png", before, await png(1, 0))).toBe("equal");
    expect(await verdictOf("explained/single/1.nucleus.png", before, await png(9, 9))).toBe("different");
    expect(await verdictOf("explained/single/1.overlay.jpg", before, await png(9, 9))).toBe("looks");
  });

  test("exit codes and JSON of a command count, its messages may be reworded", () => {
    const outcome = { model: "others", args: ["verify", "x.aspect", "--json"], code: 2, stdout: "", stderr: "x: gone" };
    const verdicts = (after: object) =>
      compareOutcomes([outcome], [{ ...outcome, ...after }]).map(({ verdict }) => verdict);
    expect(verdicts({})).toEqual(["equal", "equal", "equal"]);
    expect(verdicts({ code: 1 })).toEqual(["different", "equal", "equal"]);
    expect(verdicts({ stdout: '{"isWhole":true}' })).toEqual(["equal", "different", "equal"]);
    expect(verdicts({ stderr: "x: is not there" })).toEqual(["equal", "equal", "words"]);
  });
});
