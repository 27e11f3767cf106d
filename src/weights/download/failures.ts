/** Interprets a failed request: whether a retry may help, and what to tell the user. */

import { DownloadError } from "../../core/errors.js";
import { proxyVariable } from "./connection.js";

/** Error codes of an unreachable host, for which a retry does not help unless it was reachable before. */
const UNREACHABLE = new Set([
  "ENOTFOUND",
  "EAI_AGAIN",
  "EAI_FAIL",
  "ECONNREFUSED",
  "ENETUNREACH",
  "ENETDOWN",
  "EHOSTUNREACH",
  "EADDRNOTAVAIL",
  "ETIMEDOUT",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/** Error codes of certificates that Node does not trust, mostly because a company's proxy signs them. */
const UNTRUSTED = /^(ERR_TLS_|CERT_|SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED|UNABLE_TO_(GET|VERIFY))/;

const OTHER_WAYS =
  'name a mirror by --mirror, import a copy brought by hand with "weights import", or use a built-in trunk';

/** A temporary failure: `download` waits and tries again. */
export class TransientError extends Error {
  /** Waiting time that the server asks for (Retry-After), seconds. */
  readonly waitSeconds: number;
  /** The host cannot be reached: not retried if no data has come yet. */
  readonly isUnreachable: boolean;

  constructor(
    message: string,
    {
      cause,
      waitSeconds = 0,
      isUnreachable = false,
    }: { cause?: unknown; waitSeconds?: number; isUnreachable?: boolean } = {},
  ) {
    super(message, { cause });
    this.waitSeconds = waitSeconds;
    this.isUnreachable = isUnreachable;
  }
}

/** Interprets an exception of the connection. @returns the error to throw, with `error` as its cause. */
export function connectionFailure(error: unknown, url: URL): Error {
  if (error instanceof DownloadError || error instanceof TransientError) return error;
  const code = codeOf(error);
  const text = error instanceof Error && error.message !== "" ? error.message : code;
  const refusal = /^Proxy (?:response|Authentication Required) \((\d+)\)/.exec(text)?.[1];
  if (refusal !== undefined) return proxyFailure(Number(refusal), url, error);
  if (UNREACHABLE.has(code)) {
    const proxy = proxyVariable(url);
    const why = proxy === undefined ? text : `${text}; ${proxy} is set`;
    const first = proxy === undefined ? "Set HTTPS_PROXY to go through a proxy" : `Check ${proxy} and NO_PROXY`;
    return new TransientError(
      `${url.host} cannot be reached: no network, or no route (${why}). ${first}, ${OTHER_WAYS}.`,
      {
        cause: error,
        isUnreachable: true,
      },
    );
  }
  if (UNTRUSTED.test(code)) {
    return new DownloadError(`${url.host}: its certificate is not trusted (${code}).`, {
      cure: `Where a proxy signs them, name the file of its authority in NODE_EXTRA_CA_CERTS; else ${OTHER_WAYS}.`,
      cause: error,
    });
  }
  return new TransientError(`the connection to ${url.host} broke (${text})`, { cause: error });
}

/** Interprets a status other than 200 and 206. @param retryAfter the header of that name. */
export function statusFailure(status: number, url: URL, retryAfter: string | undefined): Error {
  if (status === 407) return proxyFailure(status, url);
  if (status === 404 || status === 410) {
    return new DownloadError(`${url.href}: there is no such file (status ${status}).`, {
      cure: `Check the address, or ${OTHER_WAYS}.`,
    });
  }
  if (status === 401 || status === 403) {
    return new DownloadError(`${url.href}: the server refuses it (status ${status}).`, {
      cure: `It may need a login: ${OTHER_WAYS}.`,
    });
  }
  if (status >= 500 || [408, 425, 429].includes(status)) {
    const waitSeconds = /^\d+$/.test(retryAfter ?? "") ? Number(retryAfter) : 0;
    return new TransientError(`${url.host} has trouble (status ${status})`, { waitSeconds });
  }
  return new DownloadError(`${url.href}: an unexpected answer (status ${status}).`, {
    cure: `Check the address, or ${OTHER_WAYS}.`,
  });
}

function proxyFailure(status: number, url: URL, cause?: unknown): DownloadError {
  const proxy = proxyVariable(url) ?? "HTTPS_PROXY";
  const cure =
    status === 407
      ? `It asks for a login: ${proxy}=http://user:password@host:port.`
      : `List the host in NO_PROXY, ${OTHER_WAYS}.`;
  return new DownloadError(`${url.host}: the proxy in ${proxy} refuses it (status ${status}).`, { cure, cause });
}

/** The code of an error, or of an error inside it: an address tried by IPv4 and IPv6 fails with a group of errors. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  if (typeof code === "string") return code;
  const [inner] = error instanceof AggregateError ? error.errors : [error.cause];
  return inner === undefined ? error.name : codeOf(inner);
}
