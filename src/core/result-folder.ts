/**
 * A folder for sets of results, with a list of the files that we put there: nothing else is ever written over or
 * removed.
 */

import { createHash } from "node:crypto";
import { constants, createReadStream } from "node:fs";
import { lstat, open, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { InputError } from "./errors.js";
import { makeFolder, refused, removeAbandoned, temporaryName, writeFileAtomic } from "./files.js";
import { LIMITS } from "./limits.js";
import { readWhole } from "./read-whole.js";

/** What a file shall hold; `from` is a file that lies there already, and takes its name. */
export type ResultContent = string | Uint8Array | { readonly from: string };

/** A folder of results, in which only files that we made are replaced. Names may lead into folders of it, by `/`. */
export interface ResultFolder {
  readonly path: string;
  /**
   * @param names of files that may be written.
   * @throws InputError where one is there already and is another's, was changed since we wrote it, or is an input.
   */
  check(names: Iterable<string>): Promise<void>;
  /**
   * Writes a set whole: all its files, or none where the disk is full; files of an earlier set of that name that are
   * not in this one are removed, unless they were changed.
   *
   * @param files by name; the last is written last, so that it vouches for the others.
   * @returns their paths.
   * @throws InputError as `check` does, and where nothing can be written.
   */
  write(set: string, files: Readonly<Record<string, ResultContent>>): Promise<string[]>;
}

/** Where the list is, one JSON object a line, after a line with the format. */
const LIST_FILE = ".aspectlens-files";
const FORMAT = "aspectlens-files/1";
/** Contents by which a file is known as ours: what it held and, should writing be cut short, what it was to hold. */
const CONTENTS = 2;

interface Entry {
  readonly file: string;
  readonly set: string;
  readonly sha256: string;
}

/** Of one file: its set, and its latest contents. */
interface Known {
  readonly set: string;
  readonly contents: readonly string[];
}

/**
 * Opens a folder for results, made or not, in which only files that we made are replaced.
 *
 * `inputs` are paths that are read, of which none is written over by whatever name or link.
 *
 * @param path of the folder; it is made with the first set.
 * @throws InputError where the list is no list of ours.
 */
export async function openResultFolder(
  path: string,
  { inputs = [] }: { inputs?: readonly string[] } = {},
): Promise<ResultFolder> {
  const list = join(path, LIST_FILE);
  const known = await readList(list, { isCompacted: true });
  const sets = new Map<string, Set<string>>();
  const putInSet = (name: string, set: string) => sets.set(set, (sets.get(set) ?? new Set()).add(name));
  for (const [name, { set }] of known) putInSet(name, set);
  await removeAbandoned(path);
  const inputIds = new Set<string>();
  for (const input of inputs) {
    const found = await stat(input, { bigint: true }).catch(() => undefined);
    if (found) inputIds.add(`${found.dev}:${found.ino}`);
  }
  const ownFolders = new Set<string>();
  /** Into a link to another folder nothing is written. */
  const checkFolders = async (name: string) => {
    for (let place = dirname(name); place !== "." && !ownFolders.has(place); place = dirname(place)) {
      const found = await lstat(join(path, place)).catch(() => undefined);
      if (found && !found.isDirectory())
        throw new InputError(`${join(path, place)}: is ${found.isSymbolicLink() ? "a link" : "a file"}, no folder.`, {
          cure: "Choose another folder, or remove it.",
          file: join(path, place),
        });
      if (found) ownFolders.add(place);
    }
  };
  const checkOne = async (name: string) => {
    if (!isInside(name))
      throw new InputError(`${join(path, name)}: no file of that name is written.`, { cure: "Rename the image." });
    await checkFolders(name);
    const file = join(path, name);
    const found = await lstat(file, { bigint: true }).catch(() => undefined);
    if (!found) return;
    const refuse = (what: string) => {
      throw new InputError(`${file}: ${what}; it would be overwritten.`, {
        cure: "Choose another folder, or remove it.",
        file,
      });
    };
    if (inputIds.has(`${found.dev}:${found.ino}`)) refuse("is one of the inputs");
    const isOurs = async () => known.get(name)?.contents.includes(await digestOf(file)) ?? false;
    if (found.isFile() && (await isOurs())) return;
    // Another process may have written it meanwhile.
    for (const [other, own] of await readList(list)) {
      known.set(other, own);
      putInSet(other, own.set);
    }
    if (!found.isFile() || !known.has(name)) return refuse("exists and was not made by aspectlens");
    if (!(await isOurs())) refuse("was changed since aspectlens made it");
  };
  const check: ResultFolder["check"] = async (names) => {
    // Most files are not there, so that one look at the folder is enough. Some file systems tell no capitals apart.
    const folded = (name: string) => name.normalize("NFC").toLowerCase();
    const there = new Map<string, ReadonlySet<string>>();
    for (const name of names) {
      const place = dirname(name);
      const known = there.get(place);
      const found = known ?? new Set((await readdir(join(path, place)).catch(() => [])).map(folded));
      if (!known) {
        there.set(place, found);
        await checkFolders(name);
      }
      if (found.has(folded(basename(name)))) await checkOne(name);
    }
  };
  const cleaned = new Set<string>();
  const write: ResultFolder["write"] = async (set, files) => {
    const names = Object.keys(files);
    // Each alone: a look at the whole folder for every set would take ever longer, the more sets there are.
    for (const name of names) await checkOne(name);
    await makeFolder(path);
    for (const place of new Set(names.map(dirname))) {
      if (place === "." || cleaned.has(place)) continue;
      await makeFolder(join(path, place));
      await removeAbandoned(join(path, place));
      cleaned.add(place);
    }
    const entries: Entry[] = [];
    for (const file of names) entries.push({ file, set, sha256: await digestOfContent(files[file]) });
    const isNew = ({ file, sha256 }: Entry) =>
      known.get(file)?.contents.at(-1) !== sha256 || known.get(file)?.set !== set;
    await append(list, entries.filter(isNew));
    for (const entry of entries) {
      add(known, entry);
      putInSet(entry.file, set);
    }
    await writeAll(path, files);
    for (const name of sets.get(set) ?? []) {
      if (known.get(name)?.set !== set || names.includes(name)) continue;
      const isOurs = await checkOne(name).then(
        () => true,
        () => false,
      );
      if (isOurs) await rm(join(path, name), { force: true });
      known.delete(name);
      sets.get(set)?.delete(name);
    }
    return names.map((name) => join(path, name));
  };
  return { path, check, write };
}

/** Names of files in a folder that we put there, changed ones too; none where it has no list of ours. */
export async function listedFiles(path: string): Promise<ReadonlySet<string>> {
  try {
    return new Set((await readList(join(path, LIST_FILE))).keys());
  } catch (error) {
    if (error instanceof InputError) return new Set();
    throw error;
  }
}

/** All of them beside their places first, so that a full disk leaves the former ones whole. */
async function writeAll(folder: string, files: Readonly<Record<string, ResultContent>>): Promise<void> {
  const staged: { from: string; to: string }[] = [];
  try {
    for (const [name, data] of Object.entries(files)) {
      const to = join(folder, name);
      const isThere = typeof data === "object" && "from" in data;
      const from = isThere ? data.from : temporaryName(to);
      staged.push({ from, to });
      if (isThere) continue;
      await writeFile(from, data).catch((cause: unknown) => {
        throw refused(to, cause);
      });
    }
    for (const { from, to } of staged) {
      await rename(from, to).catch((cause: unknown) => {
        throw refused(to, cause);
      });
    }
  } catch (error) {
    // The first failure is the one to report.
    for (const { from } of staged) await rm(from, { force: true }).catch(() => {});
    throw error;
  }
}

function add(known: Map<string, Known>, { file, set, sha256 }: Entry): void {
  const contents = known.get(file)?.contents.filter((content) => content !== sha256) ?? [];
  known.set(file, { set, contents: [...contents, sha256].slice(-CONTENTS) });
}

/** @param options.isCompacted rewrites a list that holds many former contents. */
async function readList(list: string, { isCompacted = false } = {}): Promise<Map<string, Known>> {
  const known = new Map<string, Known>();
  const found = await lstat(list).catch(() => undefined);
  if (!found) return known;
  if (!found.isFile()) throw foreign(list);
  const bytes = await readWhole(list, { limit: LIMITS.resultListBytes });
  const [head, ...lines] = Buffer.from(bytes).toString("utf8").split("\n");
  if (head !== headLine()) throw foreign(list);
  let count = 0;
  for (const line of lines) {
    const entry = parse(line);
    if (!entry) continue; // a line that was cut short
    if (!isInside(entry.file)) throw foreign(list); // it leads out of the folder
    add(known, entry);
    count++;
  }
  if (isCompacted && count > 4 * known.size + 100)
    await writeFileAtomic(list, [headLine(), ...toLines(known), ""].join("\n"));
  return known;
}

function isInside(name: string): boolean {
  return !name.includes("\\") && name.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}

function foreign(list: string): InputError {
  return new InputError(`${list}: is no list of files that aspectlens made.`, {
    cure: "Choose another folder, or remove it.",
    file: list,
  });
}

function headLine(): string {
  return JSON.stringify({ format: FORMAT });
}

function toLines(known: ReadonlyMap<string, Known>): string[] {
  return [...known].flatMap(([file, { set, contents }]) =>
    contents.map((sha256) => JSON.stringify({ file, set, sha256 })),
  );
}

function parse(line: string): Entry | undefined {
  try {
    const value = JSON.parse(line) as Partial<Entry>;
    const { file, set, sha256 } = value;
    return typeof file === "string" && typeof set === "string" && typeof sha256 === "string"
      ? { file, set, sha256 }
      : undefined;
  } catch {
    return undefined;
  }
}

/** Before the files themselves, so that what a killed process left is known as ours. */
async function append(list: string, entries: readonly Entry[]): Promise<void> {
  if (entries.length === 0) return;
  try {
    // Not through a link, which could lead to a file of somebody else.
    const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0);
    const file = await open(list, flags, 0o666);
    try {
      // After a line that was cut short, a new one begins.
      const head = (await file.stat()).size === 0 ? headLine() : "";
      await file.write([head, ...entries.map((entry) => JSON.stringify(entry)), ""].join("\n"));
    } finally {
      await file.close();
    }
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ELOOP") throw foreign(list);
    throw refused(list, cause);
  }
}

function digest(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

async function digestOfContent(content: ResultContent): Promise<string> {
  return typeof content === "object" && "from" in content ? digestOf(content.from) : digest(content);
}

/** Nothing of ours where it cannot be read. */
async function digestOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  try {
    for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  } catch {
    return "";
  }
  return hash.digest("hex");
}
