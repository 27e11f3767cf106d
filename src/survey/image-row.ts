/** What a report keeps of one image: a row with its aspects and their instances, and the columns of the shard's file. */

import type { ExplainedImage } from "../bundle/explainer.js";
import type { Crop } from "../core/augmented-view.js";
import type { AspectExplanation, Prediction } from "../explain/explanation.js";
import type { PlannedImage } from "./planned-images.js";

/** Numbers keep six digits behind the point, so that their sums are exact. */
const DIGITS = 1e6;

/** Columns of a shard, in the way that DuckDB's `from_json` names types. */
export const COLUMNS = {
  image: "BIGINT",
  path: "VARCHAR",
  sha256: "VARCHAR",
  error: "VARCHAR",
  width: "INTEGER",
  height: "INTEGER",
  crop: { left: "INTEGER", top: "INTEGER", width: "INTEGER", height: "INTEGER" },
  split: "VARCHAR",
  groups: "MAP(VARCHAR, VARCHAR)",
  label: "VARCHAR",
  labels: ["VARCHAR"],
  value: "DOUBLE",
  predicted: "VARCHAR",
  score: "DOUBLE",
  predictedLabels: ["VARCHAR"],
  predictedValue: "DOUBLE",
  isRight: "BOOLEAN",
  case: "VARCHAR",
  headline: "VARCHAR",
  elsewhere: "DOUBLE",
  outside: "DOUBLE",
  against: "DOUBLE",
  absenceOf: ["VARCHAR"],
  aspects: [
    {
      name: "VARCHAR",
      isPresent: "BOOLEAN",
      isRelevant: "BOOLEAN",
      presence: "DOUBLE",
      relevance: "DOUBLE",
      share: "DOUBLE",
      strength: "VARCHAR",
      score: "DOUBLE",
      survival: "DOUBLE",
      against: "DOUBLE",
      elsewhere: "DOUBLE",
      area: "DOUBLE",
      instances: [{ box: ["DOUBLE"], presence: "DOUBLE", score: "DOUBLE", survival: "DOUBLE", area: "DOUBLE" }],
    },
  ],
} as const;

/** One row; what is absent is null in the file. */
export type ImageRow = { readonly [Column in keyof typeof COLUMNS]?: unknown } & {
  readonly image: number;
  readonly path: string;
};

/** Of an image that was explained. */
export function explainedRow(
  planned: PlannedImage,
  { image, sha256, explained }: { image: number; sha256: string | null; explained: ExplainedImage },
): ImageRow {
  const { explanation, width, height } = explained;
  const { prediction, headline, elsewhere, outside, against, absenceOf, aspects } = explanation;
  const crop: Crop | undefined = explanation.crop;
  return {
    ...known(planned, { image, sha256 }),
    ...{ width, height, crop },
    ...answer(prediction),
    isRight: isRight(planned, prediction),
    case: headline.case,
    headline: headline.text,
    ...{ elsewhere: rounded(elsewhere), outside: rounded(outside), against: rounded(against), absenceOf },
    aspects: aspects.map(aspectOf),
  };
}

/** Of one that cannot be read. */
export function failedRow(
  planned: PlannedImage,
  { image, sha256, error }: { image: number; sha256: string | null; error: string },
): ImageRow {
  return { ...known(planned, { image, sha256 }), error };
}

function known(
  { path, split, label, labels, value, groups }: PlannedImage,
  { image, sha256 }: { image: number; sha256: string | null },
) {
  return { image, path, sha256, split, label, labels, value, groups };
}

function answer(prediction: Prediction): Partial<ImageRow> {
  if ("value" in prediction) return { predictedValue: prediction.value };
  const one = { predicted: prediction.class, score: rounded(prediction.score) };
  return "labels" in prediction ? { ...one, predictedLabels: prediction.labels } : one;
}

/** Of several labels, that the explained one is among the true ones; nothing is said where there is no label. */
function isRight({ label, labels }: PlannedImage, prediction: Prediction): boolean | undefined {
  if ("value" in prediction) return undefined;
  if (labels) return labels.includes(prediction.class);
  return label === undefined ? undefined : label === prediction.class;
}

function aspectOf(aspect: AspectExplanation) {
  const { name, isPresent, isRelevant, strength, presence, relevance, share, score, survival } = aspect;
  return {
    ...{ name, isPresent, isRelevant, strength },
    ...{ presence: rounded(presence), relevance: rounded(relevance), share: rounded(share), score: rounded(score) },
    ...{ survival: rounded(survival), against: rounded(aspect.against), elsewhere: rounded(aspect.elsewhere) },
    area: rounded(aspect.area),
    instances: aspect.instances.map((instance) => ({
      box: instance.box.map(rounded),
      ...{ presence: rounded(instance.presence), score: rounded(instance.score) },
      ...{ survival: rounded(instance.survival), area: rounded(instance.area) },
    })),
  };
}

function rounded(value: number | null | undefined): number | null {
  return value === null || value === undefined || !Number.isFinite(value) ? null : Math.round(value * DIGITS) / DIGITS;
}
