import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { ChecksumError, InputError } from "../../src/core/errors.js";
import { lockFiles, readLock } from "../../src/weights/download/download-lock.js";
import { type FetchOptions, fetchFiles } from "../../src/weights/download/fetch-files.js";
import { fingerprint, isolate, newFolder, noise, serve } from "./server.js";

isolate();

const FILES: Record<string, Buffer> = {
  "/m/model.json": Buffer.from("{}"),
  "/m/shard1": noise(5000),
  "/m/shard2": noise(700),
};

const serveFiles = (files = FILES) =>
  serve((request, response) => {
    const content = files[(request.url ?? "").split("?")[0]];
    if (content === undefined) response.writeHead(404).end();
    else response.end(content);
  });

const place = () => {
  const folder = newFolder();
  return { folder: join(folder, "model"), lock: join(folder, "lock.json"), retries: 0 };
};

/** As a pull does once the files have proved good. */
async function fetchAndLock(addresses: readonly string[], options: FetchOptions) {
  const fetched = await fetchFiles(addresses, options);
  await lockFiles(options.lock, new Map(fetched.map(({ address, sha256, bytes }) => [address, { sha256, bytes }])));
  return fetched;
}

test("files are named by their paths, and locked under their addresses; two calls share one lock", async () => {
  const server = await serveFiles();
  const options = place();
  const seen = new Set<string>();
  const [model] = await fetchAndLock([`${server.base}/m/model.json?tfjs-format=file`], options);
  expect(model.path).toBe(join(options.folder, "model.json"));
  const shards = await fetchAndLock([`${server.base}/m/shard2`, `${server.base}/m/shard1`], {
    ...options,
    onProgress: (name) => seen.add(name),
  });
  expect(shards.map(({ bytes }) => bytes)).toEqual([700, 5000]);
  expect([...seen]).toEqual(["shard2", "shard1"]);
  expect(readdirSync(options.folder).sort()).toEqual(["model.json", "shard1", "shard2"]);
  const written = JSON.parse(readFileSync(options.lock, "utf8"));
  expect(written.format).toBe("aspectlens-weights-lock/1");
  expect(Object.entries(written.files)).toEqual([
    [`${server.base}/m/model.json?tfjs-format=file`, fingerprint(FILES["/m/model.json"])],
    [`${server.base}/m/shard1`, fingerprint(FILES["/m/shard1"])],
    [`${server.base}/m/shard2`, fingerprint(FILES["/m/shard2"])],
  ]);
});

test("a file that is there and as locked is not asked for again; a spoilt one is replaced", async () => {
  const server = await serveFiles();
  const options = place();
  const addresses = [`${server.base}/m/shard1`, `${server.base}/m/shard2`];
  const first = await fetchAndLock(addresses, options);
  writeFileSync(join(options.folder, "shard2"), noise(700, "spoilt"));
  server.asked.length = 0;
  expect(await fetchAndLock(addresses, options)).toEqual(first);
  expect(server.asked.map(({ url }) => url)).toEqual(["/m/shard2"]);
  expect(readFileSync(join(options.folder, "shard2")).equals(FILES["/m/shard2"])).toBe(true);
});

test("fetching alone locks nothing: a file is locked when it has proved good", async () => {
  const server = await serveFiles();
  const options = place();
  await fetchFiles([`${server.base}/m/shard1`], options);
  expect(existsSync(options.lock)).toBe(false);
});

test("a file that has changed is refused in one line: file, address, both checksums, the lock", async () => {
  const options = place();
  const files = { ...FILES };
  const server = await serveFiles(files);
  const address = `${server.base}/m/shard1`;
  await fetchAndLock([address], options);
  files["/m/shard1"] = noise(5000, "changed");
  const elsewhere = { ...options, folder: join(options.folder, "new") };
  const error = await fetchAndLock([address], elsewhere).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(ChecksumError);
  const { message } = error as ChecksumError;
  for (const part of [
    join(elsewhere.folder, "shard1"),
    address,
    fingerprint(noise(5000)).sha256,
    fingerprint(files["/m/shard1"]).sha256,
    `The file at the address has changed; if that is intended, remove its entry from ${options.lock}.`,
  ]) {
    expect(message).toContain(part);
  }
  expect(message).not.toContain("\n");
  expect(readdirSync(elsewhere.folder)).toEqual([]);
  expect((await readLock(options.lock)).get(address)).toEqual(fingerprint(noise(5000)));
});

test("a mirror is asked in the place of the host, on the web or on disk; the lock keeps the original address", async () => {
  const content = noise(3000);
  const address = "https://weights.example/a/model.bin?x=1";
  const server = await serve((_, response) => response.end(content));
  const web = place();
  await fetchAndLock([address], { ...web, mirror: `${server.base}/copy/` });
  expect(server.asked[0].url).toBe("/copy/weights.example/a/model.bin?x=1");
  expect([...(await readLock(web.lock)).keys()]).toEqual([address]);

  const disk = newFolder();
  const copy = join(disk, "weights.example/a/model.bin");
  mkdirSync(dirname(copy), { recursive: true });
  writeFileSync(copy, content);
  const [fromDisk] = await fetchAndLock([address], { ...place(), lock: web.lock, mirror: pathToFileURL(disk).href });
  expect(fromDisk).toMatchObject({ address, ...fingerprint(content) });
  writeFileSync(copy, "another file");
  const wrong = fetchFiles([address], { ...place(), lock: web.lock, mirror: pathToFileURL(disk).href });
  await expect(wrong).rejects.toThrow(
    /model\.bin\?x=1 has SHA-256 .* expected .* remove the entry of https:\/\/weights\.example\/a\/model\.bin\?x=1 from /,
  );
});

test("names that clash or would leave the folder are refused before anything is asked", async () => {
  const server = await serveFiles();
  const options = place();
  const { base } = server;
  await expect(fetchFiles([`${base}/a/x.bin`, `${base}/b/X.bin`], options)).rejects.toThrow(
    /same file name as .*\/a\/x\.bin/,
  );
  for (const path of ["/", "/a/", "/..%2fx", "/%2e%2e", "/.hidden", "/a.part", "/a%20b", "/a\\..\\b"]) {
    await expect(fetchFiles([`${base}${path}`], options)).rejects.toThrow(
      path.includes("\\") ? /status 404/ : /does not end with a file name/, // a URL takes \ for /
    );
  }
  await expect(fetchFiles(["no address"], options)).rejects.toBeInstanceOf(InputError);
  expect(server.asked.map(({ url }) => url)).toEqual(["/b"]);
});
