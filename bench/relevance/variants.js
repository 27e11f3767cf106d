/** Every variant of the score, computed from the sums of one image. Ours is the first; each other changes one thing. */

import { nonNegativeLeastSquares } from "../internals.js";

/** @import { NdArrays } from "aspectlens" */
/** @import { PointsName } from "./sums.js" */

/**
 * @typedef {object} Aspect one that is present and can be read.
 * @property {string} name
 * @property {readonly string[]} layers
 */

/** @typedef {(outputs: NdArrays, aspects: readonly Aspect[]) => number[]} Variant of each aspect, its score. */

/** A place belongs to an aspect from this share of the highest `p^2` on, in the variants that know places. */
const LEAST_SHARE = 0.01;

/** @type {Readonly<Record<string, Variant>>} */
export const VARIANTS = {
  "as defined": fitted({}),
  "without N": fitted({ hasN: false }),
  "without the root": fitted({ hasRoot: false }),
  "without N and root": fitted({ hasN: false, hasRoot: false }),
  "gradient at f": fitted({ points: "f" }),
  "mean of the gradients at f and half way (before)": fitted({ points: "both" }),
  "mean of four gradients": fitted({ points: "four" }),
  "mean of four gradients, without N": fitted({ points: "four", hasN: false }),
  "each aspect alone (cosine squared)": fitted({ isAlone: true }),
  "at the aspect's places alone": fitted({ atPlaces: true }),
  "times the share at the aspect's places": timesShare(fitted({})),
  "matching pursuit times share (before that)": pursuit,
  "share at the aspect's places alone": (outputs, aspects) => aspects.map((aspect) => shareAt(outputs, aspect)),
};

/**
 * @param {{ points?: PointsName, hasN?: boolean, hasRoot?: boolean, isAlone?: boolean, atPlaces?: boolean }} options
 * @returns {Variant}
 */
function fitted({ points = "half", hasN = true, hasRoot = true, isAlone = false, atPlaces = false }) {
  const variant = `${points}/${hasN ? "N" : "-"}`;
  return (outputs, aspects) => {
    const weights = atPlaces ? aspects.map((aspect) => placesOf(outputs, aspect)) : undefined;
    const gram = aspects.map((a, i) =>
      aspects.map((b, j) =>
        isAlone && i !== j
          ? 0
          : sumOver(
              outputs,
              a,
              b,
              (layer, place) =>
                gramAt(outputs, layer, a, b, place) * at(weights, i, layer, place) * at(weights, j, layer, place),
            ),
      ),
    );
    const products = aspects.map((a, i) =>
      sumOver(outputs, a, a, (layer, place) => {
        const { data } = outputs[`products/${a.name}/${layer}/${variant}`];
        return data[2 * place + (hasRoot ? 0 : 1)] * at(weights, i, layer, place);
      }),
    );
    const wholes = aspects.map((a) =>
      sumOver(outputs, a, a, (layer, place) => outputs[`sums/${layer}/${variant}`].data[4 * place + (hasRoot ? 1 : 2)]),
    );
    const found = nonNegativeLeastSquares(gram, products);
    return found.map((coefficient, i) => (wholes[i] > 0 ? Math.max(0, coefficient * products[i]) / wholes[i] : 0));
  };
}

/** @param {Variant} variant @returns {Variant} */
function timesShare(variant) {
  return (outputs, aspects) =>
    variant(outputs, aspects).map((score, index) => score * shareAt(outputs, aspects[index]));
}

