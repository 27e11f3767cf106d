/** The server as clients see it: what it answers, refuses, and bears. */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FastifyInstance, InjectOptions } from "fastify";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openExplainer } from "../../src/bundle/explainer.js";
import { exportBundle } from "../../src/bundle/export-bundle.js";
import { InputError } from "../../src/core/errors.js";
import { type ServedModels, servedModels } from "../../src/serve/served-models.js";
import { createServer, type ServerOptions } from "../../src/serve/server.js";
import { easilyConvinced } from "../bundle/elsewhere/unpacked-bundle.js";
import { tinyModel } from "../bundle/tiny-model.js";

let folder: string;
let bundle: string;
let other: string;
let png: Buffer;
let models: ServedModels;
let server: FastifyInstance;

const OPTIONS: ServerOptions = {
  version: "0.0.0",
  isLocal: true,
  atOnce: 2,
  inFlight: 64,
  mostBytes: 1_000_000,
  mostPixels: 1_000_000,
  timeLimitMs: 60_000,
};
const IMAGE = { "content-type": "image/png" };

const post = (url: string, more: Partial<InjectOptions> = {}, to = server) =>
  to.inject({ method: "POST", url, headers: IMAGE, payload: png, ...more });
const json = (payload: object) => ({ headers: { "content-type": "application/json" }, payload });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "aspectlens-serve-"));
  bundle = join(folder, "tiny.aspect");
  other = join(folder, "other.aspect");
  await exportBundle(easilyConvinced(tinyModel({ seed: 2 })), bundle, { name: "tiny" });
  await exportBundle(tinyModel(), other, { name: "other" });
  const noise = Uint8Array.from({ length: 40 * 30 * 3 }, (_, at) => (at * 7919) % 256);
  png = await sharp(noise, { raw: { width: 40, height: 30, channels: 3 } })
    .png()
    .toBuffer();
  models = await servedModels([bundle], { threads: 1 });
  server = await createServer(models, OPTIONS);
}, 120_000);

afterAll(async () => {
  await server?.close();
  await models?.dispose();
  await rm(folder, { recursive: true, force: true });
});

describe("explanations", () => {
  test("are those of the library, however the image is sent", async () => {
    const file = join(folder, "image.png");
    await writeFile(file, png);
    const explainer = await openExplainer(bundle, { threads: 1 });
    const { explanation } = await explainer.explain(file);
    await explainer.dispose();
    const wanted = JSON.parse(JSON.stringify({ ...explanation, image: "image.png" }).replaceAll(`${folder}/`, ""));
    const form = new FormData();
    form.set("image", new Blob([new Uint8Array(png)]), "some/where/image.png");
    const multipart = new Request("http://localhost", { method: "POST", body: form });
    const answers = [
      await post("/v1/explain", json({ image: png.toString("base64"), name: "image.png" })),
      await post("/v1/explain", json({ image: `data:image/png;base64,${png.toString("base64")}`, name: "image.png" })),
      await post("/v1/explain", {
        headers: { "content-type": multipart.headers.get("content-type") ?? "" },
        payload: Buffer.from(await multipart.arrayBuffer()),
      }),
    ];
    for (const answer of answers) {
      expect(answer.statusCode).toBe(200);
      const { sentences, ...given } = answer.json();
      expect(given).toEqual(wanted);
      expect(sentences[0]).toContain(" %)");
    }
    const bare = (await post("/v1/explain")).json();
    expect(bare).toMatchObject({ image: "image", prediction: wanted.prediction, elsewhere: wanted.elsewhere });
  });

  test("come with the picture and the masks that the JSON names", async () => {
    const answer = (await post("/v1/explain?overlay=png&masks=true")).json();
    const picture = await sharp(Buffer.from(answer.overlay, "base64")).metadata();
    expect([picture.format, picture.width]).toEqual(["png", 1624]);
    const named = answer.aspects.flatMap(({ mask, survivalMap }: Record<string, string>) =>
      [mask, survivalMap].filter(Boolean),
    );
    expect(named.length).toBeGreaterThan(0);
    expect(Object.keys(answer.masks).sort()).toEqual([...named].sort());
    const mask = await sharp(Buffer.from(answer.masks[named[0]], "base64")).metadata();
    expect([mask.width, mask.height]).toEqual([40, 30]);
  });

  test("are a picture alone where the client takes no JSON", async () => {
    const answer = await post("/v1/explain", { headers: { ...IMAGE, accept: "image/jpeg" } });
    expect(answer.headers["content-type"]).toBe("image/jpeg");
    expect((await sharp(answer.rawPayload).metadata()).format).toBe("jpeg");
  });

  test("explain another class, and a margin", async () => {
    const [model] = (await server.inject("/v1/models")).json().models;
    const [first, second] = model.classes;
    const margin = await post(`/v1/explain?target=${encodeURIComponent(`${second}:${first}`)}`);
    expect(margin.json().target).toEqual({ kind: "margin", class: second, other: first });
    const { aspects } = model;
    const inner = await post(`/v1/explain?target=aspect:${encodeURIComponent(aspects[0].name)}`);
    expect([inner.statusCode, inner.json().error]).toEqual([400, expect.stringContaining("needs a graph of its own")]);
  });
});

