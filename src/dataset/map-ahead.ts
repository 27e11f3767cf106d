/** Work done ahead of its consumer: a few at once, in order, never more than a bounded number ready. */

/**
 * Yields `work(item)` in the order of the items. From the first request on it goes on while the consumer is busy.
 * A failure surfaces at its place in the order; returning early starts nothing more and waits for what is running.
 *
 * @param ahead most results that are running or ready but not taken.
 * @param concurrency most that run at once.
 */
export async function* mapAhead<T, R>(
  items: Iterable<T>,
  work: (item: T) => Promise<R>,
  { ahead, concurrency }: { ahead: number; concurrency: number },
): AsyncGenerator<R> {
  const source = items[Symbol.iterator]();
  const queue: Promise<R>[] = [];
  let running = 0;
  let isDone = false;
  const fill = () => {
    while (!isDone && running < concurrency && queue.length < ahead) {
      const next = source.next();
      if (next.done) {
        isDone = true;
        return;
      }
      running++;
      const result = work(next.value).finally(() => {
        running--;
        fill();
      });
      // The consumer sees the failure when it comes to this place; until then it is not unhandled.
      result.catch(() => {
        isDone = true;
      });
      queue.push(result);
    }
  };
  try {
    fill();
    for (let head = queue[0]; head !== undefined; head = queue[0]) {
      const result = await head;
      queue.shift();
      fill();
      yield result;
    }
  } finally {
    isDone = true;
    await Promise.allSettled(queue);
  }
}
