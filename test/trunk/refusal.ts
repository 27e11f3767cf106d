/** How readers of weights must refuse a file. */

import { dirname } from "node:path";
import { expect } from "vitest";
import { WeightsError } from "../../src/core/errors.js";

/** The one line that a reader refuses a file with, behind the file's path, or behind that of a file beside it. */
export async function refusalOf(
  read: (path: string) => Promise<unknown>,
  path: string,
  { beside = false }: { beside?: boolean } = {},
): Promise<string> {
  const error = await read(path).then(
    () => new Error("was accepted"),
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(WeightsError);
  const [place] = error.message.split(": ");
  if (beside) expect(dirname(place), error.message).toBe(dirname(path));
  else expect(place, error.message).toBe(path);
  expect(error.message).not.toContain("\n");
  return error.message.slice(place.length + 2);
}
