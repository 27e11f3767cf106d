/** Works on what a source gives, a few at a time, and gives the results in the order of the source. */

/**
 * A result is given as soon as it and all before it are there, also while the source lets wait for the next.
 *
 * @param options.ahead how many are worked on at a time, at most.
 * @throws what `work` or the source throws, when its turn comes.
 */
export async function* inTurn<Given, Result>(
  source: AsyncGenerator<Given>,
  work: (given: Given) => Promise<Result>,
  { ahead }: { ahead: number },
): AsyncGenerator<Result> {
  const running: Promise<Result>[] = [];
  let next: Promise<IteratorResult<Given>> | undefined = handled(source.next());
  try {
    for (;;) {
      const [first] = running;
      if (next && running.length < ahead && (await isBefore(next, first))) {
        const { done, value }: IteratorResult<Given> = await next;
        next = done ? undefined : handled(source.next());
        if (!done) running.push(handled(work(value)));
      } else if (first) {
        running.shift();
        yield await first;
      } else return;
    }
  } finally {
    // Without waiting: the source may be at something long.
    void handled(source.return(undefined));
  }
}

/** True where `next` is there before `first`, and is to be taken now. A failure of the source waits for its turn. */
function isBefore(next: Promise<unknown>, first?: Promise<unknown>): Promise<boolean> {
  const taken = next.then(
    () => true,
    () => first === undefined,
  );
  const given = first?.then(
    () => false,
    () => false,
  );
  return given ? Promise.race([given, taken]) : taken;
}

/** A promise whose failure is seen where it is awaited, if ever. */
function handled<Value>(promise: Promise<Value>): Promise<Value> {
  promise.catch(() => {});
  return promise;
}
