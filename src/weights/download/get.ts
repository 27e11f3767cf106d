/**
 * One GET request; follows at most five redirects, never from https to http.
 *
 * undici's own redirects (6.29) are not used: they follow from https to http, read the whole body of a redirect first,
 * and do not say which address failed. Guarding against that would be as long as the loop below.
 */

import { type Dispatcher, request } from "undici";
import { DownloadError } from "../../core/errors.js";
import { connectionFailure } from "./failures.js";

const MAX_REDIRECTS = 5;
const REDIRECTS = [301, 302, 303, 307, 308];

export interface HttpResponse {
  readonly status: number;
  /** The first value of a header, by its lower-case name. */
  header(name: string): string | undefined;
  /** Read to its end, or destroyed by `discard`. */
  readonly body: Dispatcher.ResponseData["body"];
}

/**
 * @param options.signal if it aborts, its reason is thrown.
 * @throws DownloadError for a redirect that is not followed; otherwise the errors of `connectionFailure`.
 */
export async function get(
  address: URL,
  options: { headers: Readonly<Record<string, string>>; dispatcher: Dispatcher; signal: AbortSignal },
): Promise<HttpResponse> {
  let url = address;
  for (let redirects = 0; ; redirects += 1) {
    const response = await ask(url, options);
    if (!REDIRECTS.includes(response.status)) return response;
    discard(response);
    if (redirects === MAX_REDIRECTS) throw refused(address, `is redirected more than ${MAX_REDIRECTS} times`);
    url = next(address, url, response.header("location"));
  }
}

/** Ends a response whose body is not read. */
export function discard({ body }: HttpResponse): void {
  body.on("error", () => {}); // ending early is intended
  body.destroy();
}

async function ask(url: URL, { headers, dispatcher, signal }: Parameters<typeof get>[1]): Promise<HttpResponse> {
  try {
    // The caller's signal knows the time limits: undici's count in whole seconds.
    const response = await request(url, { headers, dispatcher, signal, headersTimeout: 0, bodyTimeout: 0 });
    return {
      status: response.statusCode,
      header: (name) => [response.headers[name]].flat()[0],
      body: response.body,
    };
  } catch (error) {
    throw signal.aborted ? signal.reason : connectionFailure(error, url);
  }
}

function next(address: URL, from: URL, location: string | undefined): URL {
  if (location === undefined || !URL.canParse(location, from.href)) throw refused(address, "is redirected to nowhere");
  const to = new URL(location, from);
  if (to.protocol !== "http:" && to.protocol !== "https:") throw refused(address, `is redirected to ${to.protocol}`);
  if (from.protocol === "https:" && to.protocol === "http:") {
    throw refused(address, `is redirected from https to http (${to.host}), where anyone on the way could change it`);
  }
  return to;
}

function refused(address: URL, what: string): DownloadError {
  return new DownloadError(`${address.href}: ${what}.`, { cure: "Check the address, or name a mirror by --mirror." });
}
