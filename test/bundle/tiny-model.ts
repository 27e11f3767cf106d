/**
 * A model with random weights, small enough to export in a test: all four kinds of aspect head on the smallest
 * MobileNet.
 */

import { ndArray } from "../../src/core/nd-array.js";
import { initialize } from "../../src/core/parameters.js";
import { random } from "../../src/core/random.js";
import { createModel } from "../../src/model/model.js";
import type { ModelSpec } from "../../src/model/model-spec.js";
import type { TrainedModel } from "../../src/model/trained-model.js";

const SOURCE = "conv_pw_6";
const spec: ModelSpec = {
  trunk: { name: "mobilenet-v1", alpha: 0.25, inputSize: 64 },
  source: SOURCE,
  heads: [
    { name: "class", kind: "classifier", task: "single", classes: ["benign", "malignant"], taps: ["conv_pw_8"] },
    { name: "necrosis", kind: "segmentation", taps: [SOURCE], threshold: 0.5 },
    { name: "mitosis", kind: "boxes", taps: [SOURCE], threshold: 0.3 },
    { name: "vessel", kind: "presence", taps: [SOURCE], threshold: 0.5 },
    { name: "cellularity", kind: "amount", form: "map", taps: [SOURCE], threshold: 0.5 },
  ],
};

export function tinyModel({ seed = 7 }: { seed?: number } = {}): TrainedModel {
  const model = createModel(spec);
  const parameters = initialize([...model.trunk.foldedParameters, ...model.headParameters], { seed });
  const stream = random(seed, "reference");
  const tableOf = (layer: string, rows: number) => {
    const table = ndArray([rows, model.trunk.taps.find(({ name }) => name === layer)?.channels ?? 0]);
    table.data.forEach((_, index) => {
      table.data[index] = stream.uniform(0, 0.5);
    });
    return table;
  };
  return {
    spec,
    parameters,
    references: { [SOURCE]: tableOf(SOURCE, 3), conv_pw_8: tableOf("conv_pw_8", 1) },
    absences: { benign: { mitosis: 1 } },
    scales: {
      evidence: { class: { kind: "probability", line: 0.03, slope: 2, by: "causes" } },
      "grad-cam": { class: { kind: "probability", line: 0.1, slope: 2, by: "randomized" } },
    },
    provenance: {
      dataset: { name: "tiny", hash: "0".repeat(64), counts: { train: 10, validation: 4 } },
      seed,
      epochs: 3,
      weights: "random",
      metrics: {
        validation: {
          format: "aspectlens-metrics/1",
          split: "validation",
          heads: {
            class: { kind: "classifier", accuracy: 0.75, count: 4 },
            mitosis: { kind: "boxes", ap50: null, count: 0 },
          },
        },
      },
      warnings: ["mitosis has learned nothing"],
    },
  };
}

/** The same classifier and heads of two aspects; the two others are on a network of their own, which sees more pixels. */
export function tinyMappedModel({ seed = 7 }: { seed?: number } = {}): TrainedModel {
  const trained = tinyModel({ seed });
  const isMapped = (name: string) => name === "mitosis" || name === "cellularity";
  const agreement = { mitosis: 0.8, cellularity: null };
  const spec: ModelSpec = {
    ...trained.spec,
    heads: trained.spec.heads.map((head) => (isMapped(head.name) ? { ...head, network: "cells" } : head)),
    networks: [
      {
        name: "cells",
        trunk: { name: "mobilenet-v1", alpha: 0.25, inputSize: 96 },
        mapping: { kind: "unet", from: SOURCE, to: "conv_pw_5", quality: { images: 40, r2: 0.6, agreement } },
      },
    ],
  };
  const model = createModel(spec);
  const parameters = initialize([...model.trunk.foldedParameters, ...model.headParameters], { seed });
  return { ...trained, spec, parameters };
}
