/** How good a mapping is, on images that it was not fitted to. */

import * as tf from "@tensorflow/tfjs";
import type { Sample } from "../core/annotation.js";
import { sigmoid } from "../core/logistic.js";
import type { NdArray } from "../core/nd-array.js";
import { areaUnderCurve, type Ranked, rankCorrelation } from "../core/ranking.js";
import type { TensorFunction } from "../engine/engine.js";
import { heatOf } from "../heads/boxes.js";
import type { AspectSpec } from "../heads/head-spec.js";
import type { Model } from "../model/model.js";
import type { MappingQuality } from "../model/model-spec.js";
import { bothFeatures, chosenImages, overImages, type PairedRun } from "./mapping-data.js";

type Setting = Omit<PairedRun, "fn" | "name"> & { readonly network: string };

/**
 * Measures the mapping of a model's network: features at the target layer, and what each of its heads answers on mapped
 * instead of true ones.
 */
export async function measureMapping(setting: Setting): Promise<MappingQuality> {
  const { model, network } = setting;
  const heads = headsOf(model, network);
  const tallies = heads.map(({ spec }) => createTally(spec));
  let [images, error, sum, square, count] = [0, 0, 0, 0, 0];
  const sums: Float64Array[] = [];
  for await (const { outputs, samples } of overImages({ ...setting, fn: bothAnswers(setting), name: "measuring" })) {
    images += samples.length;
    error += outputs.error.data[0];
    square += outputs.square.data[0];
    count += samples.length * outputs.places.data[0];
    sums[0] ??= new Float64Array(outputs.sum.data.length);
    for (let i = 0; i < sums[0].length; i++) sums[0][i] += outputs.sum.data[i];
    for (const [index, tally] of tallies.entries())
      for (let row = 0; row < samples.length; row++)
        tally.add(rowOf(outputs[`${index}/own`], row), rowOf(outputs[`${index}/mapped`], row));
  }
  for (const value of sums[0] ?? []) sum += value ** 2 / Math.max(1, count);
  const variance = square - sum;
  return {
    images,
    r2: variance > 0 ? 1 - error / variance : 0,
    agreement: Object.fromEntries(heads.map(({ spec }, index) => [spec.name, tallies[index].result()])),
  };
}

function headsOf({ aspects }: Model, network: string): Model["aspects"] {
  return aspects.filter(({ spec }) => spec.network === network);
}

/**
 * Outputs `error` and `square` `[1]`, `sum` `[channels]` over all places of a batch's images, `places` of one image, and
 * of each head `<index>/own` and `<index>/mapped`.
 */
function bothAnswers({ model, network }: Pick<Setting, "model" | "network">): TensorFunction {
  const own = model.networks.find(({ spec }) => spec.name === network);
  return ({ inputs, constants }) =>
    tf.tidy(() => {
      const outputs: Record<string, tf.Tensor> = {};
      if (!own) return { outputs };
      const { from, to } = own.spec.mapping;
      const heads = headsOf(model, network);
      const layers = [...new Set([to, ...heads.flatMap(({ spec }) => spec.taps)])];
      const { source, target } = bothFeatures(model, { inputs, constants }, { network, from: [from], to: layers });
      const mapped = own.mappedFeatures(constants, source[from], layers);
      const at = (layer: string) => mapped[layers.indexOf(layer)];
      const weighed = (features: tf.Tensor) => tf.mul(features, inputs.weight);
      outputs.error = tf.reshape(tf.sum(weighed(tf.square(tf.sub(at(to), target[to])))), [1]);
      outputs.square = tf.reshape(tf.sum(weighed(tf.square(target[to]))), [1]);
      outputs.sum = tf.sum(weighed(target[to]), [0, 1, 2]);
      outputs.places = tf.tensor1d([target[to].shape[1] * target[to].shape[2]]);
      for (const [index, head] of heads.entries()) {
        const answer = (features: (layer: string) => tf.Tensor4D) => {
          const said = head.forward(constants, head.spec.taps.map(features));
          return head.spec.kind === "boxes" ? heatOf(said) : said;
        };
        outputs[`${index}/own`] = answer((layer) => target[layer]);
        outputs[`${index}/mapped`] = answer(at);
      }
      return { outputs };
    });
}

