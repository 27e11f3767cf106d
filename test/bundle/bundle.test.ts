import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unzipSync } from "fflate";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Explainer, type Outcome, openExplainer } from "../../src/bundle/explainer.js";
import { explanationGraphs } from "../../src/bundle/explanation-graphs.js";
import { exportBundle } from "../../src/bundle/export-bundle.js";
import { goldenNames, readBundle, readBundledModel, readGolden } from "../../src/bundle/read-bundle.js";
import { verifyBundle } from "../../src/bundle/verify-bundle.js";
import { random } from "../../src/core/random.js";
import { decodeSafetensors, encodeSafetensors } from "../../src/core/safetensors.js";
import { pixelCount } from "../../src/core/size.js";
import { openRuntime, type Runtime } from "../../src/engine/session.js";
import type { Explained, MethodChoice } from "../../src/explain/explanation.js";
import { redescribed, repacked } from "./stub.js";
import { tinyModel } from "./tiny-model.js";

/** Of `tinyModel`. */
const CALIBRATED = { kind: "probability", line: 0.03, slope: 2, by: "causes" };

let folder: string;
let path: string;
let runtime: Runtime;
let explainer: Explainer;
let photo: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "aspectlens-"));
  path = join(folder, "tiny.aspect");
  photo = join(folder, "photo.png");
  runtime = openRuntime({ threads: 1 });
  const samples = [Uint8Array.from({ length: 64 * 64 * 3 }, (_, index) => (index * 7) % 256)];
  await exportBundle(tinyModel(), path, { runtime, samples, kernel: "cubic" });
  const pixels = Buffer.from(Array.from({ length: 90 * 60 * 3 }, (_, index) => (index * 31) % 256));
  await sharp(pixels, { raw: { width: 90, height: 60, channels: 3 } }).toFile(photo);
  explainer = await openExplainer(path, { threads: 1 });
});
afterAll(async () => {
  await explainer?.dispose();
  await runtime.dispose();
  await rm(folder, { recursive: true });
});

describe("verifyBundle", () => {
  test("replays every golden through both graphs", async () => {
    const verified = await verifyBundle(path, { runtime });
    expect(verified).toMatchObject({ fileCount: 9, goldenCount: 3 });
    // predict: logits, scores, 4 aspects; explain: logits, scores, 4 x (3 + overlap), 4 maps of the one tap.
    expect(verified.outputCount).toBe(3 * (6 + 2 + 16 + 4));
    expect(verified.worst?.error).toBeLessThanOrEqual(verified.worst?.tolerance ?? 0);
  });

  test("names the worst output where a weight was altered under right checksums", async () => {
    const bytes = await readFile(path);
    const weights = decodeSafetensors(unzipSync(bytes)["weights.safetensors"], "weights");
    const name = "head/vessel/reduce/conv_pw_6/kernel";
    weights[name].data.forEach((value, index) => {
      weights[name].data[index] = value * 1.5;
    });
    const altered = join(folder, "altered.aspect");
    const changes = { "weights.safetensors": encodeSafetensors(weights) };
    await writeFile(altered, repacked(bytes, changes, { isResealed: true }));
    await expect(verifyBundle(altered, { runtime })).rejects.toThrow(
      /altered\.aspect: (predict|explain)\.onnx does not give what it must: the worst output is "(vessel\/\w+(\/conv_pw_6)?|pairs\/conv_pw_6)" of golden "\d", (absolute|relative) error/,
    );
  });

  test("refuses goldens and weights that hold what is no number, beside which anything would agree", async () => {
    const bytes = await readFile(path);
    const files = unzipSync(bytes);
    const spoilt = join(folder, "spoilt.aspect");
    for (const [file, name] of [
      ["goldens/1.safetensors", "explain/logits"],
      ["goldens/1.safetensors", "input/image"],
      ["weights.safetensors", "reference/conv_pw_6"],
      ["weights.safetensors", "head/vessel/reduce/conv_pw_6/kernel"],
    ]) {
      const arrays = decodeSafetensors(files[file], file);
      arrays[name].data[0] = Number.NaN;
      await writeFile(spoilt, repacked(bytes, { [file]: encodeSafetensors(arrays) }, { isResealed: true }));
      await expect(verifyBundle(spoilt, { runtime })).rejects.toThrow(
        `spoilt.aspect: ${file}: "${name}" holds NaN or Infinity`,
      );
    }
    const golden = decodeSafetensors(files["goldens/1.safetensors"], "golden");
    delete golden["predict/scores"];
    const changes = { "goldens/1.safetensors": encodeSafetensors(golden) };
    await writeFile(spoilt, repacked(bytes, changes, { isResealed: true }));
    await expect(verifyBundle(spoilt, { runtime })).rejects.toThrow("goldens/1.safetensors: has no predict/scores");
  });

  test("refuses more goldens than anybody needs", async () => {
    const bytes = await readFile(path);
    const golden = unzipSync(bytes)["goldens/1.safetensors"];
    const many = Object.fromEntries(
      Array.from({ length: 99 }, (_, index) => [`goldens/x${index}.safetensors`, golden]),
    );
    const crowded = join(folder, "crowded.aspect");
    await writeFile(crowded, repacked(bytes, many, { isResealed: true }));
    await expect(verifyBundle(crowded, { runtime })).rejects.toThrow(/has 102 goldens, more than the 100 allowed/);
  });

  test("and export refuses a model that holds what is no number", async () => {
    const trained = tinyModel();
    const [name] = Object.keys(trained.parameters);
    trained.parameters[name].data[0] = Number.POSITIVE_INFINITY;
    const never = join(folder, "never.aspect");
    await expect(exportBundle(trained, never, { runtime, kernel: "cubic" })).rejects.toThrow(
      /parameter ".*" holds NaN/,
    );
    expect(existsSync(never)).toBe(false);
  });

  test("refuses a bundle that explain would refuse: resized by another kernel", async () => {
    const other = join(folder, "other.aspect");
    await exportBundle(tinyModel(), other, { runtime, kernel: "nearest" });
    await expect(verifyBundle(other, { runtime })).rejects.toThrow(/other\.aspect: .* kernel "nearest", this version/);
  });

  test("stops where asked, and so does an export, which writes nothing then", async () => {
    const signal = AbortSignal.abort(new Error("asked to stop"));
    await expect(verifyBundle(path, { runtime, signal })).rejects.toThrow("asked to stop");
    const never = join(folder, "never.aspect");
    await expect(exportBundle(tinyModel(), never, { runtime, kernel: "cubic", signal })).rejects.toThrow(
      "asked to stop",
    );
    expect(existsSync(never)).toBe(false);
  });
});

