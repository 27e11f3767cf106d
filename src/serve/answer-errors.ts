/** What a client is told of an error: its own fault in our words, ours without a word of what lies on this machine. */

import type { FastifyInstance } from "fastify";
import { BundleError, InputError, InterruptedError } from "../core/errors.js";
import { messageLine } from "../core/terminal.js";
import { TooLargeError } from "./request-image.js";
import { UnknownModelError } from "./served-models.js";

/** A request that took longer than the server's limit. */
export class TimeLimitError extends Error {
  override name = "TimeLimitError";
}

/** Every answer to an error is `{ "error": "one line" }`. */
export function answerErrors(server: FastifyInstance): void {
  server.setErrorHandler((error: Error & { statusCode?: number; validation?: unknown }, request, reply) => {
    const status = statusOf(error);
    if (status >= 500) request.log.error({ err: error }, "request failed");
    if (error instanceof TimeLimitError) reply.header("retry-after", "10");
    const message = status >= 500 && !(error instanceof TimeLimitError) ? OURS : messageLine(error.message);
    return reply.code(status).send({ error: message });
  });
  server.setNotFoundHandler((_, reply) =>
    reply.code(404).send({ error: "there is no such route; see /openapi.json." }),
  );
}

const OURS = "the server failed on this request; its log says why.";

function statusOf(error: Error & { statusCode?: number }): number {
  if (error instanceof UnknownModelError) return 404;
  if (error instanceof TooLargeError) return 413;
  if (error instanceof TimeLimitError) return 503;
  if (error instanceof InterruptedError) return 499; // nobody hears it
  if (error instanceof BundleError) return 500;
  if (error instanceof InputError) return 400;
  const { statusCode } = error;
  return statusCode !== undefined && statusCode >= 400 && statusCode < 500 ? statusCode : 500;
}
