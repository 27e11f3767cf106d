import { describe, expect, test } from "vitest";
import { InputError } from "../../src/core/errors.js";
import { decodeSafetensors, encodeSafetensors, safetensorsMetadata } from "../../src/core/safetensors.js";

const arrays = {
  "trunk/a/kernel": { shape: [2, 2], data: Float32Array.of(1, -2, 3.5, 1e-30) },
  zählung: { shape: [3], data: Int32Array.of(1, 2, -3) },
  scalar: { shape: [], data: Float32Array.of(7) },
};

describe("safetensors", () => {
  test("every array and the metadata come back bit for bit", () => {
    const bytes = encodeSafetensors(arrays, { metadata: { cursor: '{"epoch":2}' } });
    expect(decodeSafetensors(bytes, "x")).toEqual(arrays);
    expect(safetensorsMetadata(bytes, "x")).toEqual({ cursor: '{"epoch":2}' });
  });

  test("a Buffer, as files are read, gives copies of their own too", () => {
    const bytes = Buffer.concat([Buffer.alloc(3), encodeSafetensors(arrays)]).subarray(3);
    const read = decodeSafetensors(bytes, "x");
    expect(read).toEqual(arrays);
    expect(read["trunk/a/kernel"].data.buffer.byteLength).toBe(16);
  });

  test("arrays of half precision take half the room and are widened again", () => {
    const given = { a: { shape: [3], data: Float32Array.of(1, -0.5, 1 / 3) }, b: arrays.scalar };
    const bytes = encodeSafetensors(given, { isHalf: (name) => name === "a" });
    expect(Buffer.from(bytes).toString("latin1")).toContain('"a":{"dtype":"F16","shape":[3],"data_offsets":[0,6]}');
    expect(decodeSafetensors(bytes, "x")).toEqual({
      ...given,
      a: { shape: [3], data: Float32Array.of(1, -0.5, 0.333251953125) },
    });
  });

  test("the header is as the format says: its length in 8 bytes, JSON, numbers at a multiple of 8", () => {
    const bytes = encodeSafetensors({ a: { shape: [1], data: Float32Array.of(1) } });
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(length % 8).toBe(0);
    expect(JSON.parse(Buffer.from(bytes.subarray(8, 8 + length)).toString())).toEqual({
      a: { dtype: "F32", shape: [1], data_offsets: [0, 4] },
    });
    expect([...bytes.subarray(8 + length)]).toEqual([0, 0, 0x80, 0x3f]);
  });

  test("arrays over the same bytes are refused: a small file would claim any memory", () => {
    const header = (offsets: number[][]) => {
      const entries = offsets.map((data_offsets, index) => [`a${index}`, { dtype: "F32", shape: [2], data_offsets }]);
      const text = Buffer.from(JSON.stringify(Object.fromEntries(entries)).padEnd(160));
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(text.length));
      return Buffer.concat([length, text, Buffer.alloc(16)]);
    };
    expect(
      Object.keys(
        decodeSafetensors(
          header([
            [8, 16],
            [0, 8],
          ]),
          "x",
        ),
      ),
    ).toEqual(["a0", "a1"]);
    expect(() =>
      decodeSafetensors(
        header([
          [0, 8],
          [4, 12],
        ]),
        "x",
      ),
    ).toThrow(/"a1" lies over another array/);
    expect(() =>
      decodeSafetensors(
        header([
          [0, 8],
          [0, 8],
        ]),
        "x",
      ),
    ).toThrow(InputError);
  });

  test("a name means itself, whatever objects inherit under it", () => {
    const named = Object.fromEntries([
      ["__proto__", arrays.scalar],
      ["toString", arrays.scalar],
    ]);
    const read = decodeSafetensors(encodeSafetensors(named), "x");
    expect(Object.keys(read)).toEqual(["__proto__", "toString"]);
    expect(Object.entries(read)[0][1]).toEqual(arrays.scalar);
    expect(read.constructor).toBeUndefined();
    expect(safetensorsMetadata(encodeSafetensors({}), "x").constructor).toBeUndefined();
  });

  test.each([3, 20, 150])("a file cut off after %i bytes is refused by name", (size) => {
    const bytes = encodeSafetensors(arrays);
    expect(() => decodeSafetensors(bytes.subarray(0, size), "best/x.safetensors")).toThrow(InputError);
    expect(() => decodeSafetensors(bytes.subarray(0, size), "best/x.safetensors")).toThrow(
      /^best\/x\.safetensors: not a readable/,
    );
  });
});
