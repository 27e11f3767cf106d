/** The way to a host: straight, or by the proxy that the environment names; and whether a server said more than it announced. */

import { Agent, type Dispatcher, EnvHttpProxyAgent, Pool } from "undici";
import { DownloadError } from "../../core/errors.js";

/** In the order in which undici looks, for each kind of address. https falls back to the proxy for http. */
const VARIABLES = {
  "http:": ["http_proxy", "HTTP_PROXY"],
  "https:": ["https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY"],
} as const;

/** The variable that names the proxy for addresses of this kind; NO_PROXY is not looked at. */
export function proxyVariable({ protocol }: URL): string | undefined {
  if (protocol !== "http:" && protocol !== "https:") return undefined;
  return VARIABLES[protocol].find((name) => process.env[name]);
}

/** Sockets of one download. The owner calls `destroy`. */
export class Connection {
  readonly dispatcher: Dispatcher;
  #hasExcess = false;

  /** @throws DownloadError naming the variable, where it holds no address of a proxy. */
  constructor() {
    const proxies = VARIABLES["https:"].filter((name) => process.env[name]);
    for (const name of proxies) checkProxy(name);
    const options = {
      factory: (origin: string | URL, poolOptions: object) => {
        const pool = new Pool(origin, poolOptions);
        pool.on("disconnect", (_origin, _targets, error) => {
          // What undici makes of bytes after a whole body: a response that nobody asked for, or no response at all.
          if (error.message === "bad response" || /^HPE_/.test(error.code ?? "")) this.#hasExcess = true;
        });
        return pool;
      },
      proxyTunnel: false, // http goes to the proxy as such: many allow CONNECT to port 443 only
    };
    // The second warns on stderr that it is experimental, so it is made only where there is a proxy to use.
    this.dispatcher = proxies.length === 0 ? new Agent(options) : new EnvHttpProxyAgent(options);
  }

  /** Whether bytes came behind the announced end of a body since this was asked last; seen only if they came along with it. */
  takeExcess(): boolean {
    const hasExcess = this.#hasExcess;
    this.#hasExcess = false;
    return hasExcess;
  }

  destroy(): Promise<void> {
    return this.dispatcher.destroy();
  }
}

/** The value is not shown: it may hold a password. */
function checkProxy(name: string): void {
  const value = process.env[name] ?? "";
  if (URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)) return;
  throw new DownloadError(`${name}: not the address of a proxy that can be used.`, {
    cure: "Write it as http://host:port.",
  });
}
