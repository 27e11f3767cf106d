/** Who may ask: the token, the host that is asked for, other sites; and the headers that keep a page safe. */

import { createHash, timingSafeEqual } from "node:crypto";
import type { FastifyInstance, FastifyRequest } from "fastify";

export interface AccessOptions {
  /** Asked for by all routes but the health checks; none by default. */
  readonly token?: string;
  /** Origins of other sites that may ask from a browser; none by default. */
  readonly origins?: readonly string[];
  /** Only requests for this machine itself, by name, are answered: no foreign site's name leads here. */
  readonly isLocal: boolean;
}

const OPEN = ["/healthz", "/readyz"];
const LOCAL = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i;

const HEADERS = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "content-security-policy":
    "default-src 'none'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; script-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  "cache-control": "no-store",
};

export function guardAccess(server: FastifyInstance, { token, origins = [], isLocal }: AccessOptions): void {
  const wanted = token === undefined ? undefined : digest(token);
  server.addHook("onRequest", async (request, reply) => {
    reply.headers(HEADERS);
    const { origin, host = "" } = request.headers;
    if (isLocal && !LOCAL.test(host))
      return reply.code(403).send({ error: "this server answers requests to localhost alone; start it with --host." });
    if (origin !== undefined && origins.includes(origin)) {
      reply.headers({ "access-control-allow-origin": origin, vary: "Origin" });
      if (request.method === "OPTIONS")
        return reply
          .headers({
            "access-control-allow-methods": "GET, POST",
            "access-control-allow-headers": "authorization, content-type, inference-header-content-length",
          })
          .code(204)
          .send();
    }
    if (wanted === undefined || OPEN.includes(pathOf(request))) return;
    const given = tokenOf(request.headers.authorization);
    if (given !== undefined && timingSafeEqual(digest(given), wanted)) return;
    return reply
      .code(401)
      .header("www-authenticate", 'Basic realm="aspectlens", charset="UTF-8"')
      .send({ error: "a token is needed: Authorization: Bearer TOKEN, or the token as the password." });
  });
}

function pathOf({ url }: FastifyRequest): string {
  return url.split("?")[0];
}

/** Of `Bearer TOKEN`, or of `Basic`, whose password it is. */
function tokenOf(authorization: string | undefined): string | undefined {
  const [, scheme = "", value = ""] = /^(\S+)\s+(\S+)$/.exec(authorization ?? "") ?? [];
  if (/^(bearer|token)$/i.test(scheme)) return value;
  if (!/^basic$/i.test(scheme)) return undefined;
  const pair = Buffer.from(value, "base64").toString("utf8");
  const colon = pair.indexOf(":");
  return colon < 0 ? undefined : pair.slice(colon + 1);
}

/** Of one length, whatever the token's. */
function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
