import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { ChecksumError, DownloadError, InterruptedError } from "../../src/core/errors.js";
import { type DownloadOptions, download } from "../../src/weights/download/download.js";
import { fingerprint, isolate, newFolder, noise, sendFile, serve, serveRaw } from "./server.js";

isolate();

const CONTENT = noise(300_000);
const EXPECTED = fingerprint(CONTENT);
/** Fast retries; the checksum is given only where a test says so. */
const FAST = { waitSeconds: 0.001, retries: 3 };

/** Downloads into a new folder. @returns the result or the error, and what the folder holds then. */
async function attempt(url: string, options: Partial<DownloadOptions> = {}) {
  const to = options.to ?? join(newFolder(), "file.bin");
  const result = await download(url, { ...FAST, ...options, to }).catch((error: unknown) => error);
  const files = readdirSync(join(to, "..")).sort();
  const message = result instanceof Error ? result.message : "";
  return { to, result, message, files, content: existsSync(to) ? readFileSync(to) : undefined };
}

const numbers = (text: string | undefined) => Number(/\d+/.exec(text ?? "")?.[0]);

describe("a file that comes", () => {
  test("lies under its name with its checksum, and nothing else does", async () => {
    const server = await serve((request, response) => sendFile(request, response, { content: CONTENT }));
    const seen: [number, number | undefined][] = [];
    const { result, files, content } = await attempt(`${server.base}/file.bin`, {
      expected: EXPECTED,
      onProgress: (done, all) => seen.push([done, all]),
    });
    expect(result).toEqual(EXPECTED);
    expect(content?.equals(CONTENT)).toBe(true);
    expect(files).toEqual(["file.bin"]);
    expect(seen.at(-1)).toEqual([300_000, 300_000]);
    expect(server.asked[0].headers["accept-encoding"]).toBe("identity");
  });

  test("may be of unknown length", async () => {
    const server = await serve((_, response) => {
      response.write(CONTENT.subarray(0, 1000));
      response.end(CONTENT.subarray(1000)); // chunked
    });
    const seen: (number | undefined)[] = [];
    const { result } = await attempt(`${server.base}/x`, { onProgress: (_, all) => seen.push(all) });
    expect(result).toEqual(EXPECTED);
    expect(new Set(seen)).toEqual(new Set([undefined]));
  });

  test("replaces an older one, and follows redirects", async () => {
    const server = await serve((request, response) => {
      if (request.url === "/moved") response.writeHead(302, { location: "../here" }).end();
      else sendFile(request, response, { content: CONTENT });
    });
    const to = join(newFolder(), "file.bin");
    writeFileSync(to, "old");
    const { result, content } = await attempt(`${server.base}/moved`, { to });
    expect(result).toEqual(EXPECTED);
    expect(content?.equals(CONTENT)).toBe(true);
    expect(server.asked.map(({ url }) => url)).toEqual(["/moved", "/here"]);
  });

  test("is read from disk for a file: address, and checked just so", async () => {
    const folder = newFolder();
    writeFileSync(join(folder, "a file.bin"), CONTENT);
    const url = pathToFileURL(join(folder, "a file.bin")).href;
    expect((await attempt(`${url}?tfjs-format=file`, { expected: EXPECTED })).content?.equals(CONTENT)).toBe(true);
    const wrong = await attempt(url, { expected: { ...EXPECTED, sha256: "0".repeat(64) } });
    expect(wrong.result).toBeInstanceOf(ChecksumError);
    expect(wrong.files).toEqual([]);
    for (const missing of [`${url}.none`, pathToFileURL(folder).href, "file:///a%2fb"]) {
      const { result, message, files } = await attempt(missing);
      expect(result).toBeInstanceOf(DownloadError);
      expect(message).toMatch(/: cannot be read: .+\. Check the path\.$/);
      expect(files).toEqual([]);
    }
  });
});

