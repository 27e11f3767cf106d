/** Random numbers in exact float32 arithmetic: the same seed gives the same bits on every engine. */

import * as tf from "@tensorflow/tfjs";
import { ShapeError } from "../core/errors.js";
import { sizeOf } from "../core/nd-array.js";

/** A prime just below 2^11: products of two residues, and a few more added, stay below 2^22. */
const PRIME = 2039;
/** Four rounds pass the same tests as six; two are added for safety. */
const ROUNDS = 6;
const KEY_ROUNDS = 4;

/** Seeds are whole numbers from 0 up to, not including, this. */
export const SEED_LIMIT = PRIME * PRIME;

/**
 * Uniform numbers in [0, 1), multiples of 1 / 2039^2 up to rounding, no two equal; not for secrets.
 *
 * An element's index, as two residues modulo 2039, is encrypted by a Feistel network (Luby and Rackoff 1988) with the
 * round function y^2 + key, a planar function: it spreads a difference in y evenly over all residues. The keys are
 * computed from the seed by the same network. (Numbers of `tf.randomUniform` would be frozen into a traced graph.)
 *
 * @param shape of at most 2039^2 elements.
 * @param seed scalar, a whole number in [0, `SEED_LIMIT`); neighbouring seeds give unrelated numbers.
 * @returns float32 of that shape, without a gradient; the caller disposes it.
 * @throws ShapeError where there are more elements.
 */
export function uniform(shape: readonly number[], seed: tf.Tensor): tf.Tensor {
  const size = sizeOf(shape);
  if (size > SEED_LIMIT) throw new ShapeError(`uniform: at most ${SEED_LIMIT} elements, got [${shape.join(", ")}].`);
  return tf.tidy(() => {
    const high = quotient(seed);
    const words = { x: tf.sub(seed, tf.mul(high, PRIME)), y: high };
    const keys = encipher(words, { rounds: KEY_ROUNDS, keyOf: (round) => tf.scalar((389 + 677 * round) % PRIME) });
    const constants = Array.from({ length: ROUNDS }, (_, round) => (131 + 911 * round) % PRIME);
    const place = (residue: (index: number) => number) =>
      tf.tensor(
        Float32Array.from({ length: size }, (_, index) => residue(index)),
        [...shape],
      );
    const { x, y } = encipher(
      { x: place((index) => index % PRIME), y: place((index) => Math.floor(index / PRIME)) },
      { rounds: ROUNDS, keyOf: (round) => tf.add(round % 2 === 0 ? keys.x : keys.y, constants[round]) },
    );
    return tf.mul(tf.add(tf.mul(y, PRIME), x), 1 / SEED_LIMIT);
  });
}

interface Words {
  readonly x: tf.Tensor;
  readonly y: tf.Tensor;
}

/** Repeats (x, y) -> (y, x + y^2 + key mod 2039); the key is below 2 * 2039. */
function encipher(words: Words, { rounds, keyOf }: { rounds: number; keyOf: (round: number) => tf.Tensor }): Words {
  let { x, y } = words;
  for (let round = 0; round < rounds; round++) {
    const sum = tf.add(tf.add(tf.square(y), x), keyOf(round));
    [x, y] = [y, tf.sub(sum, tf.mul(quotient(sum), PRIME))];
  }
  return { x, y };
}

/**
 * floor(n / 2039), exact for whole n below 2^22: n + 0.5 is exact, and its quotient lies at least 0.5 / 2039 from a
 * whole number, more than both roundings move it (2^22 / 2039 * 2^-23). A division would be traced as this product
 * anyway.
 */
function quotient(n: tf.Tensor): tf.Tensor {
  return tf.floor(tf.mul(tf.add(n, 0.5), 1 / PRIME));
}
