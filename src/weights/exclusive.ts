/** One process at a time: a file that names its owner while the work goes on. */

import { open, readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { WeightsError } from "../core/errors.js";
import { makeFolder } from "../core/files.js";

/**
 * @param path of the file that stands for the work; one that a dead process left is taken over.
 * @param title of the work, for the error.
 * @throws WeightsError where another process is at it; InputError where the folder of `path` cannot be made.
 */
export async function exclusively<Result>(path: string, title: string, work: () => Promise<Result>): Promise<Result> {
  await makeFolder(dirname(path));
  const owner = await claim(path);
  if (owner !== undefined)
    throw new WeightsError(`${title}: process ${owner} is at it already. Wait for it, or remove ${path}.`);
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

/** @returns the process that has it, where it is another one that is alive. */
async function claim(path: string): Promise<number | undefined> {
  for (;;) {
    try {
      const file = await open(path, "wx");
      await file.writeFile(String(process.pid));
      await file.close();
      return undefined;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const owner = Number(await readFile(path, "utf8").catch(() => "0"));
    if (owner > 0 && isAlive(owner)) return owner;
    await rm(path, { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0); // signal 0 only asks
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