describe("a broken connection", () => {
  test("is taken up where it broke: few bytes are sent twice", async () => {
    let sent = 0;
    const server = await serve((request, response, count) => {
      const manners = count <= 3 ? { breakAfter: 70_000 } : {};
      sent += sendFile(request, response, { content: CONTENT, etag: '"one"', ...manners });
    });
    const { result, content } = await attempt(`${server.base}/x`);
    expect(result).toEqual(EXPECTED);
    expect(content?.equals(CONTENT)).toBe(true);
    const [first, ...later] = server.asked;
    expect(first.range).toBeUndefined();
    expect(later).toHaveLength(3);
    expect(later.map(({ ifRange }) => ifRange)).toEqual(['"one"', '"one"', '"one"']);
    const starts = later.map(({ range }) => numbers(range));
    expect(starts[0]).toBeGreaterThan(0);
    expect(starts).toEqual([...starts].sort((a, b) => a - b));
    expect(sent).toBeLessThan(CONTENT.length * 1.7); // from the start each time: 70,000 x 3 + 300,000 = 1.7
    expect(sent - CONTENT.length).toBe(3 * 70_000 - starts[2]); // what was out, less what had been kept
  });

  test("is resumed by the date where the ETag is weak, and begun anew where nothing proves the file", async () => {
    const lastModified = "Wed, 21 Oct 2015 07:28:00 GMT";
    for (const [manners, ifRange] of [
      [{ etag: 'W/"weak"', lastModified }, lastModified],
      [{ etag: 'W/"weak"' }, undefined],
      [{}, undefined],
    ] as const) {
      const server = await serve((request, response, count) => {
        sendFile(request, response, { content: CONTENT, ...manners, breakAfter: count === 1 ? 100_000 : undefined });
      });
      const { content } = await attempt(`${server.base}/x`);
      expect(content?.equals(CONTENT)).toBe(true);
      expect(server.asked[1].ifRange).toBe(ifRange);
      expect(server.asked[1].range === undefined).toBe(ifRange === undefined);
    }
  });

  test("is resumed without proof where a checksum is known, and begun anew once if the seam was wrong", async () => {
    const other = noise(300_000, "other");
    const server = await serve((request, response, count) => {
      const content = count === 1 ? other : CONTENT; // the file changes meanwhile, and the server cannot tell
      sendFile(request, response, { content, breakAfter: count === 1 ? 100_000 : undefined });
    });
    const { result, content } = await attempt(`${server.base}/x`, { expected: EXPECTED });
    expect(result).toEqual(EXPECTED);
    expect(content?.equals(CONTENT)).toBe(true);
    expect(server.asked.map(({ range }) => range !== undefined)).toEqual([false, true, false]);
  });

  test("ends in one line after the last retry; the part stays", async () => {
    const server = await serve((request, response) =>
      sendFile(request, response, { content: CONTENT, etag: '"one"', breakAfter: 10_000 }),
    );
    const { result, message, files, to } = await attempt(`${server.base}/x`, { retries: 2 });
    expect(result).toBeInstanceOf(DownloadError);
    expect(server.asked).toHaveLength(3);
    expect(message).toMatch(
      /broke \(.+\), 3 times in a row\. \d+ bytes stay in .*file\.bin\.part; the same command continues from there\.$/,
    );
    expect(message).toContain(to);
    expect(files).toEqual(["file.bin.part", "file.bin.part.json"]);
  });

  test("may break more often than there are retries, as long as the file grows", async () => {
    const content = noise(3 * 2 ** 20);
    const server = await serve((request, response) =>
      sendFile(request, response, { content, etag: '"one"', breakAfter: 1.2 * 2 ** 20 }),
    );
    const { result } = await attempt(`${server.base}/x`, { retries: 1 });
    expect(result).toEqual(fingerprint(content));
    expect(server.asked).toHaveLength(3);
  });
});

