/** The address of a job queue, as users write it. */

import { connect } from "node:net";
import { InputError } from "../../core/errors.js";

/** Where a job queue is. */
export interface QueueAddress {
  readonly kind: "redis" | "postgres";
  /** With the password. */
  readonly url: string;
  /** Without it, for messages. */
  readonly shown: string;
}

const KINDS: Readonly<Record<string, { kind: QueueAddress["kind"]; port: number }>> = {
  "redis:": { kind: "redis", port: 6379 },
  "rediss:": { kind: "redis", port: 6379 },
  "postgres:": { kind: "postgres", port: 5432 },
  "postgresql:": { kind: "postgres", port: 5432 },
};
const EXAMPLES = "Write redis://HOST:6379, or postgres://USER:PASSWORD@HOST:5432/DATABASE.";
const PATIENCE_MS = 5000;

/** @throws InputError where the text is no address of a server that can hold a queue. */
export function queueAddress(text: string): QueueAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const known = url && Object.hasOwn(KINDS, url.protocol) ? KINDS[url.protocol] : undefined;
  if (!url || !known || url.hostname === "")
    // Not the text itself, which may hold a password.
    throw new InputError("--queue: is no address of a Redis or PostgreSQL server.", { cure: EXAMPLES });
  const { protocol, hostname, port, pathname } = url;
  return {
    kind: known.kind,
    url: text,
    shown: `${protocol}//${hostname}:${port || known.port}${pathname === "/" ? "" : pathname}`,
  };
}

/**
 * Ends when something listens there.
 *
 * @throws InputError where nothing does: a client would try for ever.
 */
export async function checkListening({ url, shown }: QueueAddress): Promise<void> {
  const { protocol, hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, ""); // of IPv6
  await new Promise<void>((resolve, reject) => {
    const socket = connect({ host, port: Number(port || KINDS[protocol].port), timeout: PATIENCE_MS });
    const fail = (why: string) => {
      socket.destroy();
      reject(new InputError(`--queue: ${shown}: ${why}.`, { cure: "Start the server there, or correct the address." }));
    };
    socket.once("connect", () => {
      socket.end();
      resolve();
    });
    socket.once("timeout", () => fail("does not answer"));
    socket.once("error", (error: NodeJS.ErrnoException) => fail(`cannot be reached (${error.code ?? error.message})`));
  });
}