test("a prediction says what is seen", async () => {
  const answer = (await post("/v1/predict")).json();
  const explained = (await post("/v1/explain")).json();
  expect(answer.model).toBe("tiny");
  expect(answer.prediction.class).toBe(explained.prediction.class);
  for (const [index, { name, presence, isPresent }] of answer.aspects.entries()) {
    const aspect = explained.aspects[index];
    expect([name, isPresent]).toEqual([aspect.name, aspect.isPresent]);
    expect(presence).toBeCloseTo(aspect.presence, 4);
  }
});

describe("regions", () => {
  const ask = (regions: object[], query = "") =>
    post(`/v1/regions${query}`, json({ image: png.toString("base64"), regions }));

  test("halves hold all of the evidence between them, and the whole image all of it", async () => {
    const answer = (
      await ask([
        { box: [0, 0, 1, 1] },
        { box: [0, 0, 0.5, 1] },
        {
          polygon: [
            [0.5, 0],
            [0.5, 1],
            [1, 1],
            [1, 0],
          ],
        },
        { point: [0.5, 0.5] },
      ])
    ).json();
    const [whole, upper, lower, point] = answer.regions;
    expect(whole.area).toBe(1);
    expect(whole.share).toBeCloseTo(1, 6);
    expect([upper.area, lower.area]).toEqual([0.5, 0.5]);
    expect(upper.share + lower.share).toBeCloseTo(1, 6);
    expect(point.area).toBeCloseTo(Math.PI * 0.04 ** 2, 2);
    const { aspects } = (await post("/v1/explain")).json();
    for (const [index, aspect] of whole.aspects.entries()) {
      expect([aspect.name, aspect.isPresent]).toEqual([aspects[index].name, aspects[index].isPresent]);
      if (aspects[index].area !== undefined) expect(aspect.covered).toBeCloseTo(aspects[index].area, 6);
      if (aspects[index].score === null) expect(aspect.accountsFor).toBeNull();
      else expect(aspect.accountsFor).toBeGreaterThanOrEqual(aspects[index].score - 1e-6); // nothing is left to others
    }
  });

  test.each([
    [[], /fewer than 1 items|must NOT have fewer/],
    [[{ box: [0, 0, 2, 1] }], /must be <= 1/],
    [[{ box: [0.5, 0.5, 0.5, 0.5] }], /covers no pixel/],
    [[{ point: [0, 0], box: [0, 0, 1, 1] }], /more than 1 propert/],
  ])("%j are refused", async (regions, message) => {
    const answer = await ask(regions);
    expect(answer.statusCode).toBe(400);
    expect(answer.json().error).toMatch(message);
  });
});

