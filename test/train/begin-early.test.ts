import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { beginEarly } from "../../src/train/begin-early.js";

async function* counted(log: string[], failing = false): AsyncGenerator<number> {
  try {
    for (let index = 0; index < 3; index++) {
      if (failing) throw new Error("unreadable");
      log.push(`made ${index}`);
      yield index;
    }
  } finally {
    log.push("ended");
  }
}

test("the first is made before anyone asks, the others in their turn, and none twice", async () => {
  const log: string[] = [];
  const items = beginEarly(counted(log));
  await setImmediate();
  expect(log).toEqual(["made 0"]);
  const taken: number[] = [];
  for await (const item of items) taken.push(item);
  expect(taken).toEqual([0, 1, 2]);
  expect(log).toEqual(["made 0", "made 1", "made 2", "ended"]);
});

test("what was begun and is not needed comes to its end", async () => {
  const log: string[] = [];
  await beginEarly(counted(log)).return?.();
  expect(log).toEqual(["made 0", "ended"]);
});

test("an error is given to whoever asks, and to nobody before", async () => {
  const items = beginEarly(counted([], true));
  await setImmediate();
  await expect(items.next()).rejects.toThrow("unreadable");
});
