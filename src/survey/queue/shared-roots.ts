/** Folders that several machines share under different paths: `--root NAME=FOLDER` on each of them. */

import { realpath } from "node:fs/promises";
import { isAbsolute, join, relative, resolve, sep } from "node:path";
import { InputError } from "../../core/errors.js";

/** Folders by name, resolved. */
export type SharedRoots = Readonly<Record<string, string>>;

/** Of a root that is given without a name. */
const UNNAMED = "share";

/**
 * @param words of `--root`: `NAME=FOLDER`, or a folder, whose name then is `share`.
 * @throws InputError where a folder is not there, or a name occurs twice.
 */
export async function sharedRoots(words: readonly string[]): Promise<SharedRoots> {
  const roots: Record<string, string> = {};
  for (const word of words) {
    const [, name = UNNAMED, folder] = /^(?:([A-Za-z][\w-]*)=)?(.+)$/s.exec(word) ?? [];
    if (folder === undefined) throw new InputError("--root: expected NAME=FOLDER or a folder, got nothing.");
    if (Object.hasOwn(roots, name))
      throw new InputError(`--root: the name "${name}" occurs twice.`, { cure: "Name each: --root NAME=FOLDER." });
    roots[name] = await realpath(folder).catch((cause: unknown) => {
      throw new InputError(`--root: ${folder}: is no folder of this machine.`, {
        cure: "Mount it, or correct the path.",
        cause,
      });
    });
  }
  return roots;
}

/** A path of another machine whose root this one does not know: no fault of the job, another worker may know it. */
export class UnknownRootError extends InputError {
  override name = "UnknownRootError";
}

/**
 * The path on this machine of what another machine calls `path`. Links are resolved, and must not lead out.
 *
 * @param theirs the roots as that machine sees them.
 * @param ours the same folders by name, as this one does.
 * @throws UnknownRootError where it lies below no root that both know.
 * @throws InputError where it leads out of its root, or is not there.
 */
export async function translated(
  path: string,
  { theirs, ours }: { theirs: SharedRoots; ours: SharedRoots },
): Promise<string> {
  const name = rootOf(path, theirs);
  if (name === undefined)
    throw new InputError(`${path}: lies below no shared folder.`, { cure: "Name its folder: --root NAME=FOLDER." });
  if (!Object.hasOwn(ours, name))
    throw new UnknownRootError(`${path}: this worker knows no shared folder "${name}".`, {
      cure: `Start it with --root ${name}=FOLDER.`,
    });
  const joined = join(ours[name], relative(theirs[name], path));
  const real = await realpath(joined).catch((cause: unknown) => {
    throw new InputError(`${joined}: is not there.`, { cure: `Is the shared folder "${name}" mounted?`, cause });
  });
  if (!isBelow(real, ours[name]))
    throw new InputError(`${joined}: leads out of the shared folder "${name}".`, {
      cure: "Name the folder that it leads to as well: --root NAME=FOLDER.",
    });
  return real;
}

/** The innermost root that an absolute path lies below. */
export function rootOf(path: string, roots: SharedRoots): string | undefined {
  const [name] = Object.entries(roots)
    .filter(([, folder]) => isBelow(resolve(path), folder))
    .sort(([, a], [, b]) => b.length - a.length)
    .map(([own]) => own);
  return name;
}

function isBelow(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === "" || (!isAbsolute(way) && way !== ".." && !way.startsWith(`..${sep}`));
}
