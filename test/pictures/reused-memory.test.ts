import { expect, test } from "vitest";
import { giveBack, reused, takeBytes } from "../../src/pictures/reused-memory.js";

test("memory of one purpose is used again, and grows", () => {
  const memory = reused((length) => new Uint8Array(length));
  const first = memory(4);
  expect(first).toHaveLength(4);
  first.fill(7);
  const second = memory(2);
  expect(second.buffer).toBe(first.buffer);
  expect([...second]).toEqual([7, 7]);
  expect(memory(9)).toHaveLength(9);
  const large = memory(2 ** 24 + 1);
  expect(memory(2 ** 24 + 1).buffer).not.toBe(large.buffer);
});

test("an array that was given back is taken again by its length, and by one at a time", () => {
  const bytes = takeBytes(101);
  giveBack(bytes);
  expect(takeBytes(102)).not.toBe(bytes);
  expect(takeBytes(101)).toBe(bytes);
  expect(takeBytes(101)).not.toBe(bytes);
});

test("few are kept, of few lengths", () => {
  const many = Array.from({ length: 6 }, () => new Uint8Array(33));
  for (const bytes of many) giveBack(bytes);
  expect(Array.from({ length: 6 }, () => many.includes(takeBytes(33) as Uint8Array<ArrayBuffer>))).toEqual([
    ...[true, true, true, true],
    ...[false, false],
  ]);
  const old = new Uint8Array(55);
  giveBack(old);
  for (let length = 200; length < 208; length++) giveBack(new Uint8Array(length));
  expect(takeBytes(55)).not.toBe(old);
});