describe("a server of bad manners", () => {
  test("that ignores Range begins anew", async () => {
    const server = await serve((_, response, count) => {
      response.setHeader("etag", '"one"');
      response.setHeader("content-length", CONTENT.length);
      if (count === 1) response.write(CONTENT.subarray(0, 100_000), () => response.socket?.end());
      else response.end(CONTENT);
    });
    const { result, content } = await attempt(`${server.base}/x`);
    expect(result).toEqual(EXPECTED);
    expect(content?.equals(CONTENT)).toBe(true);
    expect(numbers(server.asked[1].range)).toBeGreaterThan(0);
    expect(server.asked).toHaveLength(2);
  });

  test("whose file changes between attempts begins anew, whether it heeds If-Range or not", async () => {
    const older = noise(300_000, "older");
    for (const heeds of [true, false]) {
      const server = await serve((request, response, count) => {
        if (!heeds) delete request.headers["if-range"];
        if (count === 1) sendFile(request, response, { content: older, etag: '"old"', breakAfter: 100_000 });
        else sendFile(request, response, { content: CONTENT, etag: '"new"' });
      });
      const { content } = await attempt(`${server.base}/x`); // no checksum: only the ETag tells
      expect(content?.equals(CONTENT)).toBe(true);
      expect(server.asked.map(({ range }) => range !== undefined)).toEqual(
        heeds ? [false, true] : [false, true, false],
      );
    }
  });

  test.each([
    ["goes on elsewhere", "bytes 5-299999/300000"],
    ["speaks of a file of another length", "bytes HERE-399999/400000"],
    ["gives no place", undefined],
  ])("whose 206 %s begins anew", async (_, contentRange) => {
    const server = await serve((request, response, count) => {
      if (count !== 2) {
        sendFile(request, response, { content: CONTENT, etag: '"one"', breakAfter: count === 1 ? 100_000 : undefined });
        return;
      }
      const start = String(numbers(request.headers.range));
      if (contentRange !== undefined) response.setHeader("content-range", contentRange.replace("HERE", start));
      response.writeHead(206).end("wrong bytes");
    });
    const { content } = await attempt(`${server.base}/x`);
    expect(content?.equals(CONTENT)).toBe(true);
    expect(server.asked.map(({ range }) => range !== undefined)).toEqual([false, true, false]);
  });

  test("that gives a range in pieces is asked for one after the other", async () => {
    const server = await serve((request, response, count) => {
      if (count === 1) {
        sendFile(request, response, { content: CONTENT, etag: '"one"', breakAfter: 100_000 });
        return;
      }
      const start = numbers(request.headers.range);
      const body = CONTENT.subarray(start, start + 120_000);
      const end = start + body.length - 1;
      response.writeHead(206, { "content-range": `bytes ${start}-${end}/300000` }).end(body);
    });
    const { result } = await attempt(`${server.base}/x`); // no checksum: only the length tells
    expect(result).toEqual(EXPECTED);
    expect(server.asked.length).toBeGreaterThanOrEqual(3);
  });

  test("that answers 416 begins anew", async () => {
    const server = await serve((request, response, count) => {
      if (count === 2) response.writeHead(416).end();
      else
        sendFile(request, response, { content: CONTENT, etag: '"one"', breakAfter: count === 1 ? 100_000 : undefined });
    });
    const { content } = await attempt(`${server.base}/x`);
    expect(content?.equals(CONTENT)).toBe(true);
    expect(server.asked).toHaveLength(3);
  });

  test("that sends fewer bytes than announced is asked again, then told of", async () => {
    const short = Buffer.concat([
      Buffer.from("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"),
      CONTENT.subarray(0, 600),
    ]);
    const server = await serveRaw(() => short);
    const { result, message, files } = await attempt(`${server.base}/x`, { retries: 2 });
    expect(result).toBeInstanceOf(DownloadError);
    expect(message).toMatch(/3 times in a row\. 600 bytes stay/);
    expect(server.requests).toHaveLength(3);
    expect(files).not.toContain("file.bin");
  });

  test("that sends more bytes than announced is asked again, then told of; nothing is kept", async () => {
    const long = Buffer.concat([
      Buffer.from("HTTP/1.1 200 OK\r\nContent-Length: 600\r\n\r\n"),
      CONTENT.subarray(0, 1000),
    ]);
    const server = await serveRaw(() => long);
    const { result, message, files } = await attempt(`${server.base}/x`, { retries: 2 });
    expect(result).toBeInstanceOf(DownloadError);
    expect(message).toMatch(/sent more bytes than it announced, 3 times in a row\./);
    expect(server.requests).toHaveLength(3);
    expect(files).toEqual([]);
  });

  test("that once sends more, then right, is forgiven", async () => {
    const server = await serveRaw((_, count) =>
      Buffer.concat([
        Buffer.from("HTTP/1.1 200 OK\r\nContent-Length: 600\r\n\r\n"),
        CONTENT.subarray(0, count === 1 ? 700 : 600),
      ]),
    );
    expect((await attempt(`${server.base}/x`)).result).toEqual(fingerprint(CONTENT.subarray(0, 600)));
  });

  test("whose continuation is longer than the file is asked for the whole", async () => {
    const server = await serve((request, response, count) => {
      if (count !== 2) {
        sendFile(request, response, { content: CONTENT, etag: '"one"', breakAfter: count === 1 ? 100_000 : undefined });
        return;
      }
      const start = numbers(request.headers.range);
      response.writeHead(206, { "content-range": `bytes ${start}-299999/300000` }).end(CONTENT); // the whole again
    });
    const { content } = await attempt(`${server.base}/x`);
    expect(content?.equals(CONTENT)).toBe(true);
    expect(server.asked.map(({ range }) => range !== undefined)).toEqual([false, true, false]);
  });

  test("that sends nothing, or compresses unasked, is told of", async () => {
    const server = await serve((request, response) => {
      if (request.url === "/zip") response.writeHead(200, { "content-encoding": "gzip" });
      response.end();
    });
    expect((await attempt(`${server.base}/empty`, { retries: 0 })).message).toMatch(/sent an empty file/);
    expect((await attempt(`${server.base}/zip`)).message).toMatch(/comes compressed \(gzip\)/);
    expect(server.asked).toHaveLength(2);
  });

  test("that stalls, before or within the body, is left and asked again", async () => {
    const server = await serve((request, response, count) => {
      if (count === 1) return;
      if (count === 3) sendFile(request, response, { content: CONTENT, etag: '"one"' });
      else
        response.writeHead(200, { "content-length": CONTENT.length, etag: '"one"' }).write(CONTENT.subarray(0, 50_000));
    });
    const { content } = await attempt(`${server.base}/x`, { timeoutSeconds: 0.2 });
    expect(content?.equals(CONTENT)).toBe(true);
    expect(server.asked[2].range).toBe("bytes=50000-");
    const silent = await serve(() => {});
    const { result, message } = await attempt(`${silent.base}/x`, { timeoutSeconds: 0.1, retries: 1 });
    expect(result).toBeInstanceOf(DownloadError);
    expect(message).toMatch(/nothing came from 127\.0\.0\.1:\d+ for 0\.1 s, 2 times in a row/);
  });
});

