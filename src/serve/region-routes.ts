/** `/v1/regions` and `/v1/intervene`: what lies in a region, and what becomes of the answer without it. */

import type { FastifyInstance } from "fastify";
import { InputError } from "../core/errors.js";
import { pixelCount, type Size } from "../core/size.js";
import { decodeImage } from "../dataset/open-image.js";
import { sentencesOf } from "../explain/sentence.js";
import { ENGLISH } from "../explain/sentence-english.js";
import { inpaint } from "../faithfulness/inpaint.js";
import { imageSizes } from "../model/model-spec.js";
import { drawnMask, REGION, type SentRegion } from "./drawn-mask.js";
import { explainerOf, FAILURES, IMAGE_PROPERTIES, MODEL, targetOf } from "./explain-routes.js";
import { requestImage } from "./request-image.js";
import type { ServedModels } from "./served-models.js";
import type { Working } from "./server.js";

/** Of the image; what is left must be enough to paint from. */
const LARGEST_HOLE = 0.6;
/** Painted over beside a region, pixels: its edge shows what was there. */
const MARGIN = 3;

interface Asked {
  readonly model?: string;
  readonly target?: string;
}

interface RegionsBody {
  readonly regions: readonly SentRegion[];
}

interface InterveneBody {
  readonly remove?: { readonly aspects?: readonly string[]; readonly regions?: readonly SentRegion[] };
  readonly keep?: { readonly aspects?: readonly string[]; readonly regions?: readonly SentRegion[] };
}

const QUERY = {
  type: "object",
  additionalProperties: false,
  properties: { model: MODEL, target: { type: "string", description: "As of /v1/explain" } },
};
const PARTS = {
  type: "object",
  additionalProperties: false,
  properties: {
    aspects: {
      type: "array",
      items: { type: "string" },
      maxItems: 256,
      description: "Names: their places in this image",
    },
    regions: { type: "array", items: REGION, maxItems: 32 },
  },
};

const bodyOf = (properties: object, required: readonly string[]) => ({
  content: {
    "application/json": {
      schema: {
        type: "object",
        additionalProperties: false,
        required: ["image", ...required],
        properties: { ...IMAGE_PROPERTIES, ...properties },
      },
    },
  },
});

