/**
 * The Open Inference Protocol, version 2 (KServe, Triton, Seldon and OpenVINO speak it), with its extension for binary
 * data: `NAME` is a bundle's `predict.onnx`, `NAME-explain` its explanations.
 */

import type { FastifyInstance } from "fastify";
import { InputError } from "../core/errors.js";
import { type NdArrays, ndArray } from "../core/nd-array.js";
import type { TensorInfo } from "../engine/worker-messages.js";
import { decodeRequest, encodeAnswer, type InferRequest, type OutTensor } from "./inference-tensors.js";
import { checkSize } from "./request-image.js";
import { type ServedModel, type ServedModels, UnknownModelError } from "./served-models.js";
import type { Working } from "./server.js";

const EXPLAIN = "-explain";
/** Images of one request. */
const MOST_IMAGES = 32;

const TENSOR = {
  type: "object",
  required: ["name", "shape", "datatype"],
  properties: {
    name: { type: "string" },
    shape: { type: "array", items: { type: "integer", minimum: 0 } },
    datatype: { type: "string" },
    parameters: { type: "object" },
    data: { type: "array" },
  },
};
const INFER = {
  type: "object",
  required: ["inputs"],
  properties: {
    id: { type: "string", maxLength: 200 },
    parameters: { type: "object" },
    inputs: { type: "array", minItems: 1, maxItems: 64, items: TENSOR },
    outputs: {
      type: "array",
      maxItems: 1000,
      items: {
        type: "object",
        required: ["name"],
        properties: { name: { type: "string" }, parameters: { type: "object" } },
      },
    },
  },
};

interface Named {
  readonly name: string;
}

export function addInference(
  server: FastifyInstance,
  {
    models,
    working,
    mostPixels,
    version,
  }: { models: ServedModels; working: Working; mostPixels: number; version: string },
): void {
  const about = (summary: string, more: object = {}) => ({
    schema: { tags: ["Open Inference Protocol v2"], summary, ...more },
  });
  /** Whether the name is of explanations, and the model's own. */
  const find = (name: string) => {
    if (models.names.includes(name)) return { model: name, isExplain: false };
    const own = name.endsWith(EXPLAIN) ? name.slice(0, -EXPLAIN.length) : "";
    if (models.names.includes(own)) return { model: own, isExplain: true };
    const names = models.names.flatMap((known) => [known, known + EXPLAIN]).join(", ");
    throw new UnknownModelError(`model: "${name}" is not served.`, { cure: `Served: ${names}.` });
  };
  server.get("/v2", about("The server"), async () => ({
    name: "aspectlens",
    version,
    extensions: ["binary_tensor_data"],
  }));
  server.get("/v2/health/live", about("The process is there"), async () => ({ live: true }));
  server.get("/v2/health/ready", about("The models are open"), async () => ({ ready: true }));
  for (const prefix of ["/v2/models/:name", "/v2/models/:name/versions/:version"]) {
    server.get(prefix, about("Inputs and outputs of a model"), async (request) => {
      const { name } = request.params as Named;
      const { model, isExplain } = find(name);
      return models.using(model, async ({ predictor }) => ({
        name,
        versions: ["1"],
        platform: isExplain ? "aspectlens" : "onnxruntime_onnx",
        ...(isExplain ? EXPLANATION : { inputs: predictor.inputs.map(ported), outputs: predictor.outputs.map(ported) }),
      }));
    });
    server.get(`${prefix}/ready`, about("A model is open"), async (request) => {
      const { name } = request.params as Named;
      find(name);
      return { name, ready: true };
    });
    server.post(
      `${prefix}/infer`,
      about("Answers, or explanations, of up to 32 images", {
        description:
          "An image is FP32 [N, S, S, 3], RGB 0 to 255, as predict.onnx takes it, or BYTES [N]: whole files, in JSON as base64.",
        body: { content: { "application/json": { schema: INFER } } },
      }),
      async (request, reply) => {
        const { name } = request.params as Named;
        const { model, isExplain } = find(name);
        const asked = decodeRequest(request.body, request.headers["inference-header-content-length"]);
        const outputs = await working.do(request, reply, () =>
          models.using(model, (served) =>
            isExplain ? explanations(served, asked, mostPixels) : predictions(served, asked, mostPixels),
          ),
        );
        const answer = encodeAnswer({ model_name: name, model_version: "1", id: asked.id }, outputs, asked);
        if (answer.headerBytes !== undefined)
          reply.header("inference-header-content-length", String(answer.headerBytes)).type("application/octet-stream");
        return reply.send(answer.body);
      },
    );
  }
}

