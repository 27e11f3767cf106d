/** How readers of weights must refuse a file. */

import { expect } from "vitest";
import { WeightsError } from "../../src/core/errors.js";

/** The one line that a reader refuses a file with, behind the file's path. */
export async function refusalOf(read: (path: string) => Promise<unknown>, path: string): Promise<string> {
  const error = await read(path).then(
    () => new Error("was accepted"),
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(WeightsError);
  expect(error.message.startsWith(`${path}: `), error.message).toBe(true);
  expect(error.message).not.toContain("\n");
  return error.message.slice(path.length + 2);
}
