/** Malformed bundles for `verify` and `explain`: spoilt as files, as zips, in what they say, in their graphs and in their numbers. */

import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { unzipSync } from "fflate";
import { delimited, type Field, fieldsOf } from "../../src/core/protobuf-fields.js";
import type { Random } from "../../src/core/random.js";
import { decodeSafetensors, encodeSafetensors } from "../../src/core/safetensors.js";
import { mutateBytes, mutateJson, mutateJsonText, pick } from "./mutations.js";
import type { Place } from "./places.js";
import type { AbuseCase } from "./run.js";
import { zipOf } from "./zip.js";

type Files = Record<string, Uint8Array>;

interface Spoilt {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly isRefused?: boolean;
}

/** The bundle of the tiny world, spoilt in one way. */
export async function bundleCase(random: Random, { world, folder }: Place): Promise<AbuseCase> {
  const whole = readFileSync(join(world, "model.aspect"));
  const { name, bytes, isRefused } = pick(random, WAYS)(whole, random);
  const path = join(folder, "spoilt.aspect");
  writeFileSync(path, bytes);
  const explains = [
    ["explain", path, "image.png", "--out", join(folder, "out")],
    ["explain", path, "image.png", "--out", join(folder, "out"), "--saliency", "grad-cam"],
  ];
  // Only `verify` reads all of it.
  const args = isRefused || random.next() < 0.6 ? ["verify", path] : pick(random, explains);
  return { name: `bundle: ${name}`, args, isRefused };
}

const WAYS: readonly ((whole: Uint8Array, random: Random) => Spoilt)[] = [
  (whole, random) => {
    const { name, value } = mutateBytes(whole, random);
    return { name: `the file, ${name}`, bytes: value };
  },
  (whole, random) => {
    const files = Object.entries(unzipSync(whole));
    const at = random.integer(files.length);
    const [name] = files[at];
    const other = pick(random, ["../x", "/x", "a\\b", "constructor", "__proto__", "explain.onnx", "\u001b[2J", ""]);
    const edits: Record<string, () => void> = {
      gone: () => files.splice(at, 1),
      [`also as ${JSON.stringify(other)}`]: () => files.push([other, files[at][1]]),
      [`called ${JSON.stringify(other)}`]: () => files.splice(at, 1, [other, files[at][1]]),
      "cut off": () => files.splice(at, 1, [name, files[at][1].subarray(0, random.integer(files[at][1].length))]),
    };
    const edit = pick(random, Object.keys(edits));
    edits[edit]();
    return { name: `${name} ${edit}`, bytes: zipOf(files) };
  },
  (whole, random) => {
    const files = unzipSync(whole);
    const { name, value } = mutateJson(JSON.parse(String(Buffer.from(files["bundle.json"]))), random);
    return { name: `bundle.json: ${name}`, bytes: zipOf(Object.entries(sealed(files, value))) };
  },
  (whole, random) => {
    const files = unzipSync(whole);
    const { name, value } = mutateJsonText(String(Buffer.from(files["bundle.json"])), random);
    return {
      name: `bundle.json: ${name}`,
      bytes: zipOf(Object.entries({ ...files, "bundle.json": Buffer.from(value) })),
    };
  },
  (whole, random) => {
    const files = unzipSync(whole);
    const file = pick(
      random,
      Object.keys(files).filter((name) => name !== "bundle.json"),
    );
    const { name, value } = mutateBytes(files[file], random);
    return { name: `${file}, ${name}`, bytes: zipOf(Object.entries(sealed({ ...files, [file]: value }))) };
  },
  (whole, random) => {
    const files = unzipSync(whole);
    const graph = pick(random, ["explain.onnx", "predict.onnx"]);
    const { name, value } = mutateGraph(files[graph], random);
    return { name: `${graph}: ${name}`, bytes: zipOf(Object.entries(sealed({ ...files, [graph]: value }))) };
  },
  (whole, random) => {
    const files = unzipSync(whole);
    const file = pick(
      random,
      Object.keys(files).filter((name) => name.endsWith(".safetensors")),
    );
    const { name, value } = mutateArrays(files[file], random);
    return {
      name: `${file}: ${name}`,
      bytes: zipOf(Object.entries(sealed({ ...files, [file]: value }))),
      isRefused: true,
    };
  },
  (whole, random) => {
    const name = pick(random, Object.keys(CRAFTED));
    const files = unzipSync(whole);
    return { name, bytes: zipOf(Object.entries(sealed(CRAFTED[name](files)))), isRefused: true };
  },
];

