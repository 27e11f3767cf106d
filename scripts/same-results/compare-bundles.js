/** Whether two bundles hold the same, and their graphs answer alike. */

import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { unzipSync } from "fflate";
import { compareFiles } from "./compare-files.js";
import { readArrays } from "./safetensors.js";

/** @typedef {import("./compare-files.js").Item} Item */

/**
 * @param {{ model: string, before: string, after: string, tree: string }} bundles `tree`: whose build runs the graphs.
 * @returns {Promise<Item[]>}
 */
export async function compareBundles({ model, before, after, tree }) {
  if (!existsSync(before) || !existsSync(after))
    return [{ model, kind: "bundle", name: `${model}.aspect`, verdict: "different", where: "a build made none" }];
  const [a, b] = [before, after].map((path) => unzipSync(readFileSync(path)));
  const items = [];
  for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const found = !(name in a && name in b)
      ? { verdict: "different", where: "only one bundle has it" }
      : name.endsWith(".onnx")
        ? { verdict: Buffer.from(a[name]).equals(b[name]) ? "equal" : "names", where: "" }
        : name === "LICENSE"
          ? { verdict: Buffer.from(a[name]).equals(b[name]) ? "equal" : "words", where: "" }
          : await compareFiles(name, Buffer.from(a[name]), Buffer.from(b[name]));
    items.push(/** @type {Item} */ ({ model, kind: kindOf(name), name: `${model}.aspect: ${name}`, ...found }));
  }
  return [...items, ...(await compareAnswers({ model, a, b, tree }))];
}

/** @param {string} name */
function kindOf(name) {
  if (name.startsWith("goldens/")) return "goldens";
  if (name.endsWith(".onnx")) return "graphs' bytes";
  return name.endsWith(".safetensors") ? "weights of the bundle" : "description and card";
}

/**
 * Runs both bundles' graphs on the first one's goldens, on one thread.
 *
 * @param {{ model: string, a: Record<string, Uint8Array>, b: Record<string, Uint8Array>, tree: string }} bundles
 */
async function compareAnswers({ model, a, b, tree }) {
  const { InferenceSession, Tensor } = await import(runtimeOf(tree));
  const folder = mkdtempSync(join(tmpdir(), "graphs-"));
  try {
    /** @type {Item[]} */
    const items = [];
    const roots = [a, b].map((files, index) => unpackTo(join(folder, String(index)), files));
    for (const graph of ["predict.onnx", "explain.onnx"]) {
      const sessions = await Promise.all(
        roots.map((root) => InferenceSession.create(join(root, graph), { intraOpNumThreads: 1 })),
      );
      for (const golden of Object.keys(a).filter((name) => name.startsWith("goldens/"))) {
        const arrays = readArrays(a[golden]);
        const answers = await Promise.all(
          sessions.map(async (session) => {
            const feeds = session.inputNames.map((/** @type {string} */ name) => {
              const { bytes, shape } = arrays.get(`input/${name}`) ?? { bytes: Buffer.alloc(0), shape: [0] };
              return [name, new Tensor("float32", new Float32Array(Uint8Array.from(bytes).buffer), shape)];
            });
            return session.run(Object.fromEntries(feeds));
          }),
        );
        const where = firstDifference(answers[0], answers[1]);
        const name = `${model}.aspect: ${graph} on ${golden}`;
        items.push({ model, kind: "graphs' outputs on goldens", name, verdict: where ? "different" : "equal", where });
      }
      await Promise.all(sessions.map((session) => session.release()));
    }
    return items;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @typedef {Record<string, { dims: number[], data: Float32Array }>} Answers */

/**
 * @param {Answers} a
 * @param {Answers} b
 * @returns {string} the first output that differs in any bit; empty where none does.
 */
function firstDifference(a, b) {
  const bytesOf = (/** @type {Float32Array} */ { buffer, byteOffset, byteLength }) =>
    Buffer.from(buffer, byteOffset, byteLength);
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  const isSame = (/** @type {string} */ name) =>
    name in a &&
    name in b &&
    String(a[name].dims) === String(b[name].dims) &&
    bytesOf(a[name].data).equals(bytesOf(b[name].data));
  return names.find((name) => !isSame(name)) ?? "";
}

/** @param {string} folder @param {Record<string, Uint8Array>} files */
function unpackTo(folder, files) {
  for (const [name, bytes] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), bytes);
  }
  return folder;
}

/** The one file of a build that loads ONNX Runtime, wherever it lies. @param {string} tree */
function runtimeOf(tree) {
  const dist = join(tree, "dist");
  const path = readdirSync(dist, { recursive: true, encoding: "utf8" }).find((name) =>
    /(^|[/\\])onnx-runtime\.js$/.test(name),
  );
  if (path === undefined) throw new Error(`${dist}: no onnx-runtime.js, which loads ONNX Runtime`);
  return pathToFileURL(join(dist, path)).href;
}
