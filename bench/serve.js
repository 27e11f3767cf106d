/**
 * `aspectlens serve` under load: `npm run build && node bench/serve.js [REQUESTS]`.
 *
 * 64 clients at a time send JPEGs of 64 KiB to 8 MiB; one request of twenty is no image, another one is given up half
 * way. Each answer is compared with the library's. Then requests that try to make the server read something, or to
 * exhaust it. What a request costs beside `explainAll` on the same files, in the same run.
 */

import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { deflateSync } from "node:zlib";
import { openExplainer } from "aspectlens";
import sharp from "sharp";
import { random } from "../examples/support/random.js";
import { writeFreshBundle } from "./fresh-bundle.js";
import { rounded, writeResults } from "./harness.js";

const REQUESTS = Number(process.argv[2] ?? 10_000);
const CLIENTS = 64;
const IN_FLIGHT = 48;
const ABUSES = Math.max(50, Math.round(REQUESTS / 10));
const [ALPHA, INPUT_SIZE] = [0.25, 128];
/** Sides of the JPEGs, their quality, and how many of a hundred requests send them: most photographs are small. */
const KINDS = [
  { width: 500, height: 375, quality: 95, weight: 60 },
  { width: 1280, height: 960, quality: 90, weight: 30 },
  { width: 2560, height: 1920, quality: 92, weight: 8 },
  { width: 4000, height: 3000, quality: 95, weight: 2 },
];

const folder = await mkdtemp(join(tmpdir(), "aspectlens-bench-"));
const bundle = join(folder, "model.aspect");
await writeFreshBundle(bundle, { alpha: ALPHA, inputSize: INPUT_SIZE, masks: 2 });
const stream = random("bench", "serve");
/** @type {{ file: string, bytes: Buffer, weight: number }[]} */
const images = [];
for (const kind of KINDS)
  for (let index = 0; index < 5; index++) {
    const file = join(folder, `${kind.width}-${index}.jpg`);
    const bytes = await photograph(kind);
    await writeFile(file, bytes);
    images.push({ file, bytes, weight: kind.weight });
  }
const [smallest, largest] = [Math.min, Math.max].map((of) => of(...images.map(({ bytes }) => bytes.length)));

// What the library answers, and how fast.
const order = Array.from({ length: REQUESTS }, () => pick());
const explainer = await openExplainer(bundle);
/** @type {Map<string, string>} */
const wanted = new Map();
for (const { file } of images) wanted.set(file, essence((await explainer.explain(file)).explanation));
const sample = order.slice(0, Math.min(1000, REQUESTS)).map((at) => images[at].file);
const begun = performance.now();
for await (const outcome of explainer.explainAll(sample)) if ("error" in outcome) throw outcome.error;
const libraryPerSecond = (1000 * sample.length) / (performance.now() - begun);
await explainer.dispose();

const main = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
const server = spawn(
  process.execPath,
  [main, "serve", bundle, "--port", "0", "--in-flight", `${IN_FLIGHT}`, "--json"],
  {
    stdio: ["ignore", "pipe", "inherit"],
  },
);
const { url } = JSON.parse(String(await new Promise((resolve) => server.stdout.once("data", resolve))));

