/** What is tried on features `[2, 5, 6, c]`, in every layout. */

import * as tf from "@tensorflow/tfjs";
import type { TensorCases } from "./compare.js";

/** Functions of one number, normalisation, activation. */
export function functionCases(c: number): TensorCases {
  return {
    abs: tf.abs,
    atan: tf.atan,
    clip: (x) => tf.clipByValue(x, -0.3, 0.4),
    cos: tf.cos,
    elu: tf.elu,
    erf: tf.erf,
    exp: tf.exp,
    expm1: tf.expm1,
    leaky: (x) => tf.leakyRelu(x, 0.1),
    log: (x) => tf.log(tf.add(tf.abs(x), 0.1)),
    log1p: (x) => tf.log1p(tf.square(x)),
    neg: tf.neg,
    pow: (x) => tf.pow(tf.add(tf.abs(x), 0.1), 1.7),
    cube: (x) => tf.pow(tf.add(tf.abs(x), 0.1), 3),
    prelu: (x) => tf.prelu(x, tf.tensor(Array.from({ length: c }, (_, i) => 0.1 + 0.1 * (i % 4)))),
    reciprocal: (x) => tf.reciprocal(tf.add(tf.square(x), 0.5)),
    relu: tf.relu,
    relu6: (x) => tf.relu6(tf.mul(x, 9)),
    rsqrt: (x) => tf.rsqrt(tf.add(tf.square(x), 0.1)),
    selu: tf.selu,
    sigmoid: tf.sigmoid,
    sin: tf.sin,
    softplus: tf.softplus,
    sqrt: (x) => tf.sqrt(tf.add(tf.square(x), 0.1)),
    square: tf.square,
    step: (x) => tf.step(x, 0.25),
    tanh: tf.tanh,
    softmax: (x) => tf.softmax(x),
    logSoftmax: (x) => tf.logSoftmax(x),
    logSumExp: (x) => tf.logSumExp(x, -1),
    norm: (x) => tf.norm(x, 2, -1),
    variance: (x) => tf.moments(x, [0, 1, 2]).variance,
    addN: (x) => tf.addN([x, tf.relu(x), tf.square(x)]),
    where: (x) =>
      tf.where(
        tf.tensor1d(
          Array.from({ length: c }, (_, i) => i % 3),
          "bool",
        ),
        tf.mul(x, 2),
        tf.neg(x),
      ),
    batchNorm: (x) =>
      tf.batchNorm(x, tf.linspace(-1, 1, c), tf.linspace(0.5, 1, c), tf.linspace(0, 1, c), tf.linspace(1, 2, c)),
  };
}

/** Rounding, comparison and logic, which have no gradient. */
export function logicCases(c: number): TensorCases {
  return {
    ceil: (x) => tf.ceil(tf.mul(x, 4)),
    floor: (x) => tf.floor(tf.mul(x, 4)),
    round: (x) => tf.round(tf.mul(x, 4)),
    sign: tf.sign,
    mod: (x) => tf.mod(tf.mul(x, 4), 0.7),
    modInt: (x) => tf.mod(tf.cast(tf.mul(x, 9), "int32"), tf.scalar(4, "int32")),
    floorDiv: (x) => tf.floorDiv(tf.cast(tf.mul(x, 9), "int32"), tf.scalar(4, "int32")),
    toInt: (x) => tf.cast(tf.mul(x, 9), "int32"),
    toBool: (x) => tf.cast(tf.relu(x), "bool"),
    greater: (x) => tf.greater(x, 0.1),
    greaterEqual: (x) => tf.greaterEqual(x, x),
    less: (x) => tf.less(x, tf.linspace(0, 0.3, c)),
    lessEqual: (x) => tf.lessEqual(x, 0),
    equal: (x) => tf.equal(tf.step(x), 1),
    notEqual: (x) => tf.notEqual(tf.step(x), 1),
    and: (x) => tf.logicalAnd(tf.greater(x, 0), tf.less(x, 0.5)),
    or: (x) => tf.logicalOr(tf.greater(x, 0), tf.less(x, -0.5)),
    xor: (x) => tf.logicalXor(tf.greater(x, 0), tf.less(x, 0.5)),
    not: (x) => tf.logicalNot(tf.greater(x, 0)),
    isNaN: (x) => tf.isNaN(tf.log(x)),
    isInf: (x) => tf.isInf(tf.log(tf.relu(x))),
    isFinite: (x) => tf.isFinite(tf.log(tf.relu(x))),
    boolTimesBool: (x) => tf.mul(tf.greater(x, 0), tf.less(x, 0.5)),
    boolSum: (x) => tf.sum(tf.greater(x, 0), [1, 2]),
    where: (x) => tf.where(tf.greater(x, 0), tf.mul(x, 2), tf.scalar(3)),
  };
}

