/** Seeded random numbers of the examples: the same seed gives the same set on every machine. */

/**
 * @typedef {object} Random
 * @property {() => number} next uniform in [0, 1)
 * @property {(limit: number) => number} integer uniform in [0, limit)
 * @property {(low: number, high: number) => number} uniform in [low, high)
 */

/**
 * A stream from any keys, so that sample 17 is the same whatever came before it. FNV-1a of the keys is the state of
 * mulberry32 (public domain, T. Ettinger), as in the library's own `core/random`.
 *
 * @param {...(string | number)} keys
 * @returns {Random}
 */
export function random(...keys) {
  let state = hash(keys.join("\u0000"));
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return {
    next,
    integer: (limit) => Math.floor(next() * limit),
    uniform: (low, high) => low + (high - low) * next(),
  };
}

/**
 * @template T
 * @param {readonly T[]} items
 * @param {Random} source
 * @returns {T[]} a copy in random order (Fisher-Yates).
 */
export function shuffled(items, source) {
  const order = [...items];
  for (let i = order.length - 1; i > 0; i--) {
    const j = source.integer(i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/** @param {string} text */
function hash(text) {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  return (h ^ (h >>> 13)) >>> 0;
}
