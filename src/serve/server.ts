/** The server: its routes, its limits, and how it ends. */

import multipart from "@fastify/multipart";
import swagger from "@fastify/swagger";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { type AccessOptions, guardAccess } from "./access.js";
import { answerErrors, TimeLimitError } from "./answer-errors.js";
import { addExplainRoutes } from "./explain-routes.js";
import { addMetrics } from "./metrics.js";
import { addInference } from "./open-inference.js";
import { addRegionRoutes } from "./region-routes.js";
import type { ServedModels } from "./served-models.js";
import { type WorkLimit, workLimit } from "./work-limit.js";

export interface ServerOptions extends AccessOptions {
  readonly version: string;
  /** Images that are explained at the same time. */
  readonly atOnce: number;
  /** Requests with work that are here at the same time; others are told to come again. */
  readonly inFlight: number;
  /** Bytes of a request's body. */
  readonly mostBytes: number;
  /** Pixels of an image. */
  readonly mostPixels: number;
  /** After which a request that waits is given up, milliseconds. */
  readonly timeLimitMs: number;
  /** One JSON object a line: every request, or the server's own failures alone; nothing by default. */
  readonly log?: { readonly stream: NodeJS.WritableStream; readonly level: "info" | "error" };
}

/** Does the work of requests within the server's limits. */
export interface Working {
  readonly limit: WorkLimit;
  /**
   * @throws InterruptedError where the client has gone before its work began; TimeLimitError where the wait was too
   *   long. Work that runs is finished, and dropped where nobody waits for it.
   */
  do<Value>(request: FastifyRequest, reply: FastifyReply, work: () => Promise<Value>): Promise<Value>;
}

/** For the body to arrive, milliseconds: a slow client holds a place no longer. */
const BODY_MS = 30_000;

/** @returns the server, not listening yet; the caller closes it, and then disposes the models. */
export async function createServer(models: ServedModels, options: ServerOptions): Promise<FastifyInstance> {
  const { mostBytes, mostPixels, timeLimitMs, log } = options;
  const server = fastify({
    bodyLimit: mostBytes,
    requestTimeout: BODY_MS,
    connectionTimeout: BODY_MS + timeLimitMs,
    forceCloseConnections: "idle",
    return503OnClosing: true,
    routerOptions: { maxParamLength: 200 },
    // Query parameters come as texts; a body is taken as it is.
    ajv: { customOptions: { coerceTypes: true, removeAdditional: false, allErrors: false } },
    ...(log && { logger: log }),
  });
  const limit = workLimit(options);
  const working = workingWithin(limit, timeLimitMs);
  // Answers are plain objects; their schemas are for readers.
  server.setSerializerCompiler(() => (data) => JSON.stringify(data));
  answerErrors(server);
  guardAccess(server, options);
  endConnections(server);
  boundRequests(server, limit);
  await server.register(multipart, { limits: { fileSize: mostBytes, files: 1, fields: 10, fieldSize: 1000 } });
  await server.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Aspectlens",
        description: "Answers of image classifiers, and the named aspects that they relied on.",
        version: options.version,
      },
      ...(options.token !== undefined && {
        components: { securitySchemes: { token: { type: "http" as const, scheme: "bearer" } } },
        security: [{ token: [] }],
      }),
    },
  });
  for (const type of [/^image\//, "application/octet-stream"])
    server.addContentTypeParser(type, { parseAs: "buffer" }, (_, body, done) => done(null, body));
  server.after(() => {
    addHealth(server);
    addMetrics(server, limit);
    addExplainRoutes(server, { models, working, mostPixels });
    addRegionRoutes(server, { models, working, mostPixels });
    addInference(server, { models, working, mostPixels, version: options.version });
    server.get("/openapi.json", { schema: { hide: true } }, async () => server.swagger());
  });
  await server.ready();
  return server;
}

function addHealth(server: FastifyInstance): void {
  const up = async () => ({ status: "UP" });
  for (const [url, summary] of [
    ["/healthz", "The process is there"],
    ["/readyz", "The models are open"],
    ["/", "The same for whoever asks for no page"],
  ])
    server.get(url, { schema: { tags: ["health"], summary } }, up);
}

/** When the server ends, whoever still gets an answer is told to ask no more on this connection, which would stay open. */
function endConnections(server: FastifyInstance): void {
  let isEnding = false;
  server.addHook("preClose", async () => {
    isEnding = true;
  });
  server.addHook("onSend", async (_, reply) => {
    if (isEnding) reply.header("connection", "close");
  });
}

/** One request too many is sent away before its body is read. */
function boundRequests(server: FastifyInstance, limit: WorkLimit): void {
  server.addHook("onRequest", async (request, reply) => {
    if (request.method !== "POST") return;
    const leave = limit.enter();
    if (leave) {
      reply.raw.once("close", leave);
      return;
    }
    return reply
      .code(503)
      .header("retry-after", String(limit.retryAfter))
      .send({ error: `${limit.inFlight} requests are here already; come again later.` });
  });
}

function workingWithin(limit: WorkLimit, timeLimitMs: number): Working {
  return {
    limit,
    async do(_, reply, work) {
      const gone = new AbortController();
      const giveUp = () => gone.abort();
      if (reply.raw.destroyed) giveUp();
      reply.raw.once("close", giveUp);
      const timer = setTimeout(giveUp, timeLimitMs);
      try {
        return await limit.run(work, gone.signal);
      } catch (error) {
        if (gone.signal.aborted && !reply.raw.destroyed)
          throw new TimeLimitError(`there was no time for this request within ${timeLimitMs / 1000} seconds.`);
        throw error;
      } finally {
        clearTimeout(timer);
        reply.raw.off("close", giveUp);
      }
    },
  };
}
