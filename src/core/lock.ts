/** One process at a time: a lock file that names its owner by machine, process, and when that process began. */

import { link, open, readFile, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { InputError, type InputErrorClass } from "./errors.js";
import { makeFolder, refused, temporaryName } from "./files.js";
import { isAlive, machine, startOfProcess } from "./process-identity.js";

interface Owner {
  readonly machine: string;
  readonly pid: number;
  /** Of `startOfProcess`; `null` where the system does not tell. */
  readonly started: string | null;
}

/** How long a lock without an owner's name may be one that is just being written. */
const WRITING_MS = 1000;
const POLL_MS = 50;

/**
 * Does the work while this process holds the lock. One whose owner, a process of this machine, is gone is taken over.
 *
 * @param path of the lock file; its folder is made.
 * @param title of what is being done, for the error.
 * @param cure what else the user may do, a sentence.
 * @throws InputError (or `ErrorClass`) where another process holds it: who, and where that cannot be told, how to
 *   remove it.
 */
export async function locked<Result>(
  path: string,
  {
    title,
    cure = "Wait for it.",
    ErrorClass = InputError,
  }: { title: string; cure?: string; ErrorClass?: InputErrorClass },
  work: () => Promise<Result>,
): Promise<Result> {
  await makeFolder(dirname(path));
  const own = JSON.stringify({ machine: machine(), pid: process.pid, started: startOfProcess(process.pid) });
  const other = await claim(path, own);
  if (other !== undefined) {
    const isHere = other !== null && other.machine === machine();
    const who =
      other === null
        ? "another process"
        : `process ${other.pid}${isHere ? "" : ` on ${JSON.stringify(other.machine)}`}`;
    const isKnown = isHere && !isGone(other);
    const removal = isKnown
      ? ""
      : ` If it no longer runs: rm -f ${JSON.stringify(path)} ${JSON.stringify(takeoverOf(path))}`;
    throw new ErrorClass(`${title}: ${who} is already running. ${cure}${removal}`);
  }
  try {
    return await work();
  } finally {
    if ((await textOf(path)) === own) await rm(path, { force: true });
  }
}

/** @returns who has it, `null` where the file names nobody; nothing where it is ours now. */
async function claim(path: string, own: string): Promise<Owner | null | undefined> {
  for (let waitedMs = 0; ; ) {
    if (await create(path, own)) return undefined;
    const text = await textOf(path);
    if (text === undefined) continue; // released meanwhile
    const owner = ownerOf(text);
    if (owner !== null && !isGone(owner)) return owner;
    if (owner !== null && (await removeStale(path, { text }))) continue;
    if (waitedMs >= WRITING_MS) return owner;
    await sleep(POLL_MS);
    waitedMs += POLL_MS;
  }
}

/**
 * Only whoever makes the file `<path>.takeover` may remove a lock, and looks again first: else two might take one over.
 */
async function removeStale(path: string, { text }: { text: string }): Promise<boolean> {
  const takeover = takeoverOf(path);
  if (!(await create(takeover, text))) return false;
  if ((await textOf(path)) === text) await rm(path, { force: true });
  await rm(takeover, { force: true });
  return true;
}

function takeoverOf(path: string): string {
  return `${path}.takeover`;
}

/**
 * Makes the file with its content in one step, so that nobody sees it empty.
 *
 * @returns false where it is there already.
 */
async function create(path: string, content: string): Promise<boolean> {
  const temporary = temporaryName(path);
  try {
    await writeFile(temporary, content, { flag: "wx" });
    return await unlessThere(link(temporary, path)).catch(async (error: unknown) => {
      // File systems without hard links, as on memory cards: here a reader may see it empty for a moment.
      if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].includes((error as NodeJS.ErrnoException).code ?? ""))
        throw error;
      return unlessThere(open(path, "wx").then((file) => file.writeFile(content).finally(() => file.close())));
    });
  } catch (cause) {
    throw refused(path, cause);
  } finally {
    await rm(temporary, { force: true });
  }
}

async function unlessThere(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw refused(path, cause);
  }
}

function ownerOf(text: string): Owner | null {
  try {
    const value = JSON.parse(text) as Owner | null;
    return typeof value?.machine === "string" && Number.isSafeInteger(value.pid) && value.pid > 0 ? value : null;
  } catch {
    return null;
  }
}

function isGone(owner: Owner): boolean {
  if (owner.machine !== machine()) return false;
  if (!isAlive(owner.pid)) return true;
  const started = startOfProcess(owner.pid);
  return started !== null && owner.started !== null && started !== owner.started;
}