/** The rule before this one: cosines by matching pursuit, times the share of `c^2` at places. @type {Variant} */
function pursuit(outputs, aspects) {
  const dot = (/** @type {Aspect} */ a, /** @type {Aspect} */ b) =>
    sumOver(outputs, a, b, (layer, place) => gramAt(outputs, layer, a, b, place));
  const norms = aspects.map((a) => Math.sqrt(dot(a, a)));
  const answer = aspects.map((a) =>
    Math.sqrt(sumOver(outputs, a, a, (layer, place) => outputs[`sums/${layer}/half/N`].data[4 * place + 1])),
  );
  const cosines = aspects.map((a, i) => {
    const product = sumOver(
      outputs,
      a,
      a,
      (layer, place) => outputs[`products/${a.name}/${layer}/half/N`].data[2 * place],
    );
    return answer[i] * norms[i] > 0 ? Math.min(1, product / (answer[i] * norms[i])) : 0;
  });
  const left = [...cosines];
  const taken = left.map(() => 0);
  const waiting = new Set(left.keys());
  while (waiting.size > 0) {
    const best = [...waiting].reduce((a, b) => (left[b] > left[a] ? b : a));
    waiting.delete(best);
    taken[best] = Math.min(1, Math.max(0, left[best]));
    if (taken[best] === 0) continue;
    for (const other of waiting) {
      const shared = dot(aspects[best], aspects[other]);
      if ((shared < 0 && cosines[other] <= 0) || answer[other] * norms[other] === 0) continue;
      left[other] -= ((taken[best] * answer[best]) / norms[best]) * (shared / (answer[other] * norms[other]));
    }
  }
  return taken.map((cosine, index) => cosine * shareAt(outputs, aspects[index]));
}

/** @param {NdArrays} outputs @param {Aspect} aspect of the answer's `c^2`, what lies at the aspect's places. */
function shareAt(outputs, aspect) {
  const places = placesOf(outputs, aspect);
  const square = (/** @type {string} */ layer, /** @type {number} */ place) =>
    outputs[`sums/${layer}/half/N`].data[4 * place + 2];
  const whole = sumOver(outputs, aspect, aspect, square);
  const held = sumOver(outputs, aspect, aspect, (layer, place) => square(layer, place) * places[layer][place]);
  return whole > 0 ? held / whole : 0;
}

/** @param {NdArrays} outputs @param {Aspect} aspect @returns {Record<string, number[]>} by layer, 1 where it is. */
function placesOf(outputs, aspect) {
  return Object.fromEntries(
    aspect.layers.map((layer) => {
      const count = outputs[`gram/${layer}`].shape[1] * outputs[`gram/${layer}`].shape[2];
      const squares = Array.from({ length: count }, (_, place) => gramAt(outputs, layer, aspect, aspect, place));
      const most = Math.max(...squares);
      return [layer, squares.map((value) => (value >= LEAST_SHARE * most ? 1 : 0))];
    }),
  );
}

/**
 * @param {readonly Record<string, number[]>[] | undefined} weights
 * @param {number} aspect @param {string} layer @param {number} place
 */
function at(weights, aspect, layer, place) {
  return weights ? weights[aspect][layer][place] : 1;
}

/**
 * Over the places of the layers that both read.
 *
 * @param {NdArrays} outputs @param {Aspect} a @param {Aspect} b
 * @param {(layer: string, place: number) => number} term
 */
function sumOver(outputs, a, b, term) {
  let sum = 0;
  for (const layer of a.layers) {
    if (!b.layers.includes(layer)) continue;
    const [, height, width] = outputs[`gram/${layer}`].shape;
    for (let place = 0; place < height * width; place++) sum += term(layer, place);
  }
  return sum;
}

/** @param {NdArrays} outputs @param {string} layer @param {Aspect} a @param {Aspect} b @param {number} place */
function gramAt(outputs, layer, a, b, place) {
  const { data, shape } = outputs[`gram/${layer}`];
  const readers = readersOf(outputs, layer);
  const [i, j] = [readers.indexOf(a.name), readers.indexOf(b.name)].sort((x, y) => x - y);
  const before = i * readers.length - (i * (i - 1)) / 2;
  return data[place * shape[3] + before + (j - i)];
}

/** @type {WeakMap<NdArrays, Map<string, readonly string[]>>} */
const KNOWN = new WeakMap();

/** @param {NdArrays} outputs @param {string} layer the aspects that read it, in the order of the heads. */
function readersOf(outputs, layer) {
  const known = KNOWN.get(outputs) ?? new Map();
  KNOWN.set(outputs, known);
  const found =
    known.get(layer) ??
    Object.keys(outputs).flatMap((name) =>
      name.startsWith("products/") && name.endsWith(`/${layer}/half/N`) ? [name.split("/")[1]] : [],
    );
  known.set(layer, found);
  return found;
}
