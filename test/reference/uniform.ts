/** The numbers of `uniform` with integer remainders instead of float32 products. */

const P = 2039;

export function uniformLoop(size: number, seed: number): Float32Array {
  let [a, b] = [seed % P, Math.floor(seed / P)];
  for (let round = 0; round < 4; round++) [a, b] = [b, (b * b + a + ((389 + 677 * round) % P)) % P];
  return Float32Array.from({ length: size }, (_, index) => {
    let [x, y] = [index % P, Math.floor(index / P)];
    for (let round = 0; round < 6; round++) {
      const key = (round % 2 === 0 ? a : b) + ((131 + 911 * round) % P);
      [x, y] = [y, (y * y + x + key) % P];
    }
    return Math.fround((P * y + x) * Math.fround(1 / (P * P)));
  });
}
