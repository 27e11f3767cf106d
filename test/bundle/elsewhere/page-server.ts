/**
 * The server's side of `replay.js`: one page, the unpacked bundle that it reads, and the goldens that it sends back.
 */

import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { basename, dirname, extname, join } from "node:path";
import { buffer } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

const SCRIPT = fileURLToPath(new URL("./replay.js", import.meta.url));
const RUNTIME = dirname(createRequire(import.meta.url).resolve("onnxruntime-web/wasm"));
const TYPES: Readonly<Record<string, string>> = {
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
};
// Imported dynamically, so that a script which does not even load is told to the server like any other failure.
const PAGE = `<!doctype html><meta charset="utf-8"><title>replay</title>
<script type="importmap">{ "imports": { "onnxruntime-web/wasm": "/runtime/ort.wasm.min.mjs" } }</script>
<script type="module">
  const tell = (path, body) => fetch(path, { method: "POST", body });
  try {
    await (await import("/page/${basename(SCRIPT)}")).replay();
    await tell("/done");
  } catch (error) {
    await tell("/failed", String(error?.stack ?? error));
  }
</script>`;

export interface PageServer {
  readonly url: string;
  /** The goldens as the browser computes them, by file name; rejects with what the page says where it fails. */
  readonly replayed: Promise<ReadonlyMap<string, Uint8Array>>;
  close(): void;
}

/** @param folder an unpacked bundle. The caller closes the server. */
export async function servePage(folder: string): Promise<PageServer> {
  const goldens = new Map<string, Uint8Array>();
  const server = createServer();
  const replayed = new Promise<ReadonlyMap<string, Uint8Array>>((done, fail) => {
    server.on("request", async (request, response) => {
      if (request.method !== "POST") return give(request, response, { folder });
      const body = await buffer(request);
      const [, kind, name] = (request.url ?? "").split("/");
      if (kind === "replayed") goldens.set(name, body);
      else if (kind === "done") done(goldens);
      else fail(new Error(`the page failed: ${body.toString("utf8")}`));
      response.end();
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo; // a listening TCP server has no other kind
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${port}/`, replayed, close };
}

/** `/bundle/...`, `/page/...` and `/runtime/...`; anything else, or what is not there, is 404. */
async function give(request: IncomingMessage, response: ServerResponse, { folder }: { folder: string }): Promise<void> {
  const roots: Readonly<Record<string, string>> = { bundle: folder, page: dirname(SCRIPT), runtime: RUNTIME };
  // URL takes the dots out of a path, so that none leads out of the three folders.
  const { pathname } = new URL(request.url ?? "", "http://127.0.0.1");
  const [, root, ...rest] = pathname.split("/");
  if (pathname === "/") {
    response.setHeader("content-type", "text/html").end(PAGE);
    return;
  }
  try {
    const bytes = await readFile(join(roots[root], ...rest));
    response.setHeader("content-type", TYPES[extname(pathname)] ?? "application/octet-stream").end(bytes);
  } catch (error) {
    response.writeHead(404).end(String(error));
  }
}
