/** Every saliency method as plain float64 loops over flat arrays of one image, from the papers' formulas. */

import { answerEvidence, difference, filterWeights, type Representation } from "./explanation.js";

export interface Point extends Representation {
  readonly height: number;
  readonly width: number;
  readonly gradient: (features: readonly number[]) => number[];
  readonly value: (features: readonly number[]) => number;
}

const at = (point: Point) => Array.from(point.features);
const between = ({ features, reference, channels }: Point, share: number) =>
  Array.from(features, (value, index) => reference[index % channels] + share * (value - reference[index % channels]));
const times = (a: readonly number[], b: readonly number[]) => a.map((value, index) => value * b[index]);
const byChannel = (point: Point, weights: readonly number[]) =>
  difference(point).map((value, index) => weights[index % point.channels] * value);

export function gradCam(point: Point): number[] {
  return byChannel(point, filterWeights(point.gradient(at(point)), point.channels));
}

/** alpha = g^2 / (2 g^2 + sum_ab A_ab g^3). */
export function gradCamPlusPlus(point: Point): number[] {
  const g = point.gradient(at(point));
  const weights = Array.from({ length: point.channels }, (_, channel) => {
    const own = (values: ArrayLike<number>) =>
      Array.from(values).filter((_, index) => index % point.channels === channel);
    const total = own(point.features).reduce((sum, value) => sum + value, 0);
    return own(g).reduce((sum, slope) => {
      const below = 2 * slope ** 2 + total * slope ** 3;
      return sum + (below === 0 ? 0 : slope ** 2 / below) * Math.max(0, slope);
    }, 0);
  });
  return byChannel(point, weights);
}

export function scoreCam(point: Point): number[] {
  const { channels, reference } = point;
  const features = at(point);
  const places = features.length / channels;
  const nothing = point.value(between(point, 0));
  const rises = Array.from({ length: channels }, (_, channel) => {
    const own = Array.from({ length: places }, (_, place) => features[place * channels + channel]);
    const [low, high] = [Math.min(...own), Math.max(...own)];
    const map = own.map((value) => (high > low ? (value - low) / (high - low) : 0));
    const masked = features.map((value, index) => {
      const nothing = reference[index % channels];
      return nothing + map[Math.floor(index / channels)] * (value - nothing);
    });
    return point.value(masked) - nothing;
  });
  const most = Math.max(...rises);
  const total = rises.reduce((sum, rise) => sum + Math.exp(rise - most), 0);
  return byChannel(
    point,
    rises.map((rise) => Math.exp(rise - most) / total),
  );
}

export function hiresCam(point: Point): number[] {
  return times(point.gradient(at(point)), difference(point));
}

export function layerCam(point: Point): number[] {
  return times(
    point.gradient(at(point)).map((slope) => Math.max(0, slope)),
    difference(point),
  );
}

export function integratedGradients(point: Point, { steps = 16 } = {}): number[] {
  const sum = new Array<number>(point.features.length).fill(0);
  for (let step = 0; step < steps; step++) {
    for (const [index, slope] of point.gradient(between(point, (step + 0.5) / steps)).entries()) sum[index] += slope;
  }
  return times(
    sum.map((value) => value / steps),
    difference(point),
  );
}

export function evidence(point: Point): number[] {
  return answerEvidence(point, point.gradient(between(point, 0.5)));
}
