/** The address of a file on a mirror: the mirror's base, then host and path of the original address. */

import { InputError } from "../../core/errors.js";

/**
 * `https://storage.googleapis.com/a/b` on `https://mirror.example/x` is `https://mirror.example/x/storage.googleapis.com/a/b`;
 * a query stays. With a `file:` base the files lie in a folder of that layout.
 *
 * @param url an `http:` or `https:` address.
 * @throws InputError naming the base (or the address), if it is not valid.
 */
export function mirrored(url: string, base: string): string {
  const address = URL.canParse(url) ? new URL(url) : undefined;
  if (address === undefined || !/^https?:$/.test(address.protocol)) {
    throw new InputError(`${url}: not a web address, so it has no mirror.`, {
      cure: "It begins with https:// or http://.",
    });
  }
  const root = baseOf(base);
  root.pathname = `${root.pathname.replace(/\/+$/, "")}/${address.host}${address.pathname}`;
  root.search = address.search;
  return root.href;
}

function baseOf(base: string): URL {
  const root = URL.canParse(base) ? new URL(base) : undefined;
  if (root === undefined || !/^(https?|file):$/.test(root.protocol)) {
    throw badBase(base, "not an address. It begins with https://, http:// or, for a folder, file:///");
  }
  // The value is not shown if it may contain a password.
  if (root.username !== "" || root.password !== "")
    throw badBase(root.host, "has a user or password, which is not supported");
  if (root.search !== "" || root.hash !== "") throw badBase(base, "has a query or fragment, which a base cannot have");
  return root;
}

function badBase(base: string, why: string): InputError {
  return new InputError(`--mirror ${base}: ${why}.`);
}