/** Reductions over any axes. */
export function reductionCases(c: number): TensorCases {
  const cases: Record<string, TensorCases[string]> = {};
  for (const axes of [[1, 2], [0, 1, 2], [3], [0], [1], [2, 3], [0, 1, 2, 3], [0, 3]]) {
    for (const keepDims of [true, false]) {
      cases[`sum ${axes} ${keepDims}`] = (x) => tf.sum(x, axes, keepDims);
      cases[`mean ${axes} ${keepDims}`] = (x) => tf.mean(x, axes, keepDims);
      cases[`max ${axes} ${keepDims}`] = (x) => tf.max(x, axes, keepDims);
      cases[`min ${axes} ${keepDims}`] = (x) => tf.min(x, axes, keepDims);
    }
  }
  cases["sum of lazily repeated"] = (x) => tf.sum(tf.broadcastTo(tf.mean(x, [1, 2], true), [2, 5, 6, c]), [1, 3]);
  return cases;
}

/** Products, extremes' places and quantifiers, which have no gradient. */
export function extremeCases(c: number): TensorCases {
  return {
    prod: (x) => tf.prod(x, 1),
    argMax: (x) => tf.argMax(x, -1),
    argMin: (x) => tf.argMin(x, 1),
    all: (x) => tf.all(tf.less(x, 0.9), 3),
    any: (x) => tf.any(tf.greater(x, 0.9), [1, 2]),
    topValues: (x) => tf.topk(tf.reshape(x, [2, -1]), 7).values,
    topIndices: (x) => tf.topk(tf.reshape(x, [2, -1]), 7).indices,
    chosen: (x) => tf.mul(x, tf.oneHot(tf.argMax(x, -1), c)),
  };
}

/** Reshaping, cutting, joining and repeating. */
export function viewCases(c: number): TensorCases {
  return {
    reshape: (x) => tf.reshape(x, [2, 30, c]),
    flat: (x) => tf.reshape(x, [2, -1]),
    five: (x) => tf.reshape(x, [2, 5, 6, 2, c / 2]),
    squeeze: (x) => tf.squeeze(tf.mean(x, [1], true), [1]),
    expand: (x) => tf.squeeze(tf.mul(tf.expandDims(x, 1), 2), [1]),
    transpose: (x) => tf.transpose(x, [0, 3, 1, 2]),
    twice: (x) => tf.transpose(tf.mul(tf.transpose(x, [3, 1, 0, 2]), 2), [2, 1, 3, 0]),
    concat3: (x) => tf.concat([x, tf.mul(x, 2)], 3),
    concat1: (x) => tf.concat([x, tf.mul(x, 2)], 1),
    concat0: (x) => tf.concat([x, tf.zerosLike(x)], 0),
    slice: (x) => tf.slice(x, [0, 1, 2, 1], [2, 3, 4, 2]),
    sliceImage: (x) => tf.slice(x, [1, 0, 0, 0], [1, -1, -1, -1]),
    sliceRepeated: (x) => tf.slice(tf.broadcastTo(tf.mean(x, [1, 2], true), [2, 5, 6, c]), [0, 1, 2, 1], [1, 3, 4, 2]),
    split: (x) => {
      const [a, b] = tf.split(x, 2, 3);
      return tf.mul(a, b);
    },
    stack: (x) => tf.stack([x, tf.relu(x)], 1),
    unstack: (x) => {
      const [a, b] = tf.unstack(x, 0);
      return tf.mul(a, b);
    },
    pad: (x) =>
      tf.pad(
        x,
        [
          [0, 0],
          [1, 2],
          [0, 1],
          [0, 0],
        ],
        0.5,
      ),
    tile: (x) => tf.tile(x, [1, 2, 1, 3]),
    tileRepeated: (x) => tf.tile(tf.mean(x, [1, 2], true), [1, 5, 6, 1]),
    broadcastTo: (x) => tf.broadcastTo(tf.mean(x, [1, 2], true), [2, 5, 6, c]),
    reverse: (x) => tf.reverse(x, [1, 3]),
    gather0: (x) => tf.gather(x, tf.tensor1d([1, 0, 1], "int32"), 0),
    gather3: (x) => tf.gather(x, tf.tensor1d([3, 2], "int32"), 3),
    cumsum: (x) => tf.cumsum(x, 3),
    cumsumBackwards: (x) => tf.cumsum(x, 3, true, true),
    oneHot: (x) => tf.mul(x, tf.reshape(tf.oneHot(tf.tensor1d([1, 3], "int32"), c), [2, 1, 1, c])),
  };
}

/** Moving values by index, without gradients. */
export function indexCases(c: number): TensorCases {
  const places = () => tf.tensor2d([1, 0, 0, 2], [2, 2], "int32");
  return {
    gatherND: (x) => tf.gatherND(x, places()),
    scatterND: (x) => tf.scatterND(places(), tf.slice(tf.reshape(x, [-1]), 0, 2), [3, 4]),
    depthToSpace: (x) => tf.depthToSpace(x, 2),
    mirrorPad: (x) =>
      tf.mirrorPad(
        x,
        [
          [0, 0],
          [1, 2],
          [2, 1],
          [0, 0],
        ],
        "reflect",
      ),
    segmentSum: (x) => tf.unsortedSegmentSum(tf.reshape(x, [6, 10 * c]), tf.tensor1d([2, 0, 2, 1, 1, 0], "int32"), 4),
    range: (x) => tf.add(x, tf.range(0, c)),
    cumsum: (x) => tf.cumsum(x, 1),
    strided: (x) => tf.stridedSlice(x, [0, 0, 1, 0], [2, 5, 6, c], [1, 2, 2, 1]),
  };
}
