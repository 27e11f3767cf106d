/** Who may import whom: the table in layers.ts is the architecture, and docs/architecture.md draws it. */

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { ALLOWED } from "./layers.js";

const SRC = resolve(import.meta.dirname, "../src");

/** What reads plain arrays: loads no TensorFlow.js, so that explaining a bundle needs none. */
const PLAIN = [
  /^core\//,
  /^dataset\//,
  /^heads\/.*-reading\.ts$/,
  /^metrics\//,
  /^evaluation\//,
  /^heads\/metrics.*\.ts$/,
  /^explain\/[^/]*$/,
  /^explain\/reading\//,
  /^bundle\/(?!export)/,
  /^pictures\//,
  /^review\//,
  /^pages\//,
  /^survey\//,
  /^explainer\.ts$/,
];

const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((file) => /\.(ts|js)$/.test(file));

interface Import {
  readonly from: string;
  readonly to: string;
  readonly isType: boolean;
  /** Loaded only when it is needed. */
  readonly isLate: boolean;
}

/** `import`, `export ... from` and `import("...")`; what is a type alone is erased, and one in a comment is no import. */
function importsOf(file: string): Import[] {
  const found: Import[] = [];
  const add = (specifier: ts.Expression, { isType = false, isLate = false }) => {
    if (!ts.isStringLiteral(specifier)) return;
    const path = relative(SRC, resolve(SRC, dirname(file), specifier.text));
    const target = files.includes(path) ? path : path.replace(/\.js$/, ".ts");
    found.push({ from: file, to: specifier.text.startsWith(".") ? target : specifier.text, isType, isLate });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      add(node.moduleSpecifier, { isType: node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword });
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier) {
      add(node.moduleSpecifier, { isType: node.isTypeOnly });
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node.arguments[0], { isLate: true });
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, readFileSync(join(SRC, file), "utf8"), ts.ScriptTarget.Latest));
  return found;
}

const imports = files.flatMap(importsOf);

const roomOf = (file: string) => (file.includes("/") ? dirname(file) : file);
const isOurs = ({ to }: Import) => files.includes(to);

describe("layers", () => {
  test("late imports are seen", () => {
    expect(imports).toContainEqual(expect.objectContaining({ from: "cli/command-line.ts", isLate: true }));
  });

  test("every room is in the table", () => {
    expect([...new Set(files.map(roomOf))].filter((room) => !(room in ALLOWED))).toEqual([]);
  });

  test("each room imports only what the table allows", () => {
    const wrong = imports
      .filter(isOurs)
      .filter(({ from, to }) => roomOf(from) !== roomOf(to) && !ALLOWED[roomOf(from)].includes(roomOf(to)))
      .map(({ from, to }) => `${from} -> ${to}`);
    expect(wrong).toEqual([]);
  });

  test("there are no import cycles, not even through import()", () => {
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
    const runtime = imports.filter((edge) => !edge.isType && !edge.isLate);
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
