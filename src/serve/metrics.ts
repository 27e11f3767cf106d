/** What the server counts, in the text format of Prometheus. */

import type { FastifyInstance } from "fastify";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { WorkLimit } from "./work-limit.js";

/** From a small model on a good machine to a large one on a busy one, seconds. */
const BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export function addMetrics(server: FastifyInstance, limit: WorkLimit): void {
  const registers = [new Registry()];
  const [registry] = registers;
  collectDefaultMetrics({ register: registry });
  const requests = new Counter({
    name: "aspectlens_requests_total",
    help: "Requests that were answered, by route and status",
    labelNames: ["route", "status"],
    registers,
  });
  const seconds = new Histogram({
    name: "aspectlens_request_seconds",
    help: "From the first byte of a request to the last of its answer, by route",
    labelNames: ["route"],
    buckets: BUCKETS,
    registers,
  });
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
  gauge("aspectlens_in_flight", "Requests with work that are being received, wait or run", () => limit.inFlight);
  gauge("aspectlens_waiting", "Requests whose work waits for a place", () => limit.waiting);
  server.addHook("onResponse", async (request, reply) => {
    // The route's pattern: what clients send must not become labels.
    const route = request.routeOptions.url ?? "none";
    requests.inc({ route, status: reply.statusCode });
    seconds.observe({ route }, reply.elapsedTime / 1000);
  });
  server.get(
    "/metrics",
    { schema: { tags: ["health"], summary: "Metrics in the text format of Prometheus" } },
    async (_, reply) => reply.type(registry.contentType).send(await registry.metrics()),
  );
}