/** The files with the sizes and checksums that they have, where the description still says any. */
function sealed(files: Files, description: unknown = JSON.parse(String(Buffer.from(files["bundle.json"])))): Files {
  const { files: listed } = (description ?? {}) as { files?: unknown };
  if (typeof listed === "object" && listed !== null) {
    for (const name of Object.keys(listed).filter((name) => Object.hasOwn(files, name))) {
      const sha256 = createHash("sha256").update(files[name]).digest("hex");
      (listed as Record<string, unknown>)[name] = { bytes: files[name].length, sha256 };
    }
  }
  return { ...files, "bundle.json": Buffer.from(JSON.stringify(description)) };
}

/** Field numbers of onnx.proto. */
const GRAPH = 7;
const NODE = 1;
const CONSTANT = 5;
const [INPUT, OUTPUT, OPERATOR, ATTRIBUTE] = [1, 2, 4, 5];

/** Nodes and constants moved, taken away, made two of, joined otherwise; sound protobuf all the same. */
function mutateGraph(model: Uint8Array, random: Random): { name: string; value: Uint8Array } {
  const parts = [...fieldsOf(model)].flatMap(({ number, value }) => (number === GRAPH ? [...fieldsOf(value)] : []));
  const nodes = parts.flatMap((part, at) => (part.number === NODE ? at : []));
  const constants = parts.flatMap((part, at) => (part.number === CONSTANT ? at : []));
  const bytes = parts.map((part) => part.bytes);
  const at = pick(random, nodes);
  const edits: Record<string, () => void> = {
    "a node gone": () => bytes.splice(at, 1),
    "a node twice": () => bytes.splice(at, 0, bytes[at]),
    "two nodes exchanged": () => {
      const other = pick(random, nodes);
      [bytes[at], bytes[other]] = [bytes[other], bytes[at]];
    },
    "another operator": () => {
      const operator = pick(random, [
        "Relu",
        "Mul",
        "MatMul",
        "Conv",
        "Reshape",
        "Expand",
        "Tile",
        "Gather",
        "If",
        "x",
      ]);
      bytes[at] = withField(parts[at], OPERATOR, () => Buffer.from(operator));
    },
    "another input": () => {
      const other = pick(random, nodes);
      const [output = new Uint8Array()] = [...fieldsOf(parts[other].value)].flatMap(({ number, value }) =>
        number === OUTPUT ? [value] : [],
      );
      bytes[at] = withField(parts[at], INPUT, () => output);
    },
    "attributes gone": () => {
      const kept = [...fieldsOf(parts[at].value)].filter(({ number }) => number !== ATTRIBUTE);
      bytes[at] = delimited(NODE, Buffer.concat(kept.map((field) => field.bytes)));
    },
    "a constant spoilt": () => {
      const constant = pick(random, constants);
      bytes[constant] = delimited(CONSTANT, mutateBytes(parts[constant].value, random).value);
    },
    "a node spoilt": () => {
      bytes[at] = delimited(NODE, mutateBytes(parts[at].value, random).value);
    },
    "a constant's numbers extreme": () => {
      const constant = pick(random, constants);
      bytes[constant] = withField(parts[constant], 9, (raw) => {
        const numbers = Buffer.from(raw);
        const far = pick(random, ["ffffffffffffff7f", "0000004000000000", "ffffffffffffffff", "0000c07f0000c07f"]);
        for (let place = 0; place + 8 <= numbers.length; place += 8) numbers.write(far, place, "hex");
        return numbers;
      });
    },
  };
  const name = pick(random, Object.keys(edits));
  edits[name]();
  return { name, value: withGraph(model, bytes) };
}

function withField(part: Field, number: number, change: (value: Uint8Array) => Uint8Array): Uint8Array {
  const fields = [...fieldsOf(part.value)].map((field) =>
    field.number === number ? delimited(number, change(field.value)) : field.bytes,
  );
  return delimited(part.number, Buffer.concat(fields));
}

function withGraph(model: Uint8Array, parts: readonly Uint8Array[]): Uint8Array {
  const fields = [...fieldsOf(model)].map((field) =>
    field.number === GRAPH ? delimited(GRAPH, Buffer.concat(parts)) : field.bytes,
  );
  return Buffer.concat(fields);
}

