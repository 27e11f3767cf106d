/**
 * Throughput of explaining a folder of 1,000 JPEGs, decoding and reading of results included, compared with the graph
 * alone: `npm run build && node bench/folder.js`.
 */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ndArray, openExplainer, openRuntime, readBundle, readGraph } from "aspectlens";
import { HEIGHT, WIDTH, writeFolderImages } from "./folder-images.js";
import { writeFreshBundle } from "./fresh-bundle.js";
import { median, rounded, writeResults } from "./harness.js";
import { pixels } from "./models.js";

const IMAGES = 1000;
const ROUNDS = 7;

const folder = await mkdtemp(join(tmpdir(), "aspectlens-bench-"));
const files = await writeFolderImages(join(folder, "images"), IMAGES);
const rows = [];
for (const [alpha, inputSize] of [
  [0.25, 128],
  [1, 224],
]) {
  const path = join(folder, "model.aspect");
  await writeFreshBundle(path, { alpha, inputSize, masks: 2 });
  const runtime = openRuntime();
  const bundle = await readBundle(path);
  const session = await runtime.createSession(await readGraph(bundle, "explain"), { name: "explain" });
  const explainer = await openExplainer(path);
  const target = session.inputs.find(({ name }) => name === "target")?.shape ?? [1, 1];
  const inputs = { image: pixels([1, inputSize, inputSize, 3]), target: ndArray(target) };
  const some = IMAGES / ROUNDS;
  /** @type {{ graph: number[], folder: number[] }} */
  const ms = { graph: [], folder: [] };
  for (let i = 0; i < 10; i++) await session.run(inputs);
  for (let round = 0; round < ROUNDS; round++) {
    let start = performance.now();
    for (let i = 0; i < 100; i++) await session.run(inputs);
    ms.graph.push((performance.now() - start) / 100);
    const part = files.slice(Math.floor(round * some), Math.floor((round + 1) * some));
    start = performance.now();
    for await (const outcome of explainer.explainAll(part)) if ("error" in outcome) throw outcome.error;
    ms.folder.push((performance.now() - start) / part.length);
  }
  await explainer.dispose();
  await runtime.dispose();
  const ours = { graphMs: rounded(median(ms.graph)), folderMs: rounded(median(ms.folder)) };
  const share = rounded(ours.graphMs / ours.folderMs);
  const work = `explain ${IMAGES} JPEGs of ${WIDTH} x ${HEIGHT}, mobilenet-v1 ${alpha} @${inputSize}`;
  console.log(
    `${work}: ${ours.folderMs} ms an image, the graph alone ${ours.graphMs}: ${100 * share} % of its throughput`,
  );
  rows.push({ work, ours: { ...ours, share }, peer: null, ratio: null });
}
await rm(folder, { recursive: true });
await writeResults("folder", rows);
