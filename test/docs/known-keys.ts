/** Which keys the code knows, as its own message says. */

/** The keys that the message about an unknown one names. */
export function knownKeys(read: () => unknown): string[] {
  try {
    read();
  } catch (error) {
    const [, known = ""] = /Known: (.*)\.$/.exec((error as Error).message) ?? [];
    return known.split(", ");
  }
  throw new Error("the unknown key was taken");
}