describe("what is not the file", () => {
  test("a wrong checksum names both, leaves nothing new and an older file as it was", async () => {
    const server = await serve((request, response) => sendFile(request, response, { content: CONTENT }));
    const to = join(newFolder(), "file.bin");
    writeFileSync(to, "old");
    const expected = fingerprint(noise(300_000, "other"));
    const { result, message, files, content } = await attempt(`${server.base}/x`, { to, expected });
    expect(result).toBeInstanceOf(ChecksumError);
    for (const part of [EXPECTED.sha256, expected.sha256, `${server.base}/x`, to]) expect(message).toContain(part);
    expect(server.asked).toHaveLength(1);
    expect(files).toEqual(["file.bin"]);
    expect(content?.toString()).toBe("old");
  });

  test("what is larger than the lock knows is stopped there, with or without an announced length, and on disk", async () => {
    const server = await serve((_, response) => {
      response.on("error", () => {});
      const more = () => {
        while (!response.destroyed && response.write(CONTENT)); // without end
        if (!response.destroyed) response.once("drain", more);
      };
      more();
    });
    const endless = await attempt(`${server.base}/x`, { expected: EXPECTED });
    expect(endless.result).toBeInstanceOf(ChecksumError);
    expect(endless.message).toMatch(/\/x has more bytes, expected [0-9a-f]{64} \(\d+ bytes\); nothing was kept/);
    expect(endless.files).toEqual([]);
    const path = join(newFolder(), "large.bin");
    writeFileSync(path, Buffer.concat([CONTENT, CONTENT, CONTENT, CONTENT]));
    const onDisk = await attempt(pathToFileURL(path).href, { expected: EXPECTED });
    expect(onDisk.message).toMatch(/has more bytes, expected/);
  });

  test.each([
    [404, /there is no such file \(status 404\)/, 1],
    [403, /the server refuses it \(status 403\).*--mirror/, 1],
    [204, /an unexpected answer \(status 204\)/, 1],
    [500, /has trouble \(status 500\), 4 times in a row/, 4],
  ])("status %i is told in one line", async (status, text, asked) => {
    const server = await serve((_, response) => response.writeHead(status).end());
    const { result, message, files } = await attempt(`${server.base}/x`);
    expect(result).toBeInstanceOf(DownloadError);
    expect(message).toMatch(text);
    expect(message).not.toContain("\n");
    expect(server.asked).toHaveLength(asked);
    expect(files).toEqual([]);
  });

  test("status 500 and 429 may pass; the wait that the server asks for is kept", async () => {
    const times: number[] = [];
    const server = await serve((request, response, count) => {
      times.push(performance.now());
      if (count === 1) response.writeHead(500).end();
      else if (count === 2) response.writeHead(429, { "retry-after": "1" }).end();
      else sendFile(request, response, { content: CONTENT });
    });
    expect((await attempt(`${server.base}/x`)).result).toEqual(EXPECTED);
    expect(times[1] - times[0]).toBeLessThan(500);
    expect(times[2] - times[1]).toBeGreaterThan(990);
  });

  test("a web page is called one, and costs no bytes that were there", async () => {
    const page = "<!DOCTYPE html><html><body>Log in, please</body></html>";
    let isCaptive = false;
    const server = await serve((request, response) => {
      if (isCaptive) response.writeHead(200, { "content-type": "text/html" }).end(page);
      else sendFile(request, response, { content: CONTENT, etag: '"one"', breakAfter: 100_000 });
    });
    const to = join(newFolder(), "file.bin");
    await attempt(`${server.base}/x`, { to, retries: 0 });
    const before = readFileSync(`${to}.part`);
    isCaptive = true;
    const { result, message, files } = await attempt(`${server.base}/x`, { to });
    expect(result).toBeInstanceOf(DownloadError);
    expect(message).toMatch(/a web page came instead of the file/);
    expect(files).toEqual(["file.bin.part", "file.bin.part.json"]);
    expect(before.length).toBeGreaterThan(0);
    expect(readFileSync(`${to}.part`).equals(before)).toBe(true);
    expect(server.asked).toHaveLength(2);
  });

  test("a page is known without its type, and bytes of the wrong type are no page", async () => {
    const server = await serve((request, response) => {
      if (request.url === "/page") response.end("\n<html><head>");
      else response.writeHead(200, { "content-type": "text/html" }).end(CONTENT);
    });
    expect((await attempt(`${server.base}/page`)).message).toMatch(/a web page came/);
    expect((await attempt(`${server.base}/bytes`)).result).toEqual(EXPECTED);
  });

  test("redirects in a circle, to nowhere and to other kinds of address are refused", async () => {
    const server = await serve((request, response) => {
      const location =
        request.url === "/circle" ? "/circle" : request.url === "/file" ? "file:///etc/hosts" : "http://";
      response.writeHead(301, { location }).end();
    });
    expect((await attempt(`${server.base}/circle`)).message).toMatch(/is redirected more than 5 times/);
    expect(server.asked).toHaveLength(6);
    expect((await attempt(`${server.base}/file`)).message).toMatch(/is redirected to file:/);
    expect((await attempt(`${server.base}/bad`)).message).toMatch(/is redirected to nowhere/);
  });

  test("an address of another kind, or with a password, is refused and the password not shown", async () => {
    expect((await attempt("ftp://a.example/x")).message).toMatch(/^ftp:\/\/a\.example\/x: not an address/);
    const { message } = await attempt("https://user:secret@a.example/x");
    expect(message).toMatch(/^a\.example: a user and password/);
    expect(message).not.toContain("secret");
  });

  test("a place that cannot be written is named", async () => {
    const folder = newFolder();
    writeFileSync(join(folder, "file"), "");
    const error = await download("http://127.0.0.1:1/x", { to: join(folder, "file", "x") }).catch((caught) => caught);
    expect(error).toBeInstanceOf(DownloadError);
    expect(error.message).toMatch(/x\.part: cannot be written: .+\. Choose another place/);
  });
});

