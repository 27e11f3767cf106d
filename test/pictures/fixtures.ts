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
  score: 0.083,
  relevance: 0.95,
  survival: 0.71,
  relevanceInterval: null,
  isPresent: true,
  isRelevant: true,
  share: 0.58,
  elsewhere: 0,
  strength: "decisive",
  against: 0,
  area: 0.1,
  instances: [{ box: [0.2, 0.15, 0.55, 0.5], area: 0.1, presence: 0.97, score: 0.083, survival: 0.71 }],
};
export const mitosis: AspectExplanation = {
  name: "mitosis",
  kind: "boxes",
  presence: 0.9,
  score: 0.041,
  relevance: 0.81,
  survival: 0.66,
  relevanceInterval: null,
  isPresent: true,
  isRelevant: true,
  share: 0.31,
  elsewhere: 0,
  strength: "strong",
  against: 0.002,
  instances: [
    { box: [0.6, 0.6, 0.75, 0.75], presence: 0.9, score: 0.041, survival: 0.66 },
    { box: [0.1, 0.75, 0.22, 0.87], presence: 0.8, score: 0.005, survival: 0.2 },
  ],
};
export const nucleus: AspectExplanation = {
  name: "nucleus",
  kind: "segmentation",
  presence: 0.99,
  score: 0.005,
  relevance: 0.06,
  survival: 0.11,
  relevanceInterval: [0.02, 0.11],
  isPresent: true,
  isRelevant: false,
  share: 0,
  elsewhere: 0,
  strength: null,
  against: 0.03,
  area: 0.03,
  instances: [{ box: [0.7, 0.15, 0.9, 0.35], area: 0.03, presence: 0.99, score: 0.005, survival: 0.11 }],
};
export const vessel: AspectExplanation = {
  name: "vessel",
  kind: "presence",
  presence: 0.08,
  score: null,
  relevance: null,
  survival: null,
  relevanceInterval: null,
  isPresent: false,
  isRelevant: false,
  share: 0,
  elsewhere: 0,
  strength: null,
  against: null,
  instances: [],
};

/** The aspect as one of another network, cells. */
export function mapped(aspect: AspectExplanation, agreement: number | null): AspectExplanation {
  const isTooPoor = agreement !== null && agreement < 0.5;
  const mapping = { network: "cells", kind: "linear", from: "a", to: "b", r2: 0.6, agreement, isTooPoor } as const;
  return { ...aspect, mapping };
}

export const explanation: Explanation = {
  format: "aspectlens-explanation/2",
  image: "tissue.png",
  prediction: { class: "malignant", score: 0.97, scores: { benign: 0.03, malignant: 0.97 } },
  target: { kind: "log-odds", class: "malignant" },
  targetAspect: null,
  saliency: "evidence",
  masking: "filter-weights",
  scale: { kind: "probability", line: 0.02, slope: 2, by: "general" },
  headline: { case: "named", text: "malignant 97 % because of necrosis (decisive) and mitosis (strong)" },
  aspects: [nucleus, mitosis, necrosis, vessel],
  elsewhere: 0.11,
  outside: 0.11,
  against: 0.04,
  absenceOf: [],
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

/** The same where no aspect is relevant. */
export const unexplained: Explained = {
  ...explained,
  explanation: {
    ...explanation,
    headline: { case: "elsewhere", text: "malignant 97 %: no known aspect explains this" },
    aspects: explanation.aspects.map((aspect) => ({
      ...aspect,
      relevance: aspect.score === null ? null : 0.1,
      isRelevant: false,
      share: 0,
      elsewhere: 0,
      strength: null,
    })),
    elsewhere: 1,
  },
};

/** The same of a method that is not calibrated: scores rank, and nothing is relevant or not. */
export const ranked: Explained = {
  ...explained,
  explanation: {
    ...explanation,
    scale: { kind: "uncalibrated" },
    headline: {
      case: "ranked",
      text: "malignant 97 %: necrosis 0.083, mitosis 0.041 and nucleus 0.005; not calibrated, scores only rank",
    },
    aspects: explanation.aspects.map((aspect) => ({
      ...aspect,
      relevance: null,
      relevanceInterval: null,
      isRelevant: aspect.score === null ? false : null,
      share: null,
      elsewhere: 0,
      strength: null,
    })),
    elsewhere: null,
  },
};
