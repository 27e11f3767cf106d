/** A small explained image: a relevant necrosis, a relevant mitosis in a box, an irrelevant nucleus, an absent vessel. */

import type { AspectExplanation, Explained, Explanation } from "../../src/explain/explanation.js";
import type { RgbImage } from "../../src/pictures/painting.js";

export const SIZE = 128;

/** `[SIZE * SIZE]` with a disc of ones. */
export function disc(centreY: number, centreX: number, radius: number): Uint8Array {
  return Uint8Array.from({ length: SIZE * SIZE }, (_, i) =>
    Math.hypot(Math.floor(i / SIZE) - centreY, (i % SIZE) - centreX) <= radius ? 1 : 0,
  );
}

export const necrosis: AspectExplanation = {
  name: "necrosis",
  kind: "segmentation",
  presence: 0.97,
  relevance: 0.58,
  relevanceApart: 0.58,
  survival: 0.71,
  relevanceInterval: null,
  isPresent: true,
  isRelevant: true,
  area: 0.1,
  instances: [{ box: [0.2, 0.15, 0.55, 0.5], area: 0.1, presence: 0.97, relevance: 0.58, survival: 0.71 }],
};
const mitosis: AspectExplanation = {
  name: "mitosis",
  kind: "boxes",
  presence: 0.9,
  relevance: 0.41,
  relevanceApart: 0.41,
  survival: 0.66,
  relevanceInterval: null,
  isPresent: true,
  isRelevant: true,
  instances: [
    { box: [0.6, 0.6, 0.75, 0.75], presence: 0.9, relevance: 0.41, survival: 0.66 },
    { box: [0.1, 0.75, 0.22, 0.87], presence: 0.8, relevance: 0.05, survival: 0.2 },
  ],
};
const nucleus: AspectExplanation = {
  name: "nucleus",
  kind: "segmentation",
  presence: 0.99,
  relevance: 0.06,
  relevanceApart: 0.06,
  survival: 0.11,
  relevanceInterval: [0.02, 0.11],
  isPresent: true,
  isRelevant: false,
  area: 0.03,
  instances: [{ box: [0.7, 0.15, 0.9, 0.35], area: 0.03, presence: 0.99, relevance: 0.06, survival: 0.11 }],
};
const vessel: AspectExplanation = {
  name: "vessel",
  kind: "presence",
  presence: 0.08,
  relevance: null,
  relevanceApart: null,
  survival: null,
  relevanceInterval: null,
  isPresent: false,
  isRelevant: false,
};

export const explanation: Explanation = {
  format: "aspectlens-explanation/1",
  image: "tissue.png",
  prediction: { class: "malignant", score: 0.97, scores: { benign: 0.03, malignant: 0.97 } },
  target: { kind: "log-odds", class: "malignant" },
  saliency: "evidence",
  masking: "filter-weights",
  threshold: 0.31,
  thresholdBeside: 0.31,
  isExplained: true,
  aspects: [nucleus, mitosis, necrosis, vessel],
  unexplained: 0.11,
};

export const explained: Explained = {
  explanation,
  maps: {
    size: SIZE,
    regions: { necrosis: disc(48, 41, 22), nucleus: disc(102, 32, 12) },
    survival: { necrosis: disc(48, 41, 22).map((value) => value * 200), nucleus: disc(102, 32, 12).map((v) => v * 30) },
    saliency: {
      offset: 0,
      height: 8,
      width: 8,
      values: Float32Array.from({ length: 64 }, (_, i) =>
        Math.max(0, 3 - Math.hypot(Math.floor(i / 8) - 2.5, (i % 8) - 2.2)),
      ),
    },
  },
};

/** A pink ground with a darker disc where the necrosis is. */
export function tissue({ width, height }: { width: number; height: number }): RgbImage {
  const pixels = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    const [y, x] = [Math.floor(i / width) / height, (i % width) / width];
    const isDark = Math.hypot(y - 0.375, x - 0.32) < 0.17 || Math.hypot(y - 0.8, x - 0.25) < 0.09;
    pixels.set(isDark ? [150, 90, 150] : [235, 190 + 10 * Math.sin(40 * x), 215], 3 * i);
  }
  return { width, height, pixels };
}