const counts = { 200: 0, 400: 0, 503: 0, given: 0, wrong: 0, other: 0 };
/** @type {number[]} */
const latencies = [];
/** @type {number[]} */
const memory = [];
const watch = setInterval(async () => {
  const status = await readFile(`/proc/${server.pid}/status`, "utf8").catch(() => "");
  memory.push(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
}, 500);
let next = 0;
const cpu = process.cpuUsage();
const loadBegun = performance.now();
await Promise.all(Array.from({ length: CLIENTS }, client));
const seconds = (performance.now() - loadBegun) / 1000;
const { user, system } = process.cpuUsage(cpu);
const abuse = await abused();
clearInterval(watch);
const health = (await fetch(`${url}/healthz`)).status;
server.kill("SIGTERM");
const code = await new Promise((resolve) => server.once("exit", resolve));
await rm(folder, { recursive: true, force: true });

const perSecond = counts[200] / seconds;
latencies.sort((a, b) => a - b);
const at = (/** @type {number} */ share) => Math.round(latencies[Math.floor(share * (latencies.length - 1))]);
const mean = (/** @type {number[]} */ values) =>
  Math.round(values.reduce((sum, value) => sum + value, 0) / values.length);
const quarter = Math.ceil(memory.length / 4);
const ours = {
  counts,
  seconds: rounded(seconds),
  imagesPerSecond: rounded(perSecond),
  latencyMs: { p50: at(0.5), p99: at(0.99) },
  clientCpuSeconds: rounded((user + system) / 1e6),
  memoryMiB: { secondQuarter: mean(memory.slice(quarter, 2 * quarter)), lastQuarter: mean(memory.slice(-quarter)) },
  abuse,
  healthAfter: health,
  exitCode: code,
};
const row = {
  work:
    `${REQUESTS} requests of ${CLIENTS} clients, JPEGs of ${Math.round(smallest / 1024)} KiB to ` +
    `${rounded(largest / 2 ** 20)} MiB, mobilenet-v1 ${ALPHA} @${INPUT_SIZE}`,
  ours,
  peer: { name: "explainAll on the same files", imagesPerSecond: rounded(libraryPerSecond) },
  ratio: rounded(perSecond / libraryPerSecond),
};
console.log(JSON.stringify(row, null, 2));
if (counts.wrong + counts.other > 0 || health !== 200 || abuse.unexpected > 0) process.exitCode = 1;
await writeResults("serve", [row]);

async function client() {
  while (next < REQUESTS) {
    const index = next++;
    const kind = index % 20;
    const image = images[order[index]];
    const body = kind === 7 ? image.bytes.subarray(0, 300 + (index % 500)) : image.bytes;
    const from = performance.now();
    for (;;) {
      const gone = kind === 13 ? AbortSignal.timeout(1 + (index % 60)) : undefined;
      try {
        const answer = await fetch(`${url}/v1/explain`, {
          method: "POST",
          headers: { "content-type": "image/jpeg" },
          body,
          ...(gone && { signal: gone }),
        });
        const text = await answer.text();
        if (answer.status === 503) {
          counts[503]++;
          await new Promise((resolve) => setTimeout(resolve, 1000 * Number(answer.headers.get("retry-after"))));
          continue;
        }
        if (answer.status === 200 && kind !== 7) {
          counts[200]++;
          latencies.push(performance.now() - from);
          if (essence(JSON.parse(text)) !== wanted.get(image.file)) counts.wrong++;
        } else if (answer.status === 400 && kind === 7) counts[400]++;
        else counts.other++;
      } catch (error) {
        if (gone?.aborted) counts.given++;
        else {
          counts.other++;
          console.error(error);
        }
      }
      break;
    }
  }
}

/** Numbers that sessions of one and of two threads round alike. @param {any} explanation */
function essence({ prediction, aspects, elsewhere }) {
  const short = (/** @type {number | null} */ value) => (value === null ? null : value.toFixed(3));
  return JSON.stringify([
    prediction.class,
    short(prediction.score),
    short(elsewhere),
    aspects.map((/** @type {any} */ { name, isPresent, score }) => [name, isPresent, short(score)]),
  ]);
}

/** Requests that want to be answered with a refusal, and nothing else. */
async function abused() {
  const result = { requests: 0, refused: 0, unexpected: 0 };
  const bomb = await pngBomb(30_000, 30_000);
  const deep = `{"image":${"[".repeat(200_000)}${"]".repeat(200_000)}}`;
  /** @type {(() => Promise<number>)[]} */
  const tries = [
    () => json({ image: "/etc/passwd" }),
    () => json({ image: "file:///etc/passwd" }),
    () => json({ image: "http://127.0.0.1:1/x.png" }),
    () => json({ image: "abcd", path: "/etc/passwd" }),
    () => json({ image: "AAAA".repeat(1000), name: "../../../etc/passwd" }),
    () => post("/v1/explain", "image/png", bomb),
    () => post("/v1/explain", "application/json", deep),
    () => post("/v1/explain?model=../../etc/passwd", "image/jpeg", images[0].bytes),
    () => post("/v1/explain?overlay=/etc/passwd", "image/jpeg", images[0].bytes),
    () => post("/v2/models/..%2f..%2fetc/infer", "application/json", "{}"),
    () => post("/v1/explain", "text/xml", "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><x>&e;</x>"),
    () =>
      post(
        "/v1/explain",
        "image/svg+xml",
        "<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
      ),
    () => get("/%2e%2e/%2e%2e/etc/passwd"),
    () => get("/v1/reports/../../etc/passwd"),
  ];
  for (let index = 0; index < ABUSES; index++) {
    result.requests++;
    const status = await tries[index % tries.length]().catch(() => 0);
    if (status >= 400 && status < 500) result.refused++;
    else {
      result.unexpected++;
      console.error(`abuse ${index % tries.length}: ${status}`);
    }
  }
  // Bodies that never end hold their places for a while, and no longer.
  const slow = Array.from({ length: 20 }, slowBody);
  const during = await post("/v1/explain", "image/jpeg", images[0].bytes);
  if (during !== 200) result.unexpected++;
  for (const socket of await Promise.all(slow)) socket.destroy();
  return result;
}

async function slowBody() {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  socket.on("error", () => {});
  await new Promise((resolve) => socket.once("connect", resolve));
  socket.write(
    "POST /v1/explain HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: 1000000\r\n\r\nx",
  );
  return socket;
}

/** @param {object} body */
const json = (body) => post("/v1/explain", "application/json", JSON.stringify(body));

/** @param {string} path @param {string} type @param {any} body */
async function post(path, type, body) {
  const answer = await fetch(url + path, { method: "POST", headers: { "content-type": type }, body });
  await answer.text();
  return answer.status;
}

/** @param {string} path */
async function get(path) {
  const answer = await fetch(url + path);
  const text = await answer.text();
  return text.includes("root:") ? 200 : answer.status;
}

/** A PNG of zeros: some kilobytes that would be gigabytes. @param {number} width @param {number} height */
async function pngBomb(width, height) {
  const small = await sharp({ create: { width: 1, height: 1, channels: 3, background: "black" } })
    .png()
    .toBuffer();
  const bytes = Buffer.from(small);
  bytes.writeUInt32BE(width, 16);
  bytes.writeUInt32BE(height, 20);
  return Buffer.concat([bytes, deflateSync(Buffer.alloc(1000))]);
}

/** Smooth shapes with some noise, as photographs have. @param {typeof KINDS[number]} kind */
async function photograph({ width, height, quality }) {
  const small = Uint8Array.from({ length: 16 * 12 * 3 }, () => stream.integer(256));
  const smooth = await sharp(small, { raw: { width: 16, height: 12, channels: 3 } })
    .resize(width, height)
    .raw()
    .toBuffer();
  for (let index = 0; index < smooth.length; index += 2)
    smooth[index] = Math.min(255, smooth[index] + stream.integer(28));
  return sharp(smooth, { raw: { width, height, channels: 3 } })
    .jpeg({ quality, chromaSubsampling: "4:4:4" })
    .toBuffer();
}

/** One of the images, by weight. */
function pick() {
  const whole = images.reduce((sum, { weight }) => sum + weight, 0);
  let rest = stream.integer(1_000_000) / 1_000_000;
  for (const [index, { weight }] of images.entries()) {
    rest -= weight / whole;
    if (rest < 0) return index;
  }
  return 0;
}
