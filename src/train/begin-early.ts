/** Batches that are prepared before anyone asks for them: those of the next epoch, while the one before it is validated. */

/** Starts the generator; returning early ends it, also where nothing was taken. */
export function beginEarly<Item>(items: AsyncGenerator<Item>): AsyncIterableIterator<Item> {
  let first: Promise<IteratorResult<Item>> | undefined = items.next();
  first.catch(() => {}); // whoever asks for it gets the error
  const begun: AsyncIterableIterator<Item> = {
    next: () => {
      const next = first ?? items.next();
      first = undefined;
      return next;
    },
    return: () => items.return(undefined),
    [Symbol.asyncIterator]: () => begun,
  };
  return begun;
}
