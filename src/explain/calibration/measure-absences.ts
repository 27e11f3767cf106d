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

import * as tf from "@tensorflow/tfjs";
import type { Absences } from "../../core/absences.js";
import type { Sample } from "../../core/annotation.js";
import type { NdArray, NdArrays } from "../../core/nd-array.js";
import type { Engine, TensorFunction } from "../../engine/engine.js";
import { answer, type Model } from "../../model/model.js";
import { resizeBilinear } from "../../ops/resize-bilinear.js";
import { TINY } from "../../ops/tiny.js";
import { explanationOutputs } from "../graph/explain-function.js";
import { explainConstants } from "../graph/graph-constants.js";
import { explanationSteps } from "../graph/steps.js";
import { readScores } from "../reading/read-scores.js";
import { LEAST_COUNT } from "../relevance-constants.js";
import { firstSamples, keptSamples, overSamples } from "./run-over-samples.js";

const MOST_IMAGES = 150;
/** Where an aspect is put, one after the other, as shares of height and width; the answer at most of them counts. */
const PLACES = [
  [0.25, 0.25],
  [0.25, 0.75],
  [0.5, 0.5],
  [0.75, 0.25],
  [0.75, 0.75],
] as const;

/** What is put in, and how large. */
interface Square {
  /** One number a channel of the source layer. */
  readonly features: Float32Array;
  /** In cells. */
  readonly side: number;
}

/** An aspect as it usually is. */
interface Prototype extends Square {
  readonly name: string;
}

/**
 * @param given.samples the same images at each call; neither labels nor annotations are read.
 * @returns empty where the classifier's task is not `single`.
 */
export async function measureAbsences(
  model: Model,
  given: {
    engine: Engine;
    parameters: NdArrays;
    references: NdArrays;
    samples: () => AsyncIterable<readonly Sample[]> | Iterable<readonly Sample[]>;
    batchSize: number;
  },
): Promise<Absences> {
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
    fn: withSquares(model, squares),
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
  }: Omit<Parameters<typeof measureAbsences>[1], "samples"> & {
    samples: readonly (readonly Sample[])[];
  },
): Promise<{ prototypes: Prototype[]; images: { answer: string; present: Set<string> }[] }> {
  const images: { answer: string; present: Set<string> }[] = [];
  const sums = new Map<string, { count: number; cells: number; features: Float64Array }>();
  const constants = explainConstants({ parameters, references });
  const run = { engine, fn: lookFunction(model), constants, samples, batchSize, name: "prototypes" };
  for await (const { outputs } of overSamples(model, run)) {
    const { prediction, aspects } = readScores(outputs, model);
    const present = new Set(aspects.filter(({ isPresent }) => isPresent).map(({ name }) => name));
    images.push({ answer: "class" in prediction ? prediction.class : "", present });
    for (const name of present) {
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

const featuresPort = (name: string) => `${name}/features`;
const cellsPort = (name: string) => `${name}/cells`;

/**
 * What `explainFunction` gives, and of each aspect the mean of the source layer's features `[batch, channels]` and how
 * many cells it covers `[batch, 1]`, both weighed by its evidence for being there: `(sum w)^2 / sum w^2` of n equal
 * weights is n.
 */
function lookFunction(model: Model): TensorFunction {
  return (given) =>
    tf.tidy(() => {
      const steps = explanationSteps(model, given);
      const outputs = explanationOutputs(model, steps);
      const source = model.trunk.run(given.constants, { input: given.inputs.image as tf.Tensor4D }, [
        model.spec.source,
      ]);
      const features = source[model.spec.source];
      const [, height, width] = features.shape;
      for (const [name, { evidence }] of Object.entries(steps.aspects)) {
        const parts = evidence.map((one) => resizeBilinear(tf.relu(tf.sum(one, 3, true)), [height, width]));
        const weights = parts.reduce((a, b) => tf.add(a, b)); // [batch, height, width, 1]
        const total = tf.sum(weights, [1, 2]); // [batch, 1]
        outputs[featuresPort(name)] = tf.div(tf.sum(tf.mul(features, weights), [1, 2]), tf.maximum(total, TINY));
        outputs[cellsPort(name)] = tf.div(tf.square(total), tf.maximum(tf.sum(tf.square(weights), [1, 2]), TINY));
      }
      return { outputs };
    });
}

/** `logits` `[1, squares * places, classes]`: the answers of one image with each square at each place. */
function withSquares(model: Model, squares: readonly Square[]): TensorFunction {
  const { trunk, classifier, spec } = model;
  const { taps } = classifier.spec;
  return ({ inputs, constants }) =>
    tf.tidy(() => {
      const image = inputs.image as tf.Tensor4D;
      const features = trunk.run(constants, { input: image }, [spec.source])[spec.source];
      const changed = squares.flatMap((square) => PLACES.map((place) => placed(features, square, place)));
      const isAlone = taps.every((to) => trunk.leadsTo(spec.source, to));
      const around: Record<string, tf.Tensor4D> = isAlone ? {} : { input: tf.tile(image, [changed.length, 1, 1, 1]) };
      const layers = trunk.run(constants, { ...around, [spec.source]: tf.concat(changed, 0) }, taps);
      const logits = answer(classifier, constants, layers);
      return { outputs: { logits: tf.reshape(logits, [1, changed.length, -1]) } };
    });
}

/** The features with a square of others in them, as far as it fits. */
function placed(
  features: tf.Tensor4D,
  { features: other, side }: Square,
  [down, right]: readonly [number, number],
): tf.Tensor4D {
  const [, height, width, channels] = features.shape;
  const start = (share: number, length: number) =>
    Math.min(Math.max(0, length - side), Math.max(0, Math.round(share * length - side / 2)));
  const [top, left] = [start(down, height), start(right, width)];
  const mask = Float32Array.from({ length: height * width }, (_, cell) => {
    const [row, column] = [Math.floor(cell / width) - top, (cell % width) - left];
    return Number(row >= 0 && row < side && column >= 0 && column < side);
  });
  const isInside = tf.tensor4d(mask, [1, height, width, 1]);
  const square = tf.mul(isInside, tf.tensor4d(other, [1, 1, 1, channels]));
  return tf.add(tf.mul(features, tf.sub(1, isInside)), square);
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