/** Numbers that are none; arrays gone or of another shape. */
function mutateArrays(file: Uint8Array, random: Random): { name: string; value: Uint8Array } {
  const arrays = decodeSafetensors(file, "spoilt");
  const name = pick(random, Object.keys(arrays));
  const number = pick(random, [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
  const { data } = arrays[name];
  data[random.integer(data.length)] = number;
  return { name: `${name} holds ${number}`, value: encodeSafetensors(arrays) };
}

const message = (number: number, ...parts: Uint8Array[]) => delimited(number, Buffer.concat(parts));
const named = (number: number, text: string) => delimited(number, Buffer.from(text));
const node = (operator: string, inputs: string[], output: string) =>
  message(NODE, ...inputs.map((name) => named(INPUT, name)), named(OUTPUT, output), named(OPERATOR, operator));
const integers = (name: string, ...values: number[]) =>
  message(
    CONSTANT,
    Uint8Array.of(8, values.length, 16, 7),
    named(8, name),
    delimited(9, new Uint8Array(BigInt64Array.from(values, BigInt).buffer)),
  );
const one = message(CONSTANT, Uint8Array.of(8, 1, 16, 1), named(8, "one"), delimited(9, new Uint8Array(4)));

/** The explain graph with further parts. */
function withParts(files: Files, ...added: Uint8Array[]): Files {
  const model = files["explain.onnx"];
  const parts = [...fieldsOf(model)].flatMap(({ number, value }) => (number === GRAPH ? [...fieldsOf(value)] : []));
  return { ...files, "explain.onnx": withGraph(model, [...parts.map(({ bytes }) => bytes), ...added]) };
}

interface Described {
  readonly model: { readonly trunk: object; readonly heads: object[] };
  readonly preprocessing: object;
}

/** A description with something changed. */
function described(files: Files, edit: (description: Described) => void): Files {
  const description = JSON.parse(String(Buffer.from(files["bundle.json"])));
  edit(description);
  return { ...files, "bundle.json": Buffer.from(JSON.stringify(description)) };
}

/** Many arrays over the same bytes. */
function overlapping(count: number, bytes: number): Uint8Array {
  const entry = { dtype: "F32", shape: [bytes / 4], data_offsets: [0, bytes] };
  const header = Buffer.from(
    JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, index) => [`explain/x${index}`, entry]))),
  );
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, Buffer.alloc(bytes)]);
}

/** Made for harm, not by chance. */
const CRAFTED: Readonly<Record<string, (files: Files) => Files>> = {
  "a graph that loops": (files) => withParts(files, node("Loop", ["", "one"], "z")),
  "a graph that reads a file": (files) =>
    withParts(
      files,
      message(
        CONSTANT,
        Uint8Array.of(8, 8, 16, 1),
        named(8, "c"),
        message(13, named(1, "location"), named(2, "/etc/passwd")),
        message(13, named(1, "length"), named(2, "32")),
        Uint8Array.of(112, 1),
      ),
    ),
  "a graph whose attribute reads a file": (files) => {
    const tensor = [Uint8Array.of(8, 8, 16, 1), message(13, named(1, "location"), named(2, "image.png"))];
    const attribute = message(ATTRIBUTE, named(1, "value"), message(5, ...tensor), Uint8Array.of(160, 1, 4));
    return withParts(files, message(NODE, named(OUTPUT, "z"), named(OPERATOR, "Constant"), attribute));
  },
  "a graph of 4 GB": (files) => withParts(files, one, integers("s", 2 ** 30), node("Expand", ["one", "s"], "z")),
  "a graph that multiplies for hours": (files) =>
    withParts(
      files,
      ...[one, integers("s", 5500, 5500), node("Expand", ["one", "s"], "y"), node("MatMul", ["y", "y"], "z")],
    ),
  "a graph of 100,000 nodes": (files) =>
    withParts(files, ...Array.from({ length: 100_000 }, (_, index) => node("Relu", ["image"], `z${index}`))),
  "a graph of zeros, 350 MB": (files) => ({ ...files, "explain.onnx": Buffer.alloc(350 * 2 ** 20) }),
  "a graph of zeros, 30 MB": (files) => ({ ...files, "explain.onnx": Buffer.alloc(30 * 2 ** 20) }),
  "a golden of many arrays over the same bytes": (files) => ({
    ...files,
    "goldens/1.safetensors": overlapping(400, 20 * 2 ** 20),
  }),
  "weights of many arrays over the same bytes": (files) => ({
    ...files,
    "weights.safetensors": overlapping(1000, 8 * 2 ** 20),
  }),
  "an input of 16,000 pixels": (files) =>
    described(files, ({ model, preprocessing }) => {
      Object.assign(model.trunk, { inputSize: 16_000 });
      Object.assign(preprocessing, { size: 16_000 });
    }),
  "50,000 heads": (files) =>
    described(files, ({ model: { heads } }) => {
      for (let index = 0; index < 50_000; index++) heads.push({ ...heads[1], name: `a${index}` });
    }),
};
