/**
 * Which answers need the absence of an aspect: the aspect is put into the representation of images without it, and the
 * answer is computed anew.
 *
 * What is put in is the aspect's mean features, of the images in which its head sees it, weighed by its evidence there; a
 * square of its usual size. Where the reference in the same square changes the answer too, it is what was covered that
 * counts, not what was put in. As in TCAV (Kim et al. 2018, arXiv:1711.11279) a direction of the representation stands for
 * a concept, but the features are replaced instead of only a derivative taken along the direction, so that the result is
 * an answer and needs no threshold of its own.
 */

import type { Absences } from "../../core/absences.js";
import type { Sample } from "../../core/annotation.js";
import type { NdArray } from "../../core/nd-array.js";
import type { Model } from "../../model/model.js";
import { explainConstants } from "../graph/graph-constants.js";
import { cellsPort, featuresPort, PLACES, prototypeFunction, type Square, squaresFunction } from "../graph/squares.js";
import { isMappedBadly } from "../reading/aspect-mapping.js";
import { readScores } from "../reading/read-scores.js";
import { LEAST_COUNT } from "../relevance-constants.js";
import type { MeasuringSetting } from "./calibration-passes.js";
import { firstSamples, keptSamples, overSamples } from "./run-over-samples.js";

const MOST_IMAGES = 150;

/** An aspect as it usually is. */
interface Prototype extends Square {
  readonly name: string;
}

/**
 * @param given.samples the same images at each call; neither labels nor annotations are read.
 * @returns empty where the classifier's task is not `single`.
 */
export async function measureAbsences(model: Model, given: MeasuringSetting): Promise<Absences> {
  const { classes, task } = model.classifier.spec;
  if (task !== "single" || model.aspects.length === 0) return {};
  const kept = await keptSamples(firstSamples(given.samples(), MOST_IMAGES));
  const { prototypes, images } = await look(model, { ...given, samples: kept });
  if (prototypes.length === 0) return {};
  const typical = overallMean(given.references[model.spec.source]);
  const sides = [...new Set(prototypes.map(({ side }) => side))];
  const squares = [...prototypes, ...sides.map((side) => ({ features: typical, side }))];
  const counts = new Map<string, Map<string, { changed: number; all: number }>>();
  let index = 0;
  const run = {
    engine: given.engine,
    fn: squaresFunction(model, squares),
    constants: given.parameters,
    samples: kept,
    batchSize: 1,
    name: "absences",
  };
  for await (const { outputs } of overSamples(model, run)) {
    const { answer: before, present } = images[index++];
    const byAspect = counts.get(before) ?? new Map<string, { changed: number; all: number }>();
    counts.set(before, byAspect);
    const isChanged = squares.map((_, row) => changedAt(outputs.logits, row, classes.indexOf(before)));
    for (const [row, { name, side }] of prototypes.entries()) {
      if (present.has(name)) continue;
      const covered = isChanged[prototypes.length + sides.indexOf(side)];
      const changed = isChanged[row].filter((is, place) => is && !covered[place]).length;
      const count = byAspect.get(name) ?? { changed: 0, all: 0 };
      byAspect.set(name, { changed: count.changed + Number(changed > PLACES.length / 2), all: count.all + 1 });
    }
  }
  const shares = [...counts].map(([name, byAspect]) => {
    const enough = [...byAspect].filter(([, { changed, all }]) => all >= LEAST_COUNT && changed > 0);
    return [name, Object.fromEntries(enough.map(([aspect, { changed, all }]) => [aspect, changed / all]))] as const;
  });
  return Object.fromEntries(shares.filter(([, byAspect]) => Object.keys(byAspect).length > 0));
}

/** What each image is answered, which aspects its heads see, and how those look. */
async function look(
  model: Model,
  {
    engine,
    parameters,
    references,
    samples,
    batchSize,
  }: Omit<MeasuringSetting, "samples"> & {
    samples: readonly (readonly Sample[])[];
  },
): Promise<{ prototypes: Prototype[]; images: { answer: string; present: Set<string> }[] }> {
  const images: { answer: string; present: Set<string> }[] = [];
  const sums = new Map<string, { count: number; cells: number; features: Float64Array }>();
  const constants = explainConstants({ parameters, references });
  const run = { engine, fn: prototypeFunction(model), constants, samples, batchSize, name: "prototypes" };
  for await (const { outputs } of overSamples(model, run)) {
    const { prediction, aspects } = readScores(outputs, model);
    const present = new Set(aspects.filter(({ isPresent }) => isPresent).map(({ name }) => name));
    images.push({ answer: "class" in prediction ? prediction.class : "", present });
    for (const name of present) {
      if (isMappedBadly(model.spec, name)) continue;
      const [features, [cells]] = [outputs[featuresPort(name)].data, outputs[cellsPort(name)].data];
      if (cells === 0) continue;
      const sum = sums.get(name) ?? { count: 0, cells: 0, features: new Float64Array(features.length) };
      for (let channel = 0; channel < features.length; channel++) sum.features[channel] += features[channel];
      sums.set(name, { ...sum, count: sum.count + 1, cells: sum.cells + cells });
    }
  }
  const prototypes = [...sums].flatMap(([name, { count, cells, features }]) => {
    if (count < LEAST_COUNT) return [];
    const side = Math.max(1, Math.round(Math.sqrt(cells / count)));
    return [{ name, features: Float32Array.from(features, (sum) => sum / count), side }];
  });
  return { prototypes, images };
}

/** Whether the answer with one square is another than before, at each place. */
function changedAt({ shape, data }: NdArray, square: number, before: number): boolean[] {
  const classes = shape[2];
  return PLACES.map((_, place) => {
    const first = (square * PLACES.length + place) * classes;
    return data.subarray(first, first + classes).some((logit) => logit > data[first + before]);
  });
}

/** The reference over all images, the last row of a table. */
function overallMean({ shape: [rows, channels], data }: NdArray): Float32Array {
  return Float32Array.from(data.subarray((rows - 1) * channels, rows * channels));
}
