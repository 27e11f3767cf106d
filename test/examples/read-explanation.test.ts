/** examples/read_explanation.py reads the same numbers off a graph's outputs as we do. */

import { spawnSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { zipSync } from "fflate";
import { describe, expect, test } from "vitest";
import { encodeGolden, type Golden } from "../../src/bundle/golden.js";
import { type NdArray, type NdArrays, ndArray } from "../../src/core/nd-array.js";
import { type Random, random } from "../../src/core/random.js";
import type { ScoreScale } from "../../src/core/relevance-scale.js";
import { readExplanation } from "../../src/explain/reading/read-explanation.js";
import type { AspectSpec, HeadSpec } from "../../src/heads/head-spec.js";
import type { ModelSpec } from "../../src/model/model-spec.js";
import { unpackTinyBundle } from "../bundle/elsewhere/unpacked-bundle.js";
import { temporaryFolder } from "../dataset/given.js";

const script = resolve(import.meta.dirname, "../../examples/read_explanation.py");
const python = process.env.PYTHON || "python3";
const hasNumpy = spawnSync(python, ["-c", "import numpy"]).status === 0;
if (!hasNumpy) console.warn(`skipped: ${python} has not numpy; name one that has in $PYTHON`);
const folder = await temporaryFolder();

interface Read {
  readonly name: string;
  readonly isPresent: boolean;
  readonly isRelevant: boolean | null;
  readonly presence: number;
  readonly survival: number | null;
  readonly score: number | null;
  readonly relevance: number | null;
}

function readInPython(path: string, golden: string): { scale: ScoreScale; aspects: Read[] } {
  const { status, stdout, stderr } = spawnSync(python, [script, path, golden], { encoding: "utf8" });
  expect(stderr + status).toBe("0");
  return JSON.parse(stdout);
}

/** Both readings of one golden, ours first; they agree where this does not throw. */
function compare(path: string, golden: string, outputs: NdArrays, spec: ModelSpec, scale: ScoreScale) {
  const how = { spec, scale, image: "x.png" };
  const { aspects } = readExplanation(outputs, how).explanation;
  const read = readInPython(path, golden);
  expect(read.scale).toEqual(scale);
  expect(read.aspects.map(({ name }) => name)).toEqual(aspects.map(({ name }) => name));
  for (const [index, ours] of aspects.entries()) {
    const theirs = read.aspects[index];
    for (const key of ["isPresent", "isRelevant"] as const) expect(theirs[key], `${ours.name} ${key}`).toBe(ours[key]);
    for (const key of ["presence", "survival", "score", "relevance"] as const) {
      const [found, expected] = [theirs[key], ours[key]];
      if (expected === null || found === null) expect(found, `${ours.name} ${key}`).toBe(expected);
      else
        expect(Math.abs(found - expected), `${ours.name} ${key}`).toBeLessThan(1e-5 * Math.max(1, Math.abs(expected)));
    }
  }
  return aspects;
}

describe.skipIf(!hasNumpy)("read_explanation.py", () => {
  test("is short", async () => {
    expect((await readFile(script, "utf8")).trimEnd().split("\n").length).toBeLessThanOrEqual(110);
  });

  test("reads the goldens of a bundle as we do", async () => {
    const goldens = await unpackTinyBundle(folder);
    const { model, scales } = JSON.parse(await readFile(join(folder, "bundle.json"), "utf8"));
    const aspects = [...goldens].flatMap(([file, { explain }]) =>
      compare(join(folder, "tiny.aspect"), file.replace(".safetensors", ""), explain, model, scales.evidence.class),
    );
    expect(aspects.some(({ isPresent }) => isPresent)).toBe(true); // random heads are sure of nothing: no relevance
  });

  test.each<ScoreScale>([
    { kind: "probability", line: 0.08, slope: 2, by: "causes" },
    { kind: "above-chance", line: 0.08 },
    { kind: "uncalibrated" },
  ])("reads heads of every kind that share some layers as we do, relevant ones and others: $kind", async (scale) => {
    const all = [];
    for (let seed = 1; seed <= 6; seed++) {
      const outputs = drawnOutputs(random(seed, "outputs"));
      const path = join(folder, `drawn-${scale.kind}-${seed}.zip`);
      const nothing = ndArray([1, 1]);
      const golden: Golden = { name: "1", image: nothing, target: nothing, predict: {}, explain: outputs };
      // A method without a scale is not calibrated.
      const scales = scale.kind === "uncalibrated" ? {} : { evidence: { class: scale } };
      const description = Buffer.from(JSON.stringify({ model: SPEC, saliency: "evidence", scales }));
      await writeFile(path, zipSync({ "bundle.json": description, "goldens/1.safetensors": encodeGolden(golden) }));
      all.push(...compare(path, "1", outputs, SPEC, scale));
    }
    expect(all.filter(({ survival }) => survival === null).length).toBeGreaterThan(2);
    const scored = all.filter(({ score }) => score !== null);
    expect(scored.filter(({ score }) => score === 0).length).toBeGreaterThan(0); // a bound of the fit is reached
    if (scale.kind === "uncalibrated") expect(scored.every(({ isRelevant }) => isRelevant === null)).toBe(true);
    else {
      expect(scored.filter(({ isRelevant }) => isRelevant).length).toBeGreaterThan(5);
      expect(scored.filter(({ isRelevant }) => !isRelevant).length).toBeGreaterThan(5);
    }
  });

  test("reads aspects on a network of their own as we do", async () => {
    const scale: ScoreScale = { kind: "probability", line: 0.08, slope: 2, by: "causes" };
    const onOther = ({ name }: AspectSpec) => name === "seen" || name === "number" || name === "mask";
    const spec: ModelSpec = {
      ...SPEC,
      heads: [CLASSIFIER, ...ASPECTS.map((head) => (onOther(head) ? { ...head, network: "other" } : head))],
      networks: [
        {
          name: "other",
          trunk: SPEC.trunk,
          mapping: {
            ...{ kind: "linear", from: "conv_pw_3", to: "conv_pw_5" },
            quality: { images: 10, r2: 0.6, agreement: { seen: 0.9, number: 0.3, mask: null } },
          },
        },
      ],
    };
    const read = [];
    for (let seed = 1; seed <= 6; seed++) {
      const stream = random(seed, "mapped");
      const drawn = drawnOutputs(stream, (head) => (onOther(head) ? ["conv_pw_3"] : head.taps));
      const mapped = Object.fromEntries(
        ASPECTS.filter(onOther).map(({ name }) => {
          const { shape, data } = drawn[`${name}/unmasked`];
          return [
            `${name}/mapped`,
            ndArray(
              shape,
              Float32Array.from(data, (value) => value + stream.normal()),
            ),
          ];
        }),
      );
      const outputs = { ...drawn, ...mapped };
      const path = join(folder, `mapped-${seed}.zip`);
      const nothing = ndArray([1, 1]);
      const golden: Golden = { name: "1", image: nothing, target: nothing, predict: {}, explain: outputs };
      const description = { model: spec, saliency: "evidence", scales: { evidence: { class: scale } } };
      const entries = {
        "bundle.json": Buffer.from(JSON.stringify(description)),
        "goldens/1.safetensors": encodeGolden(golden),
      };
      await writeFile(path, zipSync(entries));
      read.push(...compare(path, "1", outputs, spec, scale));
    }
    expect(read.filter(({ name, isPresent }) => name === "number" && isPresent).length).toBeGreaterThan(0);
    for (const { name, score } of read) if (name === "number") expect(score).toBeNull();
    expect(read.filter(({ name, score }) => name === "seen" && score !== null).length).toBeGreaterThan(0);
  });
});

const SIZE = 32;
const CHANNELS = 6;
const GRIDS: Readonly<Record<string, number>> = { conv_pw_3: 8, conv_pw_5: 4 };
const ASPECTS: readonly AspectSpec[] = [
  { name: "mask", kind: "segmentation", taps: ["conv_pw_3"], threshold: 0.5 },
  { name: "boxes", kind: "boxes", taps: ["conv_pw_3", "conv_pw_5"], threshold: 0.3 },
  { name: "seen", kind: "presence", taps: ["conv_pw_5"], threshold: 0.6, temperature: 1.7 },
  { name: "number", kind: "amount", form: "number", taps: ["conv_pw_5"], threshold: 0.1 },
  { name: "map", kind: "amount", form: "map", taps: ["conv_pw_5", "conv_pw_3"], threshold: 0.4 },
];
const CLASSIFIER: HeadSpec = {
  name: "class",
  kind: "classifier",
  task: "single",
  classes: ["a", "b"],
  taps: ["conv_pw_5"],
};
const SPEC: ModelSpec = {
  trunk: { name: "mobilenet-v1", alpha: 0.25, inputSize: SIZE },
  source: "conv_pw_5",
  heads: [CLASSIFIER, ...ASPECTS],
};

/** Outputs as a graph could give them: the sums are those of evidence drawn at random, which the aspects share in part. */
function drawnOutputs(stream: Random, layersOf = (head: AspectSpec): readonly string[] => head.taps): NdArrays {
  const draw = (shape: readonly number[], scale: number) => {
    const array = ndArray(shape);
    for (const index of array.data.keys()) array.data[index] = stream.normal() * scale;
    return array;
  };
  const outputs: Record<string, NdArray> = {
    logits: draw([1, 2], 1),
    scores: ndArray([1, 2], Float32Array.of(0.3, 0.7)),
  };
  const evidence: Record<string, { answer: NdArray; of: { name: string; p: NdArray }[] }> = {};
  for (const [layer, side] of Object.entries(GRIDS)) {
    const answer = draw([side * side, CHANNELS], 1);
    const of = ASPECTS.filter((head) => layersOf(head).includes(layer)).map(({ name }) => {
      const p = draw([side * side, CHANNELS], 0.4);
      const share = stream.uniform(0, 2);
      // Each has some of the answer's evidence at some places.
      for (const index of p.data.keys())
        if (index % (side * CHANNELS) < (side * CHANNELS) / 2) p.data[index] += share * answer.data[index];
        else p.data[index] *= stream.next() < 0.5 ? 1 : 0.001;
      return { name, p };
    });
    evidence[layer] = { answer, of };
    outputs[`evidence/${layer}`] = sums(side, answer, (c) => [c, Math.abs(c)]);
    outputs[`saliency/${layer}`] = ndArray([1, side, side, 1], new Float32Array(side * side).fill(1));
    for (const { name, p } of of) {
      outputs[`${name}/overlap/${layer}`] = sums(side, answer, (c, index) => [
        Math.sign(c) * Math.sqrt(Math.abs(c)) * p.data[index],
        p.data[index] ** 2,
      ]);
    }
    const pairs = of.flatMap(({ p: a }, index) =>
      of
        .slice(index + 1)
        .map(({ p: b }) => Array.from(a.data, (value, place) => value * b.data[place]).reduce((x, y) => x + y)),
    );
    outputs[`pairs/${layer}`] = ndArray([1, pairs.length], Float32Array.from(pairs));
  }
  for (const spec of ASPECTS) {
    const isMap = spec.kind === "segmentation" || (spec.kind === "amount" && spec.form === "map");
    const shape = spec.kind === "boxes" ? [1, 8, 8, 5] : isMap ? [1, SIZE, SIZE, 1] : [1, 1];
    const unmasked = draw(shape, spec.kind === "boxes" ? 1 : 2);
    const reference = draw(shape, 0.2);
    const contrast = stream.next() < 0.8 ? 3 : 0;
    outputs[`${spec.name}/unmasked`] = unmasked;
    outputs[`${spec.name}/masked`] = draw(shape, 1);
    outputs[`${spec.name}/reference`] = ndArray(
      shape,
      Float32Array.from(reference.data, (value, index) => value + unmasked.data[index] - contrast),
    );
  }
  return outputs;
}

/** Two sums over channels at each place, `[1, side, side, 2]`. */
function sums(side: number, { data }: NdArray, of: (c: number, index: number) => readonly [number, number]): NdArray {
  const array = ndArray([1, side, side, 2]);
  for (const [index, c] of data.entries()) {
    const place = Math.floor(index / CHANNELS);
    of(c, index).forEach((value, which) => {
      array.data[2 * place + which] += value;
    });
  }
  return array;
}
