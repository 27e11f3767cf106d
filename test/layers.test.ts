/** Who may import whom: the table below is the architecture. */

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, test } from "vitest";

const SRC = resolve(import.meta.dirname, "../src");

/** Folder (or root file) of src -> the folders and root files it may import, besides itself. */
const ALLOWED: Record<string, string[]> = {
  core: [],
  trunk: ["core"],
  heads: ["core"],
  dataset: ["core"],
  engine: ["core"],
  weights: ["core", "trunk", "engine"],
  "model.ts": ["core", "trunk", "heads"],
  "trained-model.ts": ["core", "model.ts"],
  train: ["core", "trunk", "heads", "dataset", "engine", "model.ts"],
  explain: ["core", "trunk", "heads", "dataset", "engine", "model.ts", "trained-model.ts"],
  report: ["core", "explain"],
  bundle: ["core", "trunk", "heads", "dataset", "engine", "model.ts", "trained-model.ts", "explain"],
  "start.ts": ["core", "trunk", "train", "weights"],
  "train-plan.ts": ["start.ts", "core", "trunk", "dataset", "model.ts", "trained-model.ts", "train"],
  "run-training.ts": [
    "train-plan.ts",
    "core",
    "trunk",
    "heads",
    "dataset",
    "engine",
    "model.ts",
    "trained-model.ts",
    "train",
    "explain",
    "weights",
  ],
  cli: [
    "train-plan.ts",
    "core",
    "trunk",
    "heads",
    "dataset",
    "engine",
    "train",
    "explain",
    "bundle",
    "report",
    "weights",
    "model.ts",
    "trained-model.ts",
    "run-training.ts",
  ],
  "index.ts": [
    "train-plan.ts",
    "core",
    "trunk",
    "heads",
    "dataset",
    "engine",
    "train",
    "explain",
    "bundle",
    "report",
    "model.ts",
    "trained-model.ts",
    "run-training.ts",
  ],
};

/** What reads plain arrays: loads no TensorFlow.js, so that explaining a bundle needs none. */
const PLAIN = [
  /^core\//,
  /^dataset\//,
  /^heads\/.*-reading\.ts$/,
  /^heads\/metrics.*\.ts$/,
  /^explain\/reading\//,
  /^bundle\/(?!export)/,
  /^report\//,
];

const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((file) => /\.(ts|js)$/.test(file));

interface Import {
  readonly from: string;
  readonly to: string;
  readonly isType: boolean;
}

const imports: Import[] = files.flatMap((file) => {
  const text = readFileSync(join(SRC, file), "utf8");
  return [
    ...text.matchAll(/^(?:import|export)(\s+type)?[^"']*?from\s+["']([^"']+)["']|^import\s+["']([^"']+)["']/gm),
  ].map((match) => {
    const target = match[2] ?? match[3];
    const to = target.startsWith(".")
      ? relative(SRC, resolve(SRC, dirname(file), target)).replace(/\.js$/, ".ts")
      : target;
    return { from: file, to, isType: match[1] !== undefined };
  });
});

const areaOf = (file: string) => file.split("/")[0];
const isOurs = ({ to }: Import) => files.includes(to) || files.includes(to.replace(/\.ts$/, ".js"));

describe("layers", () => {
  test("every folder is in the table", () => {
    expect([...new Set(files.map(areaOf))].filter((area) => !(area in ALLOWED))).toEqual([]);
  });

  test("each folder imports only what the table allows", () => {
    const wrong = imports
      .filter(isOurs)
      .filter(({ from, to }) => areaOf(from) !== areaOf(to) && !ALLOWED[areaOf(from)].includes(areaOf(to)))
      .map(({ from, to }) => `${from} -> ${to}`);
    expect(wrong).toEqual([]);
  });

  test("there are no import cycles", () => {
    const edges = new Map<string, string[]>();
    for (const edge of imports.filter(isOurs).filter((candidate) => !candidate.isType)) {
      edges.set(edge.from, [...(edges.get(edge.from) ?? []), edge.to]);
    }
    const state = new Map<string, "open" | "done">();
    const cycles: string[] = [];
    const visit = (file: string, path: string[]) => {
      if (state.get(file) === "done") return;
      if (state.get(file) === "open") {
        cycles.push([...path.slice(path.indexOf(file)), file].join(" -> "));
        return;
      }
      state.set(file, "open");
      for (const next of edges.get(file) ?? []) visit(next, [...path, file]);
      state.set(file, "done");
    };
    for (const file of files) visit(file, []);
    expect(cycles).toEqual([]);
  });

  test("only engine/onnx-runtime.js loads ONNX Runtime, which it does without its telemetry", () => {
    const root = resolve(SRC, "..");
    const code = ["src", "test", "bench", "examples", "scripts"].flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
        .filter((file) => /\.[jt]s$/.test(file))
        .map((file) => join(folder, file)),
    );
    const loading = code.filter((file) =>
      /(^(import|export)(?! type)[^"']*? from |import\(|require\()["']onnxruntime-node["']/m.test(
        // Types in comments load nothing.
        readFileSync(join(root, file), "utf8").replace(/\/\*.*?\*\//gs, ""),
      ),
    );
    expect(loading).toEqual([join("src", "engine", "onnx-runtime.js")]);
  });

  test("what reads plain arrays imports no TensorFlow.js, not even through others", () => {
    const runtime = imports.filter((edge) => !edge.isType);
    const loads = (file: string, seen: Set<string>): string | null => {
      if (seen.has(file)) return null;
      seen.add(file);
      for (const { to } of runtime.filter((edge) => edge.from === file)) {
        if (to.startsWith("@tensorflow/")) return file;
        const through = loads(to, seen);
        if (through) return through;
      }
      return null;
    };
    const wrong = files
      .filter((file) => PLAIN.some((pattern) => pattern.test(file)))
      .map((file) => ({ file, through: loads(file, new Set()) }))
      .filter(({ through }) => through !== null);
    expect(wrong).toEqual([]);
  });
});