/** What the heads of a network say of one image, from its own features and from mapped ones. */
export interface MappedImage {
  readonly sample: Sample;
  /** By aspect: chances 0..1, `[height, width]` of places, or `[1, 1]` of a number. */
  readonly answers: Readonly<Record<string, { readonly own: NdArray; readonly mapped: NdArray }>>;
}

/** More images are not looked through for examples. */
const LOOKED_THROUGH = 100;

/**
 * Images to look at: for each aspect in turn the one that its own network sees it in most surely.
 *
 * @param options.count of images, fewer where there are not as many.
 */
export async function exampleImages(setting: Setting, { count }: { count: number }): Promise<readonly MappedImage[]> {
  const heads = headsOf(setting.model, setting.network);
  const all: MappedImage[] = [];
  const few = chosenImages(setting.images, (index) => index < LOOKED_THROUGH);
  for await (const { outputs, samples } of overImages({
    ...{ ...setting, images: few, fn: bothAnswers(setting), name: "examples" },
  }))
    for (const [row, sample] of samples.entries()) {
      const of = (name: string, { spec }: Model["aspects"][number]) => chances(outputs[name], row, spec);
      const answers = heads.map((head, index) => {
        const both = { own: of(`${index}/own`, head), mapped: of(`${index}/mapped`, head) };
        return [head.spec.name, both] as const;
      });
      all.push({ sample, answers: Object.fromEntries(answers) });
    }
  const chosen: MappedImage[] = [];
  while (chosen.length < Math.min(count, all.length)) {
    const { name } = heads[chosen.length % heads.length].spec;
    const sureness = ({ answers }: MappedImage) => sum(answers[name].own.data);
    const rest = all.filter((one) => !chosen.includes(one));
    chosen.push(rest.reduce((a, b) => (sureness(b) > sureness(a) ? b : a)));
  }
  return chosen;
}

function sum(values: ArrayLike<number>): number {
  return Array.from(values).reduce((total, value) => total + value, 0);
}

function chances(logits: NdArray, row: number, spec: AspectSpec): NdArray {
  const [, height = 1, width = 1] = logits.shape.length > 2 ? logits.shape : [];
  const data = Float32Array.from(rowOf(logits, row), (logit) => chanceOf(logit, spec));
  return { shape: [height, width], data };
}

function chanceOf(logit: number, spec: AspectSpec): number {
  return sigmoid(spec.kind === "presence" ? logit / (spec.temperature ?? 1) : logit);
}

function rowOf({ shape, data }: NdArray, row: number): ArrayLike<number> {
  const length = data.length / shape[0];
  return data.subarray(row * length, (row + 1) * length);
}

interface Tally {
  /** Logits of one image, from true and from mapped features. */
  add(own: ArrayLike<number>, mapped: ArrayLike<number>): void;
  result(): number | null;
}

/** Places of one image that are ranked: neighbours say the same. */
const PLACES = 512;

/**
 * Whether mapped answers rank images, or places, as true ones do: 1 where they do, 0 by chance. Of what is seen or not
 * that is Somers' D, `2 AUC - 1`; of a number the rank correlation. The bias of a mapping, which says nothing of what it
 * carries, does not count.
 */
function createTally(spec: AspectSpec): Tally {
  if (spec.kind === "amount" && spec.form === "number") {
    const pairs: [number, number][] = [];
    return { add: (own, mapped) => pairs.push([own[0], mapped[0]]), result: () => rankCorrelation(pairs) };
  }
  const ranked: Ranked[] = [];
  const { threshold } = spec;
  return {
    add(own, mapped) {
      const step = Math.max(1, own.length / PLACES);
      for (let at = 0; at < own.length; at += step) {
        const place = Math.floor(at);
        ranked.push({ score: mapped[place], isPositive: chanceOf(own[place], spec) >= threshold });
      }
    },
    result() {
      const auc = areaUnderCurve(ranked);
      return auc === null ? null : 2 * auc - 1;
    },
  };
}