describe("interventions", () => {
  const ask = (body: object) => post("/v1/intervene", json({ image: png.toString("base64"), ...body }));

  test("paint a region over, and keep the question", async () => {
    const answer = (await ask({ remove: { regions: [{ box: [0.25, 0.25, 0.5, 0.5] }] } })).json();
    // A quarter of each side, and three pixels of 64 around it.
    expect(answer.paintedOver).toBeCloseTo((22 / 64) ** 2, 6);
    expect(answer.isIntervention).toBe(true);
    const plain = (await post("/v1/explain")).json();
    expect(answer.before.prediction).toEqual(plain.prediction);
    expect(answer.sameQuestion.target).toEqual(answer.before.target);
    expect(answer.after.prediction.score).not.toBe(answer.before.prediction.score);
  });

  test("keep one thing alone, or take a seen aspect away", async () => {
    const kept = (await ask({ keep: { regions: [{ box: [0, 0, 0.5, 1] }] } })).json();
    expect(kept.paintedOver).toBe(0.5);
    const { aspects } = (await post("/v1/explain")).json();
    const seen = aspects.find(
      ({ isPresent, area }: { isPresent: boolean; area?: number }) => isPresent && (area ?? 1) < 0.4,
    );
    if (!seen) return;
    const answer = await ask({ remove: { aspects: [seen.name] } });
    expect(answer.statusCode).toBe(200);
    expect(answer.json().paintedOver).toBeGreaterThanOrEqual(seen.area);
  });

  test.each([
    [{}, /expected either remove or keep/],
    [{ remove: {}, keep: {} }, /expected either remove or keep/],
    [{ remove: {} }, /names neither aspects nor regions/],
    [{ remove: { aspects: ["nope"] } }, /the model has no "nope"\. It has: /],
    [{ remove: { regions: [{ box: [0, 0, 1, 1] }] } }, /100 % of the image would be painted over/],
  ])("%j is refused", async (body, message) => {
    const answer = await ask(body);
    expect(answer.statusCode).toBe(400);
    expect(answer.json().error).toMatch(message);
  });
});

describe("what is wrong is one line", () => {
  test.each([
    ["no image", "/v1/explain", { payload: "not an image" }, 400, /^image: not an image that can be read/],
    ["no base64", "/v1/explain", json({ image: "!!!!!!!!" }), 400, /^image: is no base64/],
    ["no JSON", "/v1/explain", { ...json({}), payload: "{" }, 400, /JSON/],
    ["an unknown key", "/v1/explain", json({ image: "abcd", path: "/etc/passwd" }), 400, /additional properties/],
    ["an unknown parameter", "/v1/explain?path=/etc/passwd", {}, 400, /additional properties/],
    ["an unknown model", "/v1/explain?model=x", {}, 404, /^model: "x" is not served. Served: tiny./],
    ["an unknown class", "/v1/explain?target=x", {}, 400, /^target "x": expected a class/],
    ["a method that is not open", "/v1/explain?method=cam", {}, 400, /--methods cam/],
    ["too many bytes", "/v1/explain", { payload: Buffer.alloc(1_000_001) }, 413, /too large/i],
    ["another type", "/v1/explain", { headers: { "content-type": "text/html" } }, 415, /media type/i],
    ["a path that leads out", "/v1/../../etc/passwd", {}, 404, /no such route/],
  ] as const)("%s", async (_, url, more, status, message) => {
    const answer = await post(url, more as Partial<InjectOptions>);
    expect(answer.statusCode).toBe(status);
    expect(Object.keys(answer.json())).toEqual(["error"]);
    expect(answer.json().error).toMatch(message);
    expect(answer.json().error).not.toMatch(/\n/);
  });

  test("an image of too many pixels is refused by its header", async () => {
    const bomb = await sharp({ create: { width: 4000, height: 4000, channels: 3, background: "red" } })
      .png()
      .toBuffer();
    const answer = await post("/v1/explain", { payload: bomb });
    expect(answer.statusCode).toBe(413);
    expect(answer.json().error).toBe("image: 4000 x 4000 pixels; this server takes 1 million. Make it smaller.");
  });

  test("a failure of ours says nothing of this machine", async () => {
    const broken = {
      ...models,
      names: ["tiny"],
      using: () => Promise.reject(new Error(`cannot read ${folder}/tiny.aspect`)),
    } as unknown as ServedModels;
    const failing = await createServer(broken, OPTIONS);
    const answer = await post("/v1/explain", {}, failing);
    await failing.close();
    expect(answer.statusCode).toBe(500);
    expect(answer.body).not.toContain(folder);
  });
});