const EXPLANATION = {
  inputs: [{ name: "image", datatype: "BYTES", shape: [-1] }],
  outputs: [{ name: "explanation", datatype: "BYTES", shape: [-1] }],
};

function ported({ name, shape, dtype }: TensorInfo) {
  return { name, datatype: dtype === "float32" ? "FP32" : dtype.toUpperCase(), shape: [-1, ...shape.slice(1)] };
}

async function explanations(
  { explainers }: ServedModel,
  { inputs }: InferRequest,
  mostPixels: number,
): Promise<OutTensor[]> {
  const [image, ...more] = inputs;
  if (more.length > 0 || image.name !== "image" || image.kind !== "bytes")
    throw new InputError("inputs: expected one tensor, image, of datatype BYTES: whole files.");
  checkCount(image.values.length);
  const [explainer] = explainers.values();
  const texts: Uint8Array[] = [];
  for (const [index, bytes] of image.values.entries()) {
    const source = { name: `image-${index}`, bytes };
    await checkSize(source, { mostPixels });
    const { explanation } = await explainer.explain(source);
    texts.push(Buffer.from(JSON.stringify(explanation)));
  }
  return [{ name: "explanation", shape: [texts.length], kind: "bytes", values: texts }];
}

async function predictions(
  { predictor }: ServedModel,
  { inputs }: InferRequest,
  mostPixels: number,
): Promise<OutTensor[]> {
  const [first] = inputs;
  const count = first.shape[0] ?? 0;
  checkCount(count);
  const rows: NdArrays[] = [];
  if (first.kind === "bytes") {
    if (inputs.length > 1 || first.name !== "image")
      throw new InputError("inputs: expected one tensor, image, of datatype BYTES, or tensors of FP32.");
    for (const [index, bytes] of first.values.entries()) {
      const source = { name: `image-${index}`, bytes };
      await checkSize(source, { mostPixels });
      rows.push(await predictor.outputsOf(source));
    }
  } else {
    const wanted = predictor.inputs.map(({ name, shape }) => ({ name, shape }));
    for (const { name, shape } of wanted) {
      const given = inputs.find((input) => input.name === name);
      const expected = [count, ...shape.slice(1)];
      if (given?.kind !== "numbers" || String(given.shape) !== String(expected))
        throw new InputError(
          `inputs: ${name}: expected FP32 [${expected.join(", ")}], got ${given ? `[${given.shape.join(", ")}]` : "none"}.`,
        );
    }
    const unknown = inputs.find(({ name }) => !wanted.some((port) => port.name === name));
    if (unknown) throw new InputError(`inputs: "${unknown.name}" is no input of the model.`);
    for (let row = 0; row < count; row++) {
      const arrays = wanted.map(({ name, shape }) => {
        const size = shape.slice(1).reduce((product, side) => product * side, 1);
        const given = inputs.find((input) => input.name === name);
        const values = given?.kind === "numbers" ? given.values : new Float32Array();
        return [name, ndArray([1, ...shape.slice(1)], values.slice(row * size, (row + 1) * size))];
      });
      rows.push(await predictor.run(Object.fromEntries(arrays)));
    }
  }
  return Object.entries(rows[0]).map(([name, { shape, data }]) => {
    const values = new Float32Array(count * data.length);
    for (const [row, outputs] of rows.entries()) values.set(outputs[name].data, row * data.length);
    return { name, shape: [count, ...shape.slice(1)], kind: "numbers" as const, values };
  });
}

function checkCount(count: number): void {
  if (count >= 1 && count <= MOST_IMAGES) return;
  throw new InputError(`inputs: expected 1 to ${MOST_IMAGES} images, got ${count}.`);
}
