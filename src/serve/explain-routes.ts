/** `/v1`: models, answers and explanations. */

import type { FastifyInstance, FastifyRequest } from "fastify";
import sharp from "sharp";
import type { ExplainedImage, Explainer } from "../bundle/explainer.js";
import { InputError } from "../core/errors.js";
import type { SaliencyName } from "../explain/methods.js";
import { parseTarget } from "../explain/reading/parse-target.js";
import { sentencesOf } from "../explain/sentence.js";
import { ENGLISH } from "../explain/sentence-english.js";
import { graphKey } from "../explain/target.js";
import { toJpeg } from "../pictures/drawing.js";
import { maskFiles } from "../pictures/mask-png.js";
import { paintOverlay } from "../pictures/overlay.js";
import { rawOf, toBuffer } from "../pictures/painting.js";
import { requestImage } from "./request-image.js";
import type { ServedModel, ServedModels } from "./served-models.js";
import type { Working } from "./server.js";

/** Longer side of the picture that an overlay shows, pixels. */
const PICTURE_SIZE = 400;

export const MODEL = { type: "string", description: "Name of the model; needed where several are served" };
const ERROR = {
  type: "object",
  required: ["error"],
  properties: { error: { type: "string", description: "One line: what is wrong, and the cure" } },
};
export const FAILURES = {
  400: { description: "The image or a parameter is at fault", ...ERROR },
  404: { description: "No such model", ...ERROR },
  413: { description: "The image is too large", ...ERROR },
  503: { description: "Too much at once; Retry-After says when to come again", ...ERROR },
};
export const IMAGE_PROPERTIES = {
  image: { type: "string", minLength: 4, description: "The file in base64" },
  name: { type: "string", maxLength: 1000, description: "As it shall stand in the answer" },
};
const JSON_BODY = {
  content: {
    "application/json": {
      schema: { type: "object", required: ["image"], additionalProperties: false, properties: IMAGE_PROPERTIES },
    },
  },
};

interface Asked {
  readonly model?: string;
  readonly target?: string;
  readonly method?: SaliencyName;
  readonly interval?: boolean;
  readonly overlay?: "png" | "jpeg";
  readonly masks?: boolean;
}

export function addExplainRoutes(
  server: FastifyInstance,
  { models, working, mostPixels }: { models: ServedModels; working: Working; mostPixels: number },
): void {
  server.get(
    "/v1/models",
    {
      schema: {
        tags: ["explanations"],
        summary: "What is served: classes, aspects and methods of each model",
        response: { 200: { description: "The models", type: "object" } },
      },
    },
    async () => ({
      models: await Promise.all(models.names.map((name) => models.using(name, async (model) => about(model)))),
    }),
  );

  server.post(
    "/v1/predict",
    {
      schema: {
        tags: ["explanations"],
        summary: "The answer, and which aspects are seen",
        querystring: { type: "object", additionalProperties: false, properties: { model: MODEL } },
        body: JSON_BODY,
        response: { 200: { description: "prediction and aspects", type: "object" }, ...FAILURES },
      },
    },
    async (request, reply) => {
      const { model: name } = request.query as Asked;
      const image = await requestImage(request, { mostPixels });
      return working.do(request, reply, () =>
        models.using(name, async (model) => ({ model: model.name, ...(await model.predictor.predict(image)) })),
      );
    },
  );

  server.post(
    "/v1/explain",
    {
      schema: {
        tags: ["explanations"],
        summary: "The answer, and which aspects it relied on (aspectlens-explanation/2)",
        description:
          "With Accept: image/png or image/jpeg, the overlay alone. The format of the JSON: docs/formats.md.",
        querystring: {
          type: "object",
          additionalProperties: false,
          properties: {
            model: MODEL,
            target: {
              type: "string",
              description: "What is explained: CLASS, or CLASS:OTHER for the margin; the answer by default",
            },
            method: { type: "string", description: "A saliency method that the server was started with" },
            interval: { type: "boolean", description: "Adds relevanceInterval; takes 17 times as long" },
            overlay: { type: "string", enum: ["png", "jpeg"], description: "Adds the picture as base64, as overlay" },
            masks: { type: "boolean", description: "Adds the PNG files that the JSON names as base64, as masks" },
          },
        },
        body: JSON_BODY,
        response: { 200: { description: "The explanation", type: "object" }, ...FAILURES },
      },
    },
    async (request, reply) => {
      const asked = request.query as Asked;
      const image = await requestImage(request, { mostPixels });
      const alone = pictureAlone(request);
      const overlay = alone ?? asked.overlay;
      const answer = await working.do(request, reply, () =>
        models.using(asked.model, async (model) => {
          const explainer = explainerOf(model, asked.method);
          const target = targetOf(asked.target, explainer);
          const explained = await explainer.explain(image, {
            target,
            stem: stemOf(image.name),
            ...(asked.interval && { hasInterval: true }),
            ...(overlay && { pictureSize: PICTURE_SIZE }),
          });
          return { explained, picture: overlay && (await pictureOf(explained, overlay)) };
        }),
      );
      const { explained, picture } = answer;
      if (alone && picture) return reply.type(`image/${alone}`).send(picture);
      const files = asked.masks ? maskFiles(explained, { shape: explained }) : {};
      const masks = Object.fromEntries(Object.entries(files).map(([name, png]) => [name, base64(png)]));
      return {
        ...explained.explanation,
        sentences: sentencesOf(explained.explanation, ENGLISH),
        ...(picture && { overlay: base64(picture) }),
        ...(asked.masks && { masks }),
      };
    },
  );
}

