/** Arrays of a safetensors file, read without either build's help. */

/** @param {Uint8Array} bytes @returns {Map<string, { type: string, shape: number[], bytes: Buffer }>} */
export function readArrays(bytes) {
  const file = Buffer.from(bytes);
  const start = 8 + Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.subarray(8, start).toString("utf8"));
  const entries = Object.entries(header).filter(([name]) => name !== "__metadata__");
  return new Map(
    entries.map(
      ([
        name,
        {
          dtype,
          shape,
          data_offsets: [from, to],
        },
      ]) => [name, { type: dtype, shape, bytes: file.subarray(start + from, start + to) }],
    ),
  );
}

/**
 * @param {Uint8Array} before
 * @param {Uint8Array} after
 * @returns {{ verdict: "equal" | "different", where: string }} equal: same names, types, shapes and bytes.
 */
export function compareArrays(before, after) {
  const [a, b] = [readArrays(before), readArrays(after)];
  for (const name of new Set([...a.keys(), ...b.keys()])) {
    const [x, y] = [a.get(name), b.get(name)];
    const isSame = x && y && x.type === y.type && String(x.shape) === String(y.shape) && x.bytes.equals(y.bytes);
    if (!isSame) return { verdict: "different", where: x && y ? name : `${name}, which only one has` };
  }
  return { verdict: "equal", where: "" };
}