describe("exportBundle", () => {
  test("makes the same bytes of the same model", async () => {
    const again = join(folder, "again.aspect");
    const samples = [Uint8Array.from({ length: 64 * 64 * 3 }, (_, index) => (index * 7) % 256)];
    await exportBundle(tinyModel(), again, { runtime, samples, kernel: "cubic" });
    expect(Buffer.compare(await readFile(again), await readFile(path))).toBe(0);
  });

  test("keeps the trained numbers exactly", async () => {
    const trained = tinyModel();
    const bundled = await readBundledModel(await readBundle(path));
    expect(bundled.spec).toEqual(trained.spec);
    expect(Object.keys(bundled.parameters)).toEqual(Object.keys(trained.parameters));
    for (const [name, { shape, data }] of Object.entries(trained.parameters)) {
      expect(bundled.parameters[name].shape, name).toEqual(shape);
      expect(Buffer.compare(toBytes(bundled.parameters[name].data), toBytes(data)), name).toBe(0);
    }
    expect(bundled.references).toEqual(trained.references);
  });

  test("says the same in predict.onnx and explain.onnx", async () => {
    const bundle = await readBundle(path);
    for (const name of goldenNames(bundle)) {
      const { predict, explain } = await readGolden(bundle, name);
      for (const [output, { data }] of Object.entries(predict)) {
        const differences = Array.from(data, (value, index) => Math.abs(value - explain[output].data[index]));
        const worst = Math.max(...differences);
        expect(worst, output).toBeLessThan(1e-4);
      }
    }
  });
});

