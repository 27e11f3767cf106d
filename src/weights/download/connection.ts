/**
 * Connections to a host, direct or through the proxy in the environment; also detects servers that send more bytes than
 * announced.
 */

import { Agent, type Dispatcher, EnvHttpProxyAgent, Pool } from "undici";
import { DownloadError } from "../../core/errors.js";

/**
 * Environment variables in the order in which undici reads them, by protocol. https falls back to the proxy for http.
 */
const VARIABLES = {
  "http:": ["http_proxy", "HTTP_PROXY"],
  "https:": ["https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY"],
} as const;

/** The variable that holds the proxy for addresses of this protocol; NO_PROXY is not considered. */
export function proxyVariable({ protocol }: URL): string | undefined {
  if (protocol !== "http:" && protocol !== "https:") return undefined;
  return VARIABLES[protocol].find((name) => process.env[name]);
}

/** Sockets of one download. The owner calls `destroy`. */
export class Connection {
  readonly dispatcher: Dispatcher;
  #hasExcess = false;

  /** @throws DownloadError naming the variable, if it does not hold the address of a proxy. */
  constructor() {
    const proxies = VARIABLES["https:"].filter((name) => process.env[name]);
    for (const name of proxies) checkProxy(name);
    const options = {
      factory: (origin: string | URL, poolOptions: object) => {
        const pool = new Pool(origin, poolOptions);
        pool.on("disconnect", (_origin, _targets, error) => {
          // How undici reports bytes after a complete body: as an unexpected response, or as an invalid one.
          if (error.message === "bad response" || /^HPE_/.test(error.code ?? "")) this.#hasExcess = true;
        });
        return pool;
      },
      proxyTunnel: false, // http requests are sent to the proxy without a tunnel: many allow CONNECT to port 443 only
    };
    // EnvHttpProxyAgent warns on stderr that it is experimental, so it is created only if there is a proxy.
    this.dispatcher = proxies.length === 0 ? new Agent(options) : new EnvHttpProxyAgent(options);
  }

  /**
   * Whether bytes came after the announced end of a body since the last call; only detected if they arrived together
   * with it.
   */
  takeExcess(): boolean {
    const hasExcess = this.#hasExcess;
    this.#hasExcess = false;
    return hasExcess;
  }

  destroy(): Promise<void> {
    return this.dispatcher.destroy();
  }
}

/** The value is not shown, since it may contain a password. */
function checkProxy(name: string): void {
  const value = process.env[name] ?? "";
  if (URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)) return;
  throw new DownloadError(`${name}: not the address of a proxy that can be used.`, {
    cure: "Write it as http://host:port.",
  });
}
