/** Maps items ahead of the consumer: several at once, results in order, with a limited number of finished results. */

/**
 * Yields `work(item)` in the order of the items. After the first request, work continues while the consumer is busy. An
 * error is thrown at its item's place in the order. If the consumer returns early, nothing more is started and running
 * work is awaited.
 *
 * @param ahead most items that are running or finished but not yet consumed.
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
      // The consumer gets the error when it reaches this item; until then it must not count as unhandled.
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
