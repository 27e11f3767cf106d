/** What an explanation says of an image, as annotation tools have it: categories, boxes and masks in its own pixels. */

import type { Crop } from "../core/augmented-view.js";
import { enlargeRegion } from "../core/enlarge-region.js";
import { ownValue } from "../core/own-value.js";
import { exportNames } from "../dataset/formats/export-names.js";
import type { MarkNames } from "../dataset/formats/export-writer.js";
import type { PredictedImage, PredictedMark } from "../dataset/formats/predictions.js";
import type { AspectExplanation, Explained } from "../explain/explanation.js";
import type { HeadSpec } from "../heads/head-spec.js";

/** The categories of a model: its classes, and its aspects by what they mark. */
export function categoriesOf(heads: readonly HeadSpec[]): MarkNames {
  const classifier = heads.find((head) => head.kind === "classifier");
  const aspects = heads.flatMap((head) =>
    head.kind === "classifier" ? [] : [{ name: head.name, kind: markedBy(head) }],
  );
  const names = exportNames({ classes: classifier?.kind === "classifier" ? classifier.classes : [], aspects });
  const ofKind = (kind: string) => aspects.filter((aspect) => aspect.kind === kind).map(({ name }) => name);
  return {
    ...names,
    tags: [...names.classes.values(), ...ofKind("presence")],
    boxes: ofKind("boxes"),
    masks: ofKind("segmentation"),
    isMulti: classifier?.kind === "classifier" && classifier.task === "multi",
  };
}

/** An amount is a map, or says of the whole image that there is some. */
function markedBy(head: Exclude<HeadSpec, { kind: "classifier" }>): "segmentation" | "boxes" | "presence" {
  if (head.kind === "amount") return head.form === "map" ? "segmentation" : "presence";
  return head.kind;
}

/**
 * @param options.path of the image, as the files shall have it.
 * @param options.width of the upright original, with `height`, pixels.
 */
export function predictedImage(
  { explanation, maps }: Explained,
  { path, width, height, names }: { path: string; width: number; height: number; names: MarkNames },
): PredictedImage {
  const { prediction, headline, aspects, elsewhere, absenceOf, crop } = explanation;
  const seen: Crop = crop ?? { left: 0, top: 0, width, height };
  const answers = "labels" in prediction ? prediction.labels : "class" in prediction ? [prediction.class] : [];
  const present = aspects.filter(({ isPresent }) => isPresent);
  const tagged = present.filter(({ name }) => names.tags.includes(name)).map(({ name }) => name);
  return {
    ...{ path, width, height },
    tags: [...answers.flatMap((name) => names.classes.get(name) ?? []), ...tagged],
    marks: present.flatMap((aspect): PredictedMark[] => {
      const common = {
        ...{ category: aspect.name, isIgnored: false, isDerived: aspect.isPlaceDerived === true },
        attributes: attributesOf(aspect),
      };
      if (aspect.kind === "boxes")
        return aspect.instances.map(({ box: [yMin, xMin, yMax, xMax], presence }) => ({
          ...{ ...common, kind: "box", score: presence },
          ...{ x: seen.left + xMin * seen.width, y: seen.top + yMin * seen.height },
          ...{ width: (xMax - xMin) * seen.width, height: (yMax - yMin) * seen.height },
        }));
      const region = ownValue(maps.regions, aspect.name);
      if (!region) return [];
      const inside = enlargeRegion(region, { size: maps.size, shape: seen });
      const pixels = crop ? placed(inside, { crop, width, height }) : inside;
      return pixels.includes(1) ? [{ ...common, kind: "mask", score: aspect.presence, pixels }] : [];
    }),
    ...("score" in prediction && { score: prediction.score }),
    attributes: {
      ...{ headline: headline.text, case: headline.case },
      ...("class" in prediction ? { answer: prediction.class, score: prediction.score } : { value: prediction.value }),
      ...("labels" in prediction && { labels: prediction.labels }),
      ...{ elsewhere, absenceOf },
      aspects: aspects.map((aspect) => ({ name: aspect.name, isPresent: aspect.isPresent, ...attributesOf(aspect) })),
    },
  };
}

function attributesOf({ presence, isRelevant, relevance, share, strength, isPlaceDerived }: AspectExplanation) {
  return {
    ...{ presence: rounded(presence), isRelevant, relevance: rounded(relevance), share: rounded(share), strength },
    ...(isPlaceDerived && { isPlaceDerived }),
  };
}

function rounded(value: number | null): number | null {
  return value === null ? null : Number(value.toFixed(4));
}

/** The middle square in the whole image. */
function placed(
  inside: Uint8Array,
  { crop, width, height }: { crop: Crop; width: number; height: number },
): Uint8Array {
  const pixels = new Uint8Array(width * height);
  for (let y = 0; y < crop.height; y++)
    pixels.set(inside.subarray(y * crop.width, (y + 1) * crop.width), (crop.top + y) * width + crop.left);
  return pixels;
}
