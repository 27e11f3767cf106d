/** Local servers whose manners a test chooses, and which remember what they were asked. */

import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createSocketServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, vi } from "vitest";

/** Bytes that repeat nowhere, so that a seam at the wrong place shows. */
export function noise(bytes: number, seed = "noise"): Buffer {
  return createHash("shake256", { outputLength: bytes }).update(seed).digest();
}

export function fingerprint(content: Uint8Array): { sha256: string; bytes: number } {
  return { sha256: createHash("sha256").update(content).digest("hex"), bytes: content.length };
}

const folders: string[] = [];

/** Removed after the file's tests, where they call `isolate`. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "weights-"));
  folders.push(folder);
  return folder;
}

export interface Asked {
  readonly url: string;
  readonly range: string | undefined;
  readonly ifRange: string | undefined;
  readonly headers: IncomingMessage["headers"];
}

export interface LocalServer {
  readonly base: string;
  readonly asked: Asked[];
}

const open: { server: Server; sockets: Set<Socket> }[] = [];

async function listen(server: Server): Promise<string> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  open.push({ server, sockets });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A server that answers by `listener(request, response, number of the request)`. */
export async function serve(
  listener: (request: IncomingMessage, response: ServerResponse, count: number) => void,
): Promise<LocalServer> {
  const asked: Asked[] = [];
  const base = await listen(
    createServer((request, response) => {
      const { range, "if-range": ifRange } = request.headers;
      const url = request.url ?? "";
      asked.push({ url, range, ifRange: ifRange as string | undefined, headers: request.headers });
      listener(request, response, asked.length);
    }),
  );
  return { base, asked };
}

/** A server that writes these bytes to whoever connects and asks, then closes soon after. */
export async function serveRaw(
  answer: (request: string, count: number) => Buffer,
): Promise<{ base: string; requests: string[] }> {
  const requests: string[] = [];
  const base = await listen(
    createSocketServer((socket) => {
      socket.on("data", (data) => {
        requests.push(data.toString("latin1"));
        socket.write(answer(data.toString("latin1"), requests.length));
        setTimeout(() => socket.end(), 5);
      });
    }),
  );
  return { base, requests };
}

/** An HTTP proxy: forwards plain requests, and answers CONNECT with `connectStatus`. */
export async function serveProxy(
  connectStatus: number,
): Promise<{ base: string; forwarded: string[]; tunnels: string[] }> {
  const forwarded: string[] = [];
  const tunnels: string[] = [];
  const listener: RequestListener = (request, response) => {
    forwarded.push(request.url ?? "");
    response.end(`by the proxy: ${request.url}`);
  };
  const server = createServer(listener);
  server.on("connect", (request, socket) => {
    tunnels.push(request.url ?? "");
    socket.end(`HTTP/1.1 ${connectStatus} No\r\n\r\n`);
  });
  return { base: await listen(server), forwarded, tunnels };
}

export interface Manners {
  readonly etag?: string;
  readonly lastModified?: string;
  /** Cuts the connection when so many bytes of this answer are out. */
  readonly breakAfter?: number;
}

/** Answers as a good file server does (RFC 9110: Range, If-Range, 206, 416), but for `breakAfter`. @returns the bytes sent. */
export function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  { content, etag, lastModified, breakAfter }: Manners & { content: Buffer },
): number {
  const ifRange = request.headers["if-range"];
  const asked = /^bytes=(\d+)-$/.exec(request.headers.range ?? "");
  const isSame = ifRange === undefined || ifRange === etag || ifRange === lastModified;
  const from = asked !== null && isSame ? Number(asked[1]) : 0;
  if (etag !== undefined) response.setHeader("etag", etag);
  if (lastModified !== undefined) response.setHeader("last-modified", lastModified);
  if (from >= content.length) {
    response.writeHead(416, { "content-range": `bytes */${content.length}` }).end();
    return 0;
  }
  if (from > 0) {
    response.statusCode = 206;
    response.setHeader("content-range", `bytes ${from}-${content.length - 1}/${content.length}`);
  }
  const body = content.subarray(from);
  response.setHeader("content-length", body.length);
  if (breakAfter === undefined || breakAfter >= body.length) {
    response.end(body);
    return body.length;
  }
  // The socket ends in order, so that what was written arrives, and the client sees that it is too little.
  response.write(body.subarray(0, breakAfter), () => response.socket?.end());
  return breakAfter;
}

const PROXY_VARIABLES = ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY"];

/** For each test: no proxy of this machine, and after it no server left. */
export function isolate(): void {
  afterAll(() => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(() => {
    for (const name of PROXY_VARIABLES) vi.stubEnv(name, undefined);
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    for (const { server, sockets } of open.splice(0)) {
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => server.close(done));
    }
  });
}
