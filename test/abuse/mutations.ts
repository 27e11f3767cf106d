/** Ways to spoil bytes, JSON values and JSON texts, drawn from a seeded stream. */

import type { Random } from "../../src/core/random.js";

export function pick<Item>(random: Random, items: readonly Item[]): Item {
  return items[random.integer(items.length)];
}

/** Each changes a copy of the bytes; the name says how. */
const BYTE_MUTATIONS: Readonly<Record<string, (bytes: Buffer, random: Random) => Buffer>> = {
  "cut off": (bytes, random) => bytes.subarray(0, random.integer(bytes.length)),
  "a bit flipped": (bytes, random) => {
    bytes[random.integer(bytes.length)] ^= 1 << random.integer(8);
    return bytes;
  },
  "bytes replaced": (bytes, random) => {
    for (let count = 1 + random.integer(20); count > 0; count--)
      bytes[random.integer(bytes.length)] = random.integer(256);
    return bytes;
  },
  "a run of zeros": (bytes, random) => {
    const from = random.integer(bytes.length);
    return bytes.fill(0, from, from + 1 + random.integer(bytes.length - from));
  },
  "an extreme number": (bytes, random) => {
    const number = pick(random, ["ffffffff", "7fffffff", "00000080", "00000000", "0000c07f", "0000807f"]);
    bytes.write(number, random.integer(Math.max(1, bytes.length - 4)), "hex");
    return bytes;
  },
  "a part twice": (bytes, random) => {
    const from = random.integer(bytes.length);
    const part = bytes.subarray(from, from + 1 + random.integer(1000));
    return Buffer.concat([bytes.subarray(0, from), part, bytes.subarray(from)]);
  },
  "noise behind": (bytes, random) =>
    Buffer.concat([bytes, Buffer.from(Array.from({ length: 1 + random.integer(1000) }, () => random.integer(256)))]),
  empty: () => Buffer.alloc(0),
};

export interface Mutated<Value> {
  readonly name: string;
  readonly value: Value;
}

/** @param bytes stay as they are. */
export function mutateBytes(bytes: Uint8Array, random: Random): Mutated<Buffer> {
  const name = pick(random, Object.keys(BYTE_MUTATIONS));
  return { name, value: BYTE_MUTATIONS[name](Buffer.from(bytes), random) };
}

/** What nobody expects where it stands. */
const ODD_VALUES: readonly unknown[] = [
  ...[null, true, false, 0, -1, 0.5, 64.5, 1e9, -1e9, 2 ** 53, 1e308],
  ...[
    "",
    " ",
    ".",
    "..",
    "../x",
    "/",
    "\u0000",
    "\u001b]0;title\u0007",
    "a\nb",
    "\u202ereversed",
    "\ud800",
    "é",
    "e\u0301",
  ],
  ...["__proto__", "constructor", "toString", "hasOwnProperty", "overlay", "NaN", "x".repeat(300), "y".repeat(50_000)],
  ...[[], {}, [[]], [null], { a: 1 }, [0, 0, 0, 0], [1, 2, 3, 4], [Number.MAX_VALUE]],
  nested(20),
];
const ODD_KEYS = ["__proto__", "constructor", "toString", "", "a\nb", "\u001b[2J", "unknown", "x".repeat(40_000)];

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) value = level % 2 ? { a: value } : [value];
  return value;
}

/** A copy of a JSON value with one place changed: a key gone, renamed or twice, or another value. */
export function mutateJson(value: unknown, random: Random): Mutated<unknown> {
  const copy = structuredClone(value);
  const places: { holder: Record<string, unknown> | unknown[]; key: string; path: string }[] = [];
  const visit = (holder: unknown, path: string) => {
    if (typeof holder !== "object" || holder === null) return;
    for (const key of Object.keys(holder)) {
      places.push({ holder: holder as Record<string, unknown>, key, path: `${path}.${key}` });
      visit((holder as Record<string, unknown>)[key], `${path}.${key}`);
    }
  };
  visit(copy, "");
  if (places.length === 0) return { name: "replaced whole", value: pick(random, ODD_VALUES) };
  const { holder, key, path } = pick(random, places);
  const record = holder as Record<string, unknown>;
  switch (random.integer(4)) {
    case 0:
      if (Array.isArray(holder)) holder.splice(Number(key), 1);
      else delete record[key];
      return { name: `${path} is gone`, value: copy };
    case 1: {
      const name = pick(random, ODD_KEYS);
      // Not by assignment: `__proto__` shall be a key as in parsed JSON.
      Object.defineProperty(holder, name, { value: record[key], enumerable: true, configurable: true, writable: true });
      return { name: `${path} also as ${JSON.stringify(name.slice(0, 20))}`, value: copy };
    }
    case 2:
      if (Array.isArray(holder)) {
        holder.push(structuredClone(record[key]));
        return { name: `${path} twice`, value: copy };
      }
  }
  const odd = pick(random, ODD_VALUES);
  record[key] = odd;
  return { name: `${path} = ${JSON.stringify(odd).slice(0, 40)}`, value: copy };
}

const TEXT_MUTATIONS: Readonly<Record<string, (text: string, random: Random) => Uint8Array | string>> = {
  "not closed": (text, random) => text.slice(0, 1 + random.integer(text.length - 1)),
  "a character replaced": (text, random) => {
    const at = random.integer(text.length);
    return (
      text.slice(0, at) + pick(random, ["{", "}", "]", ",", '"', "\\", "\u0000", "\n", "7", "NaN"]) + text.slice(at + 1)
    );
  },
  "100,000 brackets": () => "[".repeat(100_000) + "]".repeat(100_000),
  "100,000 braces": () => `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`,
  "UTF-16": (text) => Buffer.from(`\ufeff${text}`, "utf16le"),
  "no UTF-8": (text) => Buffer.concat([Buffer.from(text), Buffer.from([0xff, 0xfe, 0xc0, 0x80])]),
  "numbers beyond": (text) => text.replace(/\d+/, "1e999"),
  "ten million spaces": (text) => " ".repeat(9_000_000) + text,
  empty: () => "",
};

/** A JSON text: of a changed value, or spoilt as text. */
export function mutateJsonText(text: string, random: Random): Mutated<Uint8Array | string> {
  if (random.next() < 0.7) {
    const { name, value } = mutateJson(JSON.parse(text), random);
    return { name, value: JSON.stringify(value) ?? "" };
  }
  const name = pick(random, Object.keys(TEXT_MUTATIONS));
  return { name, value: TEXT_MUTATIONS[name](text, random) };
}
