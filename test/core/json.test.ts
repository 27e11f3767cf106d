import { expect, test } from "vitest";
import { DatasetError } from "../../src/core/errors.js";
import { parseJson } from "../../src/core/json.js";

const read = (bytes: Uint8Array) => parseJson(bytes, { where: "x.json", error: DatasetError, cure: "Mend it." });

test("a byte-order mark before JSON is passed over, and accents stay as they are", () => {
  expect(read(Buffer.from('\ufeff{"a":"e\u0301"}'))).toEqual({ a: "e\u0301" });
});

test("UTF-16 is called by its name, with and without a mark, in either order of bytes", () => {
  const text = Buffer.from('{"a":1}', "utf16le");
  const swapped = Buffer.from(text).swap16();
  for (const bytes of [text, swapped, Buffer.from([0xff, 0xfe, ...text]), Buffer.from([0xfe, 0xff, ...swapped])])
    expect(() => read(bytes)).toThrow(new DatasetError("x.json: is UTF-16.", { cure: "Save it as UTF-8." }));
});

test("other encodings, and text that is no JSON, are told in one line", () => {
  expect(() => read(Buffer.from([0x22, 0xe9, 0x22]))).toThrow("x.json: is not UTF-8 text. Save it as UTF-8.");
  expect(() => read(Buffer.from("{\n"))).toThrow(/^x\.json: is not JSON \([^\n]*\)\. Mend it\.$/);
  expect(() => read(new Uint8Array())).toThrow(/^x\.json: is not JSON/);
});

test("a string of 10 MB is read, and what is nested too deep is told, brackets in strings aside", () => {
  const long = "x".repeat(1e7);
  expect(read(Buffer.from(JSON.stringify([long])))).toEqual([long]);
  expect(read(Buffer.from(JSON.stringify([`\\"${"[".repeat(1000)}`])))).toHaveLength(1);
  expect(() => read(Buffer.from(`${"[".repeat(1000)}${"]".repeat(1000)}`))).toThrow("is nested more than 200 deep");
});
