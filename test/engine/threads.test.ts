import { availableParallelism } from "node:os";
import { expect, test } from "vitest";
import { countCores, defaultThreads } from "../../src/engine/threads.js";

const processor = (socket: number, core: number) =>
  `processor : 0\nphysical id\t: ${socket}\ncore id\t\t: ${core}\nflags : x`;

test("two threads of one core count once, equal cores of two sockets twice", () => {
  const text = [processor(0, 0), processor(0, 0), processor(0, 1), processor(1, 0)].join("\n\n");
  expect(countCores(text)).toBe(3);
});

test("a list without cores says nothing", () => {
  expect(countCores("processor : 0\nBogoMIPS : 50\n")).toBeUndefined();
});

test("never more threads than the process may use", () => {
  expect(defaultThreads()).toBeGreaterThanOrEqual(1);
  expect(defaultThreads()).toBeLessThanOrEqual(availableParallelism());
});
