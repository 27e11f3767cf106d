/** `aspectlens/explainer` as a user's process runs it, from the built package. */

import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { exportBundle } from "../../src/bundle/export-bundle.js";
import { tinyModel } from "../bundle/tiny-model.js";

const root = resolve(import.meta.dirname, "../..");
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "aspectlens-"));
  await mkdir(join(folder, "node_modules"));
  await symlink(root, join(folder, "node_modules/aspectlens"));
  await symlink(join(root, "node_modules/@tensorflow"), join(folder, "node_modules/@tensorflow"));
  await exportBundle(tinyModel(), join(folder, "tiny.aspect"));
  const image = sharp({ create: { width: 90, height: 60, channels: 3, background: "#c08080" } });
  await image.toFile(join(folder, "photo.png"));
});
afterAll(() => rm(folder, { recursive: true }));

test("explains, draws, writes and verifies without loading TensorFlow.js", async () => {
  const { scripts, output } = await run(`
    import { explanationTable, InputError, openExplainer, renderOverlay, verifyBundle, writeExplanation } from "aspectlens/explainer";
    const explainer = await openExplainer("tiny.aspect");
    const explained = await explainer.explain("photo.png");
    await explainer.dispose();
    const files = await writeExplanation(explained, { image: "photo.png", folder: "out" });
    const overlay = await renderOverlay(explained, "photo.png");
    const { goldenCount } = await verifyBundle("tiny.aspect");
    const fault = await verifyBundle("photo.png").catch((error) => error instanceof InputError);
    const table = explanationTable(explained.explanation).split("\\n").length;
    console.log(JSON.stringify({ files, isJpeg: overlay[0] === 0xff && overlay[1] === 0xd8, goldenCount, fault, table }));`);
  const result = JSON.parse(output);
  expect(result).toMatchObject({ isJpeg: true, goldenCount: 2, fault: true });
  expect(result.files.slice(0, 2)).toEqual([join("out", "photo.json"), join("out", "photo.overlay.jpg")]);
  expect(result.table).toBeGreaterThan(3);
  expect(scripts.some((url) => url.endsWith("/dist/explain/reading/read-explanation.js"))).toBe(true);
  expect(scripts.some((url) => url.includes("/onnxruntime-node/"))).toBe(true); // in the worker
  expect(scripts.filter((url) => url.includes("tensorflow") || url.includes("tfjs"))).toEqual([]);
});

test("bytes of an upload are decoded once, then explained, drawn and written, under the stem of the request", async () => {
  const { scripts, output } = await run(`
    import { readFile } from "node:fs/promises";
    import { decodeImage, openExplainer, renderOverlay, writeExplanation } from "aspectlens/explainer";
    const explainer = await openExplainer("tiny.aspect");
    const size = explainer.spec.trunk.inputSize;
    const image = await decodeImage(await readFile("photo.png"), { size, name: "upload 7" });
    const explained = await explainer.explain(image, { stem: "seven" });
    const ofPath = await explainer.explain("photo.png");
    await explainer.dispose();
    const same = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)) === 0;
    const { width, height, explanation, maps } = explained;
    const isSame = same(maps.saliency.values.buffer, ofPath.maps.saliency.values.buffer);
    const files = await writeExplanation(explained, { image, folder: "uploads" });
    const overlay = await renderOverlay(explained, image);
    console.log(JSON.stringify({ width, height, image: explanation.image, isSame, files, isDrawn: same(overlay, await readFile(files[1])) }));`);
  expect(JSON.parse(output)).toMatchObject({
    ...{ width: 90, height: 60, image: "upload 7", isSame: true, isDrawn: true },
    files: expect.arrayContaining([join("uploads", "seven.json"), join("uploads", "seven.overlay.jpg")]),
  });
  expect(scripts.filter((url) => url.includes("tensorflow") || url.includes("tfjs"))).toEqual([]);
});

test("the list of scripts does name TensorFlow.js where it is loaded", async () => {
  const { scripts } = await run('import "aspectlens/explainer"; import "@tensorflow/tfjs-core";');
  expect(scripts.some((url) => url.includes("@tensorflow"))).toBe(true);
});

/** @returns what the program printed, and the URLs of all scripts that Node ran in every thread: from its own coverage. */
async function run(program: string): Promise<{ output: string; scripts: string[] }> {
  await writeFile(join(folder, "main.mjs"), program);
  const coverage = await mkdtemp(join(folder, "coverage-"));
  const env = { ...process.env, NODE_V8_COVERAGE: coverage, NODE_OPTIONS: "" };
  const { stdout } = await promisify(execFile)(process.execPath, ["main.mjs"], { cwd: folder, env });
  const reports = await Promise.all(
    (await readdir(coverage)).map(async (name) => JSON.parse(await readFile(join(coverage, name), "utf8"))),
  );
  const scripts = reports.flatMap(({ result }: { result: { url: string }[] }) => result.map(({ url }) => url));
  return { output: stdout, scripts };
}