describe("an explainer", () => {
  test("explains a file, and remembers the original's shape", async () => {
    const { explanation, maps, width, height } = await explainer.explain(photo);
    expect({ width, height }).toEqual({ width: 90, height: 60 });
    expect(explanation.aspects.map(({ name }) => name)).toEqual(["necrosis", "mitosis", "vessel", "cellularity"]);
    expect(explanation).toMatchObject({ image: photo, scale: CALIBRATED, target: { kind: "log-odds" } });
    expect(maps).toMatchObject({ size: 64, saliency: { height: 4, width: 4 } });
  });

  test("throws the reason of a signal that is aborted already", async () => {
    const signal = AbortSignal.abort(new Error("asked to stop"));
    await expect(explainer.explain(photo, { signal })).rejects.toThrow("asked to stop");
  });

  test("explains what it is asked to", async () => {
    const target = { kind: "margin", class: "benign", other: "malignant" } as const;
    const { explanation } = await explainer.explain(photo, { target });
    expect(explanation.target).toEqual(target);
    // Of two classes the margin is the log-odds, and is explained alike.
    const odds = await explainer.explain(photo, { target: { kind: "log-odds", class: "benign" } });
    expect(explanation.aspects).toEqual(odds.explanation.aspects);
    await expect(explainer.explain(photo, { target: { kind: "log-odds", class: "none" } })).rejects.toThrow(
      /the classes are benign, malignant/,
    );
  });

  test("explains classes and other parts of the network as one and the same request", async () => {
    const targets = [
      { kind: "logit", class: "malignant" },
      { kind: "aspect", aspect: "vessel" },
      { kind: "log-odds", class: "malignant" },
    ] as const;
    const found: Explained[] = [];
    for await (const outcome of explainer.explainAll([photo], { targets }))
      if ("explained" in outcome) found.push(outcome.explained);
    expect(found.map(({ explanation }) => explanation)).toMatchObject([
      { target: targets[0], scale: CALIBRATED },
      // Calibrated for the classifier's answer alone; an aspect does not explain itself.
      {
        target: targets[1],
        scale: { kind: "uncalibrated" },
        aspects: [{ name: "necrosis" }, { name: "mitosis" }, { name: "cellularity" }],
      },
      { target: targets[2], scale: CALIBRATED },
    ]);
    expect(explainer.scaleOf(targets[1])).toEqual({ kind: "uncalibrated" });
    expect(explainer.scaleOf()).toEqual(explainer.description.scales.evidence?.class);
    // Two graphs of other targets: the odds against one other class are not the class's own logit.
    const [logit, , odds] = found.map(({ maps }) => maps.saliency.values);
    expect(logit).not.toEqual(odds);
    const none = explainer.explain(photo, { target: { kind: "aspect", aspect: "muzzle" } });
    await expect(none).rejects.toThrow(/no aspect "muzzle"/);
    const many = explainer.explainAll([photo], { targets: [{ kind: "unit", layer: "conv9", channel: 0 }] });
    await expect(many.next()).rejects.toThrow(/no layer "conv9"/);
  });

  test("scores mean what was calibrated for their method, at the heads' own layers alone", async () => {
    const bundle = await readBundle(path);
    const scaleOf = (method: MethodChoice) => explanationGraphs(bundle, method, {}).scaleOf(undefined);
    expect(scaleOf({})).toEqual(CALIBRATED);
    expect(scaleOf({ masking: "threshold" })).toEqual(CALIBRATED);
    expect(scaleOf({ tap: "conv_pw_6" })).toEqual(CALIBRATED);
    expect(scaleOf({ tap: "conv_pw_5" })).toEqual({ kind: "uncalibrated" });
    expect(scaleOf({ saliency: "grad-cam" })).toMatchObject({ line: 0.1, by: "randomized" });
    expect(scaleOf({ saliency: "hires-cam" })).toEqual({ kind: "uncalibrated" });
  });

  test("explains many in order, and one that cannot be read stops no other", async () => {
    const broken = join(folder, "broken.png");
    await writeFile(broken, (await readFile(photo)).subarray(0, 200));
    const images = [photo, broken, join(folder, "none.png"), ...Array.from({ length: 9 }, () => photo)];
    const outcomes: Outcome[] = [];
    for await (const outcome of explainer.explainAll(images)) outcomes.push(outcome);
    expect(outcomes.map(({ image }) => image)).toEqual(images);
    const errors = outcomes.flatMap((outcome) => ("error" in outcome ? [outcome.error.message] : []));
    expect(errors).toEqual([expect.stringContaining("broken.png"), expect.stringContaining("none.png: no such file")]);
    const alone = await explainer.explain(photo);
    expect("explained" in outcomes[11] && outcomes[11].explained).toEqual(alone);
  });

  test("explains many images on a core each, in order, to the same numbers", async () => {
    const noise = random(3, "many");
    const { inputSize } = explainer.spec.trunk;
    const pixels = () => Uint8Array.from({ length: pixelCount(inputSize) * 3 }, () => noise.integer(256));
    const images = Array.from({ length: 80 }, (_, index) => ({ name: `${index}`, pixels: pixels() }));
    const found = [];
    for await (const outcome of explainer.explainAll(images)) found.push("explained" in outcome && outcome.explained);
    const alone = [];
    for (const image of images) alone.push(await explainer.explain(image));
    expect(found).toEqual(alone);
  });

  test("refuses a bundle whose images were resized by another kernel", async () => {
    const other = join(folder, "other.aspect");
    const edit = (description: Record<string, unknown>) => {
      description.preprocessing = { size: 64, kernel: "nearest" };
    };
    await writeFile(other, redescribed(await readFile(path), edit));
    await expect(openExplainer(other)).rejects.toThrow(/other\.aspect: bundle\.json: .* "nearest"/);
  });
});

function toBytes({ buffer, byteOffset, byteLength }: Float32Array | Int32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