describe("access", () => {
  test("a token is asked for by all routes but the health checks", async () => {
    const guarded = await createServer(models, { ...OPTIONS, token: "a long secret" });
    const status = async (url: string, authorization?: string) =>
      (await guarded.inject({ url, headers: authorization ? { authorization } : {} })).statusCode;
    expect(await status("/v1/models")).toBe(401);
    expect(await status("/openapi.json")).toBe(401);
    expect(await status("/metrics")).toBe(401);
    expect(await status("/nope")).toBe(401);
    expect(await status("/healthz")).toBe(200);
    expect(await status("/readyz")).toBe(200);
    expect(await status("/v1/models", "Bearer a-long-secret")).toBe(401);
    expect(await status("/v1/models", `Basic ${Buffer.from("anyone:a long secret").toString("base64")}`)).toBe(200);
    await guarded.close();
    const plain = await createServer(models, { ...OPTIONS, token: "a-long-secret" });
    expect(
      (await plain.inject({ url: "/v1/models", headers: { authorization: "Bearer a-long-secret" } })).statusCode,
    ).toBe(200);
    await plain.close();
  });

  test("a name that another site leads here is refused, and other sites are not let in", async () => {
    const foreign = await server.inject({ url: "/v1/models", headers: { host: "evil.example" } });
    expect(foreign.statusCode).toBe(403);
    const site = await server.inject({ url: "/v1/models", headers: { origin: "https://evil.example" } });
    expect(site.headers["access-control-allow-origin"]).toBeUndefined();
    expect(site.headers["content-security-policy"]).toContain("default-src 'none'");
    const open = await createServer(models, { ...OPTIONS, origins: ["https://lab.example"] });
    const lab = await open.inject({
      method: "OPTIONS",
      url: "/v1/explain",
      headers: { origin: "https://lab.example" },
    });
    expect([lab.statusCode, lab.headers["access-control-allow-origin"]]).toEqual([204, "https://lab.example"]);
    await open.close();
  });
});

