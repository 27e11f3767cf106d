import { setTimeout as wait } from "node:timers/promises";
import { expect, test } from "vitest";
import { inTurn } from "../../src/core/in-turn.js";

async function* from<Value>(values: readonly Value[]): AsyncGenerator<Value> {
  yield* values;
}

test("works on several at a time, never more than asked, and gives results in the source's order", async () => {
  let [running, most] = [0, 0];
  const work = async (ms: number) => {
    most = Math.max(most, ++running);
    await wait(ms);
    running--;
    return ms;
  };
  const results: number[] = [];
  for await (const result of inTurn(from([30, 1, 20, 2, 10, 3]), work, { ahead: 3 })) results.push(result);
  expect(results).toEqual([30, 1, 20, 2, 10, 3]);
  expect(most).toBe(3);
});

test("gives what is there while the source lets wait for more", async () => {
  let more = (): void => {};
  async function* slow() {
    yield 1;
    await new Promise<void>((resolve) => {
      more = resolve;
    });
    yield 2;
  }
  const results = inTurn(slow(), async (value) => value, { ahead: 4 });
  expect(await results.next()).toEqual({ done: false, value: 1 });
  more();
  expect(await results.next()).toEqual({ done: false, value: 2 });
  expect((await results.next()).done).toBe(true);
});

test("a failure of work or source is thrown when its turn comes", async () => {
  async function* failing() {
    yield 5;
    yield 1;
    throw new Error("no more");
  }
  const seen: (number | string)[] = [];
  const collect = async (results: AsyncGenerator<number>) => {
    try {
      for await (const result of results) seen.push(result);
    } catch (error) {
      seen.push((error as Error).message);
    }
  };
  await collect(inTurn(failing(), async (ms) => wait(ms, ms), { ahead: 4 }));
  const work = async (value: number) => {
    if (value === 2) throw new Error("two");
    return wait(value, value);
  };
  await collect(inTurn(from([9, 2, 3]), work, { ahead: 4 }));
  expect(seen).toEqual([5, 1, "no more", 9, "two"]);
});

test("ends the source where the reader leaves", async () => {
  let isEnded = false;
  async function* endless() {
    try {
      for (let i = 0; ; i++) yield i;
    } finally {
      isEnded = true;
    }
  }
  for await (const result of inTurn(endless(), async (value) => value, { ahead: 2 })) if (result === 3) break;
  await wait(1);
  expect(isEnded).toBe(true);
});