/** What a client may know of a model: nothing of where it lies. */
function about({ name, description, explainers }: ServedModel) {
  const { model, provenance } = description;
  const [classifier] = model.heads.filter((head) => head.kind === "classifier");
  return {
    name,
    task: classifier.task,
    classes: classifier.classes,
    aspects: model.heads.flatMap((head) => (head.kind === "classifier" ? [] : [{ name: head.name, kind: head.kind }])),
    inputSize: model.trunk.inputSize,
    methods: [...explainers.keys()],
    unseen: provenance.unseen ?? {},
  };
}

export function explainerOf({ explainers }: ServedModel, method: SaliencyName | undefined): Explainer {
  const [own] = explainers.values();
  const found = method === undefined ? own : explainers.get(method);
  if (found) return found;
  throw new InputError(`method: "${method}" is not served.`, {
    cure: `Served: ${[...explainers.keys()].join(", ")}. Start the server with --methods ${method} for it.`,
  });
}

/** @throws InputError where it is none, or would need a graph that is not open. */
export function targetOf(text: string | undefined, { classifier, spec }: Explainer) {
  if (text === undefined) return undefined;
  const aspects = spec.heads.flatMap((head) => (head.kind === "classifier" ? [] : [head.name]));
  const target = parseTarget(text, classifier, { aspects });
  if (graphKey(target, classifier.task) === graphKey(undefined, classifier.task)) return target;
  throw new InputError(`target "${text}": needs a graph of its own, which a server does not make.`, {
    cure: "Name a class, or CLASS:OTHER; the command explain takes every target.",
  });
}

/** Names of mask files begin so. */
function stemOf(name: string): string {
  return name.replace(/\.[^.]*$/, "") || "image";
}

async function pictureOf(explained: ExplainedImage, format: "png" | "jpeg"): Promise<Uint8Array> {
  const { picture, width, height, explanation } = explained;
  if (!picture) throw new RangeError(`${explanation.image}: has no picture`);
  const sheet = await paintOverlay(explained, picture, { shape: { width, height } });
  if (format === "jpeg") return toJpeg(sheet);
  return new Uint8Array(
    await sharp(toBuffer(sheet), { raw: rawOf(sheet) })
      .png({ compressionLevel: 6 })
      .toBuffer(),
  );
}

/** Where the client takes a picture and no JSON. */
function pictureAlone({ headers }: FastifyRequest): "png" | "jpeg" | undefined {
  const accept = headers.accept ?? "";
  if (/application\/json|\*\/\*/.test(accept)) return undefined;
  if (accept.includes("image/png")) return "png";
  return accept.includes("image/jpeg") ? "jpeg" : undefined;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
}
