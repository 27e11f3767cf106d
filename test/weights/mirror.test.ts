import { expect, test } from "vitest";
import { InputError } from "../../src/core/errors.js";
import { mirrored } from "../../src/weights/download/mirror.js";

const ADDRESS = "https://storage.googleapis.com/a/b.json?tfjs-format=file";

test.each([
  ["https://mirror.example/x", "https://mirror.example/x/storage.googleapis.com/a/b.json?tfjs-format=file"],
  ["https://mirror.example/x/", "https://mirror.example/x/storage.googleapis.com/a/b.json?tfjs-format=file"],
  ["http://mirror.example:8080", "http://mirror.example:8080/storage.googleapis.com/a/b.json?tfjs-format=file"],
  ["file:///mnt/usb/weights", "file:///mnt/usb/weights/storage.googleapis.com/a/b.json?tfjs-format=file"],
])("below %s lie host and path of the address", (base, expected) => {
  expect(mirrored(ADDRESS, base)).toBe(expected);
});

test.each([
  "mirror.example",
  "./weights",
  "ftp://mirror.example",
  "https://mirror.example/?key=1",
  "https://mirror.example/#x",
])("%s is no base, and named in one line", (base) => {
  const work = () => mirrored(ADDRESS, base);
  expect(work).toThrow(InputError);
  expect(work).toThrow(`--mirror ${base}: `);
});

test("a password in the base is refused and not shown", () => {
  expect(() => mirrored(ADDRESS, "https://me:secret@mirror.example")).toThrow(
    /^--mirror mirror\.example: has a user or password/,
  );
});

test("only an address on the web has a mirror", () => {
  expect(() => mirrored("file:///a/b", "https://mirror.example")).toThrow(/^file:\/\/\/a\/b: not a web address/);
});