export function addRegionRoutes(
  server: FastifyInstance,
  { models, working, mostPixels }: { models: ServedModels; working: Working; mostPixels: number },
): void {
  server.post(
    "/v1/regions",
    {
      schema: {
        tags: ["explanations"],
        summary: "How much of the evidence lies in regions, which aspects are there, and what each accounts for",
        querystring: QUERY,
        body: bodyOf({ regions: { type: "array", items: REGION, minItems: 1, maxItems: 32 } }, ["regions"]),
        response: { 200: { description: "regions, in order", type: "object" }, ...FAILURES },
      },
    },
    async (request, reply) => {
      const { model: name, target: text } = request.query as Asked;
      const { regions } = request.body as RegionsBody;
      const image = await requestImage(request, { mostPixels });
      return working.do(request, reply, () =>
        models.using(name, async (model) => {
          const explainer = explainerOf(model, undefined);
          const masks = regions.map((region) => drawnMask(region, explainer.spec.trunk.inputSize));
          const target = targetOf(text, explainer);
          const { explanation, drawn } = await explainer.explain(image, { target, regions: masks });
          return {
            model: model.name,
            image: image.name,
            prediction: explanation.prediction,
            target: explanation.target,
            regions: drawn,
          };
        }),
      );
    },
  );

  server.post(
    "/v1/intervene",
    {
      schema: {
        tags: ["explanations"],
        summary: "The answer, and its explanation, with aspects or regions painted over, or with nothing else left",
        description:
          "An experiment on the image: what is removed is painted over from its surroundings (push-pull), so that the answer is that of an image that nobody took.",
        querystring: QUERY,
        body: bodyOf({ remove: PARTS, keep: PARTS }, []),
        response: { 200: { description: "before and after", type: "object" }, ...FAILURES },
      },
    },
    async (request, reply) => {
      const { model: name, target: text } = request.query as Asked;
      const { remove, keep } = request.body as InterveneBody;
      if ((remove === undefined) === (keep === undefined))
        throw new InputError("the body: expected either remove or keep.", {
          cure: 'As in "remove": { "aspects": ["crack"] }.',
        });
      const parts = remove ?? keep ?? {};
      const image = await requestImage(request, { mostPixels });
      return working.do(request, reply, () =>
        models.using(name, async (model) => {
          const explainer = explainerOf(model, undefined);
          const { inputSize: size, otherSizes, centerCrop } = imageSizes(explainer.spec);
          if (otherSizes.length > 0)
            throw new InputError("intervene: this model has networks that see the image at other sizes.", {
              cure: "Ask a model of one network.",
            });
          const target = targetOf(text, explainer);
          const before = await explainer.explain(image, { target });
          const mask = maskOf(parts, { regionsOf: before.maps.regions, known: namesOf(explainer.spec), size });
          const hole = remove ? widened(mask, size) : mask.map((value) => (value === 0 ? 1 : 0));
          const share = hole.reduce((sum, value) => sum + value, 0) / pixelCount(size);
          if (remove && share > LARGEST_HOLE)
            throw new InputError(`remove: ${Math.round(100 * share)} % of the image would be painted over.`, {
              cure: `At most ${100 * LARGEST_HOLE} % can be: too little is left to paint from.`,
            });
          const decoded = await decodeImage(image.bytes, { name: image.name, size, centerCrop });
          const pixels = inpaint(decoded.pixels, { size, hole });
          // The question stays, even where the answer changes.
          const after = await explainer.explain({ ...decoded, pixels }, { target: before.explanation.target });
          const own = await explainer.explain({ ...decoded, pixels }, { target });
          return {
            model: model.name,
            isIntervention: true,
            paintedOver: share,
            before: told(before.explanation),
            after: told(own.explanation),
            sameQuestion: told(after.explanation),
          };
        }),
      );
    },
  );
}

function told(explanation: Parameters<typeof sentencesOf>[0]) {
  return { ...explanation, sentences: sentencesOf(explanation, ENGLISH) };
}

function namesOf({ heads }: { heads: readonly { readonly name: string; readonly kind: string }[] }): string[] {
  return heads.filter(({ kind }) => kind !== "classifier").map(({ name }) => name);
}

/** All that is named, together. @throws InputError where an aspect is unknown or has no place, or nothing is named. */
function maskOf(
  { aspects = [], regions = [] }: NonNullable<InterveneBody["remove"]>,
  { regionsOf, known, size }: { regionsOf: Readonly<Record<string, Uint8Array>>; known: readonly string[]; size: Size },
): Uint8Array {
  if (aspects.length + regions.length === 0)
    throw new InputError("the body: names neither aspects nor regions.", { cure: "Name what is to be painted over." });
  const masks = regions.map((region) => drawnMask(region, size));
  for (const name of aspects) {
    if (!known.includes(name))
      throw new InputError(`aspects: the model has no "${name}".`, { cure: `It has: ${known.join(", ")}.` });
    const place = Object.hasOwn(regionsOf, name) ? regionsOf[name] : undefined;
    if (!place) throw new InputError(`aspects: ${name} is not seen in this image, or has no place.`);
    masks.push(place);
  }
  return Uint8Array.from({ length: pixelCount(size) }, (_, at) => (masks.some((mask) => mask[at] !== 0) ? 1 : 0));
}

/** By a few pixels in all directions. */
function widened(mask: Uint8Array, size: Size): Uint8Array {
  const [height, width] = typeof size === "number" ? [size, size] : size;
  const wide = new Uint8Array(mask.length);
  for (let at = 0; at < mask.length; at++) {
    if (mask[at] === 0) continue;
    const [row, column] = [Math.floor(at / width), at % width];
    for (let y = Math.max(0, row - MARGIN); y <= Math.min(height - 1, row + MARGIN); y++)
      wide.fill(1, y * width + Math.max(0, column - MARGIN), y * width + Math.min(width - 1, column + MARGIN) + 1);
  }
  return wide;
}