describe("no network", () => {
  test("is told at once, with the host and the ways around", async () => {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const address = server.address() as { port: number };
    await new Promise((done) => server.close(done)); // a port that surely refuses
    for (const host of [`127.0.0.1:${address.port}`, "weights.invalid"]) {
      const begun = performance.now();
      const { result, message, files } = await attempt(`http://${host}/x`, { waitSeconds: 10 });
      expect(performance.now() - begun).toBeLessThan(5000);
      expect(result).toBeInstanceOf(DownloadError);
      expect(message.startsWith(`${host} cannot be reached`)).toBe(true);
      for (const way of ["HTTPS_PROXY", "--mirror", "weights import", "built-in trunk"]) expect(message).toContain(way);
      expect(message).not.toContain("\n");
      expect(files).toEqual([]);
    }
  });
});

describe("an interruption", () => {
  /** A server that holds back the rest of the first answer, and a signal that aborts when half has come. */
  async function interrupted(manners: { etag?: string } = { etag: '"one"' }) {
    const server = await serve((request, response, count) => {
      if (count > 1) sendFile(request, response, { content: CONTENT, ...manners });
      else
        response.writeHead(200, { "content-length": CONTENT.length, ...manners }).write(CONTENT.subarray(0, 150_000));
    });
    const controller = new AbortController();
    const outcome = await attempt(`${server.base}/x`, {
      signal: controller.signal,
      onProgress: (done) => done >= 150_000 && controller.abort(),
    });
    return { server, ...outcome };
  }

  test("ends the call, and a later call goes on from the part", async () => {
    const { server, to, result, message, files } = await interrupted();
    expect(result).toBeInstanceOf(InterruptedError);
    expect(message).toMatch(/150000 bytes stay in .*file\.bin\.part; the same command continues from there\.$/);
    expect(files).toEqual(["file.bin.part", "file.bin.part.json"]);
    const later = await attempt(`${server.base}/x`, { to });
    expect(later.result).toEqual(EXPECTED);
    expect(later.files).toEqual(["file.bin"]);
    expect(server.asked.map(({ range, ifRange }) => [range, ifRange])).toEqual([
      [undefined, undefined],
      ["bytes=150000-", '"one"'],
    ]);
  });

  test("leaves a part that is used for no other address, and not without its note", async () => {
    for (const spoil of ["address", "note"]) {
      const { server, to } = await interrupted();
      if (spoil === "note") writeFileSync(`${to}.part.json`, '{"url": "http');
      const { result } = await attempt(`${server.base}/${spoil === "address" ? "other" : "x"}`, { to });
      expect(result).toEqual(EXPECTED);
      expect(server.asked[1].range).toBeUndefined();
    }
  });

  test("leaves a part that a failure at another address does not cost", async () => {
    const { server, to } = await interrupted();
    const lost = await serve((_, response) => response.writeHead(404).end());
    const { files } = await attempt(`${lost.base}/x`, { to });
    expect(files).toEqual(["file.bin.part", "file.bin.part.json"]);
    expect((await attempt(`${server.base}/x`, { to })).result).toEqual(EXPECTED);
    expect(server.asked[1].range).toBe("bytes=150000-");
  });

  test("of a file begun anew leaves no byte of the older one", async () => {
    const { to } = await interrupted();
    const newer = noise(300_000, "newer");
    const server = await serve((request, response) =>
      sendFile(request, response, { content: newer, etag: '"two"', breakAfter: 1000 }),
    );
    await attempt(`${server.base}/x`, { to, retries: 0 });
    expect(readFileSync(`${to}.part`).equals(newer.subarray(0, 1000))).toBe(true);
  });

  test("leaves a part that is mended where it was spoilt and the checksum is known", async () => {
    const { server, to } = await interrupted();
    writeFileSync(`${to}.part`, noise(150_000, "spoilt"));
    expect((await attempt(`${server.base}/x`, { to, expected: EXPECTED })).result).toEqual(EXPECTED);
    expect(server.asked.map(({ range }) => range)).toEqual([undefined, "bytes=150000-", undefined]);
  });

  test("ends a wait as well, and a signal that has aborted already asks for nothing", async () => {
    const controller = new AbortController();
    // Once the answer is out and the wait before the next try has begun, however slow the machine is.
    const server = await serve((_, response) => {
      response.writeHead(500).end();
      setTimeout(() => controller.abort(), 50);
    });
    const begun = performance.now();
    const { result } = await attempt(`${server.base}/x`, { signal: controller.signal, waitSeconds: 30 });
    expect(result).toBeInstanceOf(InterruptedError);
    expect(performance.now() - begun).toBeLessThan(2000);
    const { result: early, files } = await attempt(`${server.base}/x`, { signal: AbortSignal.abort() });
    expect(early).toBeInstanceOf(InterruptedError);
    expect(server.asked).toHaveLength(1);
    expect(files).toEqual([]);
  });
});

test("a folder at the file's name is told, and the part stays", async () => {
  const server = await serve((request, response) => sendFile(request, response, { content: CONTENT }));
  const to = join(newFolder(), "file.bin");
  mkdirSync(join(to, "inside"), { recursive: true });
  const { message } = await download(`${server.base}/x`, { to }).catch((caught) => caught);
  expect(message).toMatch(/file\.bin: cannot be written/);
  expect(readFileSync(`${to}.part`).equals(CONTENT)).toBe(true);
});
