/** Annotations that are likely mistakes: boxes of a pixel, the same box twice, masks that cover all, sizes far off. */

import { type Box, boxArea, boxIou } from "../../core/box.js";
import type { Manifest } from "../manifest.js";
import type { SeenSample, SurveyPart } from "./seen-sample.js";

export interface SuspiciousLabel {
  readonly line: number;
  readonly aspect: string;
  /** Such as `box of 0.8 x 12.0 pixels`. */
  readonly text: string;
  /** The boxes in question; none for a mask. */
  readonly boxes?: readonly Box[];
}

/** Sides in pixels of the original below which a box holds nothing. */
const THIN = 1.5;
/** Overlap from which on two boxes are the same. */
const SAME = 0.95;
/** Share of the image from which on a mask covers all of it. */
const ALL = 0.98;
/** Kept of each sort; the others are counted. */
const KEPT = 12;
/** Largest and smallest things of each aspect that are looked at. */
const EXTREMES = 4;
/** Areas are counted in quarters of an octave from 2^-40 on; outliers lie this many interquartile ranges outside. */
const STEPS = 4;
const OCTAVES = 40;
const FAR = 3;
/** Things that an aspect needs for a usual size. */
const LEAST_THINGS = 30;

export interface SuspiciousLabels {
  readonly shown: readonly SuspiciousLabel[];
  /** How many there are in all. */
  readonly count: number;
}

export function suspiciousLabels({ aspects }: Manifest): SurveyPart<SuspiciousLabels> {
  const kept = new Map<string, SuspiciousLabel[]>();
  let count = 0;
  const report = (sort: string, label: SuspiciousLabel) => {
    count++;
    const own = kept.get(sort) ?? [];
    if (own.length < KEPT) own.push(label);
    kept.set(sort, own);
  };
  const usual = new Map(aspects.map(({ name }) => [name, areaRange()]));
  return {
    add({ record, line, image, masks }: SeenSample) {
      for (const { name: aspect } of aspects) {
        const boxes = record.aspects[aspect]?.boxes ?? [];
        for (const [index, box] of boxes.entries()) {
          const [height, width] = [box[2] - box[0], box[3] - box[1]];
          if (image && Math.min(height * image.height, width * image.width) < THIN) {
            const size = `${(width * image.width).toFixed(1)} x ${(height * image.height).toFixed(1)} pixels`;
            report("thin", { line, aspect, text: `box of ${size}`, boxes: [box] });
          }
          if (boxes.slice(0, index).some((other) => boxIou(other, box) > SAME))
            report("twice", { line, aspect, text: "the same box twice", boxes: [box] });
          usual.get(aspect)?.add(boxArea(box), { line, aspect, boxes: [box] });
        }
        const mask = masks.get(aspect);
        if (!mask) continue;
        const share = mask.reduce((sum, own) => sum + own, 0) / mask.length;
        if (share > ALL)
          report("all", { line, aspect, text: `mask covers ${(100 * share).toFixed(0)} % of the image` });
        else if (share > 0) usual.get(aspect)?.add(share, { line, aspect });
      }
    },
    result() {
      const outliers = [...usual.values()].flatMap((range) => range.outliers());
      return { shown: [...[...kept.values()].flat(), ...outliers], count: count + outliers.length };
    },
  };
}

type Where = Omit<SuspiciousLabel, "text">;

/** The usual areas of one aspect, in flat memory: a histogram, and the few largest and smallest with their places. */
function areaRange() {
  const bins = new Float64Array(OCTAVES * STEPS + 1);
  const binOf = (area: number) =>
    Math.max(0, Math.min(bins.length - 1, Math.floor((OCTAVES + Math.log2(area)) * STEPS)));
  const largest: { area: number; where: Where }[] = [];
  const smallest: { area: number; where: Where }[] = [];
  const keep = (list: typeof largest, item: (typeof largest)[number], sign: 1 | -1) => {
    list.push(item);
    list.sort((a, b) => sign * (b.area - a.area));
    list.length = Math.min(list.length, EXTREMES);
  };
  return {
    add(area: number, where: Where) {
      bins[binOf(area)]++;
      keep(largest, { area, where }, 1);
      keep(smallest, { area, where }, -1);
    },
    outliers(): SuspiciousLabel[] {
      const total = bins.reduce((sum, count) => sum + count, 0);
      if (total < LEAST_THINGS) return [];
      const at = (share: number) => {
        let below = 0;
        return bins.findIndex((count) => {
          below += count;
          return below >= share * total;
        });
      };
      const [low, middle, high] = [at(0.25), at(0.5), at(0.75)];
      const reach = FAR * Math.max(STEPS, high - low); // an octave at least
      const text = (area: number) => {
        const times = 2 ** Math.abs((binOf(area) - middle) / STEPS);
        return `${times.toFixed(0)} times ${binOf(area) > middle ? "larger" : "smaller"} than usual (area)`;
      };
      return [
        ...largest.filter(({ area }) => binOf(area) > high + reach),
        ...smallest.filter(({ area }) => binOf(area) < low - reach),
      ].map(({ area, where }) => ({ ...where, text: text(area) }));
    },
  };
}
