/**
 * Explains many images in order: some are decoded while others are explained, and one that cannot be read stops no
 * other.
 */

import { BundleError, InputError } from "../core/errors.js";

/** Enough that neither decoding nor the graph waits for the other; each holds a few megabytes. */
const AHEAD = 4;

/** What became of one of many. */
export type Settled<Source, Result> =
  | { readonly image: Source; readonly explained: Result }
  | { readonly image: Source; readonly error: InputError };

/**
 * Results in the order in which the work is given, which begins no further ahead than a few images.
 *
 * @param work of each image, begun when the iterator is asked for it.
 * @throws what is no fault of an image, when its turn comes.
 */
export async function* inOrder<Source, Result>(
  work: AsyncIterable<{ image: Source; explained: Promise<Result> }>,
): AsyncGenerator<Settled<Source, Result>> {
  const running: Promise<() => Settled<Source, Result>>[] = [];
  for await (const { image, explained } of work) {
    running.push(settled(image, explained));
    if (running.length >= AHEAD) yield await first(running);
  }
  while (running.length > 0) yield await first(running);
}

async function first<Value>(running: Promise<() => Value>[]): Promise<Value> {
  const next = await running.shift();
  if (!next) throw new RangeError("nothing runs");
  return next();
}

/** Never rejects, so that a failure waits for its turn; what is no fault of the image is thrown then. */
async function settled<Source, Result>(image: Source, work: Promise<Result>): Promise<() => Settled<Source, Result>> {
  try {
    const explained = await work;
    return () => ({ image, explained });
  } catch (error) {
    if (error instanceof InputError && !(error instanceof BundleError)) return () => ({ image, error });
    return () => {
      throw error;
    };
  }
}