describe("Open Inference Protocol v2", () => {
  test("tells inputs and outputs", async () => {
    expect((await server.inject("/v2")).json()).toMatchObject({
      name: "aspectlens",
      extensions: ["binary_tensor_data"],
    });
    const { inputs, outputs } = (await server.inject("/v2/models/tiny")).json();
    expect(inputs).toEqual([{ name: "image", datatype: "FP32", shape: [-1, 64, 64, 3] }]);
    expect(outputs.map(({ name }: { name: string }) => name)).toContain("scores");
    expect((await server.inject("/v2/models/x/ready")).statusCode).toBe(404);
  });

  test("numbers as JSON and as binary data give the same answer", async () => {
    const size = 2 * 64 * 64 * 3;
    const values = Float32Array.from({ length: size }, (_, at) => (at * 31) % 256);
    const tensor = { name: "image", datatype: "FP32", shape: [2, 64, 64, 3] };
    const plain = await post(
      "/v2/models/tiny/infer",
      json({ id: "7", inputs: [{ ...tensor, data: Array.from(values) }], outputs: [{ name: "scores" }] }),
    );
    expect(plain.json()).toMatchObject({
      model_name: "tiny",
      id: "7",
      outputs: [{ name: "scores", datatype: "FP32" }],
    });
    const [{ data, shape }] = plain.json().outputs;
    expect(shape[0]).toBe(2);
    const head = Buffer.from(
      JSON.stringify({
        inputs: [{ ...tensor, parameters: { binary_data_size: 4 * size } }],
        outputs: [{ name: "scores", parameters: { binary_data: true } }],
      }),
    );
    const binary = await post("/v2/models/tiny/infer", {
      headers: { "content-type": "application/octet-stream", "inference-header-content-length": `${head.length}` },
      payload: Buffer.concat([head, Buffer.from(values.buffer)]),
    });
    const at = Number(binary.headers["inference-header-content-length"]);
    const raw = binary.rawPayload.subarray(at);
    expect(raw.length).toBe(4 * data.length);
    const floats = Array.from({ length: data.length }, (_, index) => raw.readFloatLE(4 * index));
    expect(floats).toEqual(data.map((value: number) => Math.fround(value)));
  });

  test("files come as BYTES, and explanations go out as JSON", async () => {
    const image = { name: "image", datatype: "BYTES", shape: [1], data: [png.toString("base64")] };
    const answer = (await post("/v2/models/tiny-explain/infer", json({ inputs: [image] }))).json();
    const explanation = JSON.parse(answer.outputs[0].data[0]);
    expect(explanation.format).toBe("aspectlens-explanation/2");
    const { prediction } = (await post("/v1/predict")).json();
    expect(explanation.prediction.class).toBe(prediction.class);
  });

  test.each([
    ["a datatype", { datatype: "INT8" }, /datatype "INT8"/],
    ["a shape", { shape: [1, 2, 2, 3], data: Array(12).fill(0) }, /expected FP32 \[1, 64, 64, 3\]/],
    ["a count", { shape: [1, 64, 64, 3], data: [1] }, /expected 12288 values, got 1/],
    ["texts", { shape: [1], data: ["x"] }, /expected numbers/],
    ["a size of the binary data", { parameters: { binary_data_size: 99 } }, /the body has 0 bytes left/],
  ])("%s that is wrong is named", async (_, wrong, message) => {
    const tensor = { name: "image", datatype: "FP32", shape: [1, 64, 64, 3], ...wrong };
    const answer = await post("/v2/models/tiny/infer", json({ inputs: [tensor] }));
    expect(answer.statusCode).toBe(400);
    expect(answer.json().error).toMatch(message);
  });
});

test("one request too many is told when to come again", async () => {
  const narrow = await createServer(models, { ...OPTIONS, inFlight: 2, atOnce: 1 });
  const answers = await Promise.all(Array.from({ length: 6 }, () => post("/v1/explain", {}, narrow)));
  const statuses = answers.map(({ statusCode }) => statusCode).sort();
  expect(statuses).toEqual([200, 200, 503, 503, 503, 503]);
  const refused = answers.find(({ statusCode }) => statusCode === 503);
  expect(Number(refused?.headers["retry-after"])).toBeGreaterThan(0);
  expect((await post("/v1/explain", {}, narrow)).statusCode).toBe(200);
  await narrow.close();
});

test("a bundle is opened anew without a request being lost; a broken one changes nothing", async () => {
  const path = join(folder, "reloaded.aspect");
  await exportBundle(tinyModel(), path, { name: "reloaded" });
  const own = await servedModels([path, other], { threads: 1 });
  const both = await createServer(own, OPTIONS);
  expect((await post("/v1/predict", {}, both)).json().error).toBe(
    "model: this server has several. Name one of: reloaded, other.",
  );
  const asked = Array.from({ length: 4 }, () => post("/v1/explain?model=reloaded", {}, both));
  expect(await own.reload()).toEqual([]);
  expect((await Promise.all(asked)).map(({ statusCode }) => statusCode)).toEqual([200, 200, 200, 200]);
  await writeFile(path, "no bundle");
  expect(await own.reload()).toHaveLength(1);
  expect((await post("/v1/explain?model=reloaded", {}, both)).statusCode).toBe(200);
  await both.close();
  await own.dispose();
  await expect(servedModels([bundle, bundle], { threads: 1 })).rejects.toThrow(InputError);
}, 60_000);

test("the description of the API is OpenAPI 3.1 and names every route", async () => {
  const { openapi, paths } = (await server.inject("/openapi.json")).json();
  expect(openapi).toBe("3.1.0");
  expect(Object.keys(paths)).toEqual(
    expect.arrayContaining([
      "/v1/models",
      "/v1/predict",
      "/v1/explain",
      "/healthz",
      "/metrics",
      "/v2/models/{name}/infer",
    ]),
  );
});
