/** `--compare-separate` and `--quick` on a few images. */

import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Engine } from "../../src/engine/engine.js";
import { selectEngine } from "../../src/engine/select-engine.js";
import { readTrainedModel } from "../../src/model/trained-model.js";
import { checkConfig } from "../../src/train/config.js";
import { readConfig } from "../../src/train/read-config.js";
import { compareSeparate } from "../../src/workflows/compare-separate.js";
import { crossValidate } from "../../src/workflows/cross-validate.js";
import { quickConfig } from "../../src/workflows/quick-config.js";
import { runTraining } from "../../src/workflows/train-run.js";
import { writeTinyDataset } from "../helpers/tiny-dataset.js";

const LONG = 900_000;
let engine: Engine;
let dataset: string;
let folder: string;

beforeAll(async () => {
  engine = await selectEngine();
  dataset = await writeTinyDataset({ train: 8, validation: 4, test: 4 });
  folder = mkdtempSync(join(tmpdir(), "short-"));
});

afterAll(() => engine.dispose());

const configOf = (out: string) =>
  checkConfig({
    ...{ dataset, out: join(folder, out), batchSize: 4, source: "conv_pw_3" },
    trunk: { inputSize: 32, weights: "random", alpha: 0.05 },
    stages: [{ train: "all", epochs: 1 }],
  });

test(
  "each head is trained alone beside the joint run, and resuming trains none again",
  async () => {
    const heads = ["class", "square", "bar", "bright", "red"];
    const begun: (string | undefined)[] = [];
    let epochs = 0;
    const options = {
      engine,
      onRun: (head?: string) => begun.push(head),
      onEpoch: () => {
        epochs++;
      },
    };
    const result = await compareSeparate(configOf("joint"), options);
    expect(begun).toEqual([undefined, ...heads]);
    expect(epochs).toBe(6);
    expect(result).toMatchObject({ format: "aspectlens-separate/1", split: "test", dataset: { count: 4 } });
    expect(Object.keys(result.heads)).toEqual(heads);
    for (const { joint, separate, difference } of Object.values(result.heads))
      if (joint !== null && separate !== null) expect(difference).toBe(joint - separate);
    expect(result.heads.class.interval).not.toBeNull();
    expect(JSON.parse(readFileSync(join(folder, "joint", "separate.json"), "utf8"))).toEqual(result);

    // Heads that do not count stay as they began; the one that does has learned, and so has the trunk.
    const [square, bar] = await Promise.all(
      ["square", "bar"].map((name) => readTrainedModel(join(folder, "joint", "separate", name, "best"))),
    );
    const differing = Object.keys(square.parameters).filter(
      (name) => !Buffer.from(square.parameters[name].data.buffer).equals(Buffer.from(bar.parameters[name].data.buffer)),
    );
    const headsOf = new Set(differing.flatMap((name) => /^head\/([^/]+)\//.exec(name)?.[1] ?? []));
    expect([...headsOf].sort()).toEqual(["bar", "square"]);
    expect(differing.some((name) => !name.startsWith("head/"))).toBe(true);

    const names = () => readdirSync(join(folder, "joint"), { recursive: true }).sort();
    const former = names();
    await expect(runTraining(configOf("joint"), { engine, isResumed: true })).rejects.toThrow(
      /joint: holds a comparison with separate heads already\. Go on with --compare-separate --resume, or choose/,
    );
    const alone = join(folder, "joint", "separate", "square");
    for (const out of [join(folder, "joint"), alone])
      await expect(crossValidate({ ...configOf("joint"), out }, { engine, folds: 2 })).rejects.toThrow(
        out === alone ? /square: holds a training run already\. Choose another "out"\.$/ : /holds a comparison/,
      );
    expect(names()).toEqual(former);
    await expect(compareSeparate(configOf("joint"), options)).rejects.toThrow(/holds a training run already/);
    expect(await compareSeparate(configOf("joint"), { ...options, isResumed: true })).toEqual(result);
    expect(epochs).toBe(6);
  },
  LONG,
);

test(
  "a quick run writes what it chose, which resuming and a second training take as it is",
  async () => {
    const raw = { ...configOf("quick"), stages: [{ train: "all", epochs: 2 }] };
    const { config, reasons, seconds } = await quickConfig(raw, { engine });
    expect(seconds).toBeGreaterThan(0);
    expect(config.stages).toMatchObject([{ train: "all", epochs: 2, batchNorm: "batch" }]);
    const images = { train: 4, validation: 2 };
    expect(reasons).toEqual({ "stages.0.epochs": "chosen by --quick, for about a minute" });
    const first = await runTraining({ ...config, images }, { engine, reasons });
    expect(first.provenance.dataset.counts).toEqual({ train: 4, validation: 2, test: 4 });
    const page = readFileSync(join(folder, "quick", "run.html"), "utf8");
    expect(page).toMatch(/Trained on 4 of \d+ training images\..*Train in full first/s);
    const again = await quickConfig(raw, { engine, isResumed: true });
    expect(again.config).toEqual({ ...config, images });
    await expect(quickConfig(raw, { engine })).rejects.toThrow(/quick: holds a training run already/);
    const written = await readConfig(join(folder, "quick", "config.json"));
    const second = await runTraining({ ...written, out: join(folder, "second") }, { engine });
    expect(second.parameters).toEqual(first.parameters);
    await expect(quickConfig({ ...raw, out: join(folder, "second") }, { engine, isResumed: true })).rejects.toThrow(
      /second: its training was not begun with --quick\. Go on with --resume, without --quick\.$/,
    );
  },
  LONG,
);
