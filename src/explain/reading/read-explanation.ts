/** From the tensors of one explain call to an explanation: everything that is decided outside the graph. */

import { basename, extname } from "node:path";
import { ShapeError } from "../../core/errors.js";
import type { NdArrays } from "../../core/nd-array.js";
import type { AspectSpec, ClassifierSpec } from "../../heads/head.js";
import type { ModelSpec } from "../../model.js";
import { tapOffset } from "../../trunk/tap-offset.js";
import type { AspectExplanation, Explained, MethodChoice, RegionExplanation, Target } from "../explanation.js";
import { touchedCells } from "./cells.js";
import { DEFAULT_SALIENCY, defaultMaskingOf } from "./pairs.js";
import { predictionOf } from "./prediction.js";
import { type AspectRegions, hasPlace, type Region, regionsOf } from "./regions.js";
import { relevanceOf } from "./relevance.js";
import { type Answers, largestPresence, presenceOver, survivalMap, survivalOver } from "./survival.js";
import { defaultTarget } from "./target.js";
import { unexplainedShare } from "./unexplained.js";

const MAP = "saliency/";

export interface ReadOptions {
  readonly spec: ModelSpec;
  /** From this relevance on, an aspect is relevant. */
  readonly threshold: number;
  /** Path of the image, as it shall stand in the explanation. */
  readonly image: string;
  /** What was asked for; the default target without it. */
  readonly target?: Target;
  /** Of the graph that made the outputs. */
  readonly method?: MethodChoice;
  /** How the names of mask files begin; the image's own name without its ending by default. */
  readonly stem?: string;
}

/**
 * Reads the outputs of `explainFunction` for one image; DESIGN section 4 gives every formula.
 *
 * @param outputs each with a first dimension of 1 (`imageOutputs` takes one image out of a batch).
 * @throws ShapeError where an output is missing, or holds several images.
 */
export function readExplanation(
  outputs: NdArrays,
  { spec, threshold, image, target, method = {}, stem = basename(image, extname(image)) }: ReadOptions,
): Explained {
  const { saliency: name = DEFAULT_SALIENCY, tap } = method;
  const { masking = defaultMaskingOf(name, { atInput: tap === "input" }) } = method;
  const heads = checkOutputs(outputs, spec, method);
  const size = spec.trunk.inputSize;
  const readings = heads.aspects.map((head) => readAspect(outputs, { head, tap, threshold, size, stem }));
  const drawn = drawnTap(outputs, { source: spec.source, tap });
  const saliency = outputs[`saliency/${drawn}`];
  const [, height, width] = saliency.shape;
  const relevant = readings
    .filter(({ aspect }) => aspect.isRelevant)
    .map(({ head, regions }) =>
      hasPlace(head)
        ? touchedCells(regions.whole, { grid: { height, width }, size: pixelSize(regions, size) })
        : undefined,
    );
  const present = readings.filter(({ aspect }) => aspect.isPresent);
  return {
    explanation: {
      format: "aspectlens-explanation/1",
      image,
      prediction: predictionOf(outputs.scores, heads.classifier),
      target: target ?? method.target ?? defaultTarget(outputs.logits, heads.classifier),
      saliency: name,
      masking,
      threshold,
      isExplained: relevant.length > 0,
      aspects: readings.map(({ aspect }) => aspect),
      unexplained: unexplainedShare(saliency, { relevant }),
    },
    maps: {
      size,
      regions: Object.fromEntries(
        present.flatMap(({ head, regions }) => (regions.mask ? [[head.name, regions.mask]] : [])),
      ),
      survival: Object.fromEntries(
        present.flatMap(({ head, regions, answers }) =>
          regions.hasPixels ? [[head.name, survivalMap(regions.whole.elements, answers)]] : [],
        ),
      ),
      saliency: { height, width, values: Float32Array.from(saliency.data), offset: tapOffset(spec.trunk, drawn) },
    },
  };
}

interface AspectReading {
  readonly head: AspectSpec;
  readonly answers: Answers;
  readonly regions: AspectRegions;
  readonly aspect: AspectExplanation;
}

function readAspect(
  outputs: NdArrays,
  {
    head,
    tap,
    threshold,
    size,
    stem,
  }: { head: AspectSpec; tap?: string; threshold: number; size: number; stem: string },
): AspectReading {
  const answers = {
    unmasked: outputs[`${head.name}/unmasked`],
    masked: outputs[`${head.name}/masked`],
    reference: outputs[`${head.name}/reference`],
  };
  const taps = maskedTaps(head, tap).map((tap) => ({
    evidence: outputs[`evidence/${tap}`],
    overlap: outputs[`${head.name}/overlap/${tap}`],
  }));
  const regions = regionsOf(answers.unmasked, { spec: head, size });
  const isPresent = regions.whole.elements.length > 0;

  // A head that cannot tell its answer from nothing has no evidence worth comparing: survival and relevance fall together.
  const read = ({ elements }: Region, relevance: () => number): RegionExplanation => {
    const survival = survivalOver(elements, answers);
    return {
      presence:
        elements.length > 0
          ? presenceOver(elements, answers, { of: head.kind === "boxes" ? "largest" : "mean" })
          : largestPresence(answers),
      relevance: survival === null ? null : relevance(),
      survival,
    };
  };
  const cellsOf = (region: Region) =>
    taps.map(({ evidence: { shape } }) =>
      touchedCells(region, { grid: { height: shape[1], width: shape[2] }, size: pixelSize(regions, size) }),
    );
  const areaOf = ({ elements }: Region) => (regions.hasPixels ? { area: elements.length / (size * size) } : {});
  const whole = read(regions.whole, () => relevanceOf(taps));
  const instances = regions.instances?.map((region) => ({
    box: region.boxes[0],
    ...areaOf(region),
    ...read(region, () => relevanceOf(taps, { cells: cellsOf(region) })),
  }));
  const aspect: AspectExplanation = {
    name: head.name,
    kind: head.kind,
    ...whole,
    relevanceInterval: null,
    isPresent,
    isRelevant: whole.relevance !== null && whole.relevance >= threshold,
    ...areaOf(regions.whole),
    ...(regions.hasPixels && {
      mask: isPresent ? `${stem}.${head.name}.png` : null,
      survivalMap: isPresent ? `${stem}.${head.name}.survival.png` : null,
    }),
    ...(instances && { instances }),
  };
  return { head, answers, regions, aspect };
}

/** Size of the image whose pixels a region's elements are; `undefined` where its boxes say where it is. */
function pixelSize({ hasPixels }: AspectRegions, size: number): number | undefined {
  return hasPixels ? size : undefined;
}

function maskedTaps({ taps }: AspectSpec, tap?: string): readonly string[] {
  return tap === undefined ? taps : [tap];
}

/** The layer whose map is drawn: the one that was asked for, the source, or the last that there is. */
function drawnTap(outputs: NdArrays, { source, tap }: { source: string; tap?: string }): string {
  if (tap !== undefined) return tap;
  const mapped = Object.keys(outputs).flatMap((name) => (name.startsWith(MAP) ? [name.slice(MAP.length)] : []));
  return mapped.includes(source) ? source : (mapped[mapped.length - 1] ?? source);
}

function checkOutputs(
  outputs: NdArrays,
  spec: ModelSpec,
  { tap, target }: MethodChoice,
): { classifier: ClassifierSpec; aspects: AspectSpec[] } {
  // An aspect does not explain itself.
  const own = target && target.kind !== "unit" ? target.aspect : undefined;
  const aspects = spec.heads.filter((head) => head.kind !== "classifier" && head.name !== own) as AspectSpec[];
  const [classifier] = spec.heads.filter((head) => head.kind === "classifier");
  const needed = [
    "logits",
    "scores",
    `${MAP}${drawnTap(outputs, { source: spec.source, tap })}`,
    ...aspects.flatMap((head) => [
      `${head.name}/unmasked`,
      `${head.name}/masked`,
      `${head.name}/reference`,
      ...maskedTaps(head, tap).flatMap((name) => [`evidence/${name}`, `${head.name}/overlap/${name}`]),
    ]),
  ];
  for (const name of needed) {
    const shape = outputs[name]?.shape;
    if (shape?.[0] === 1) continue;
    const got = shape ? `[${shape.join(", ")}]` : "none";
    throw new ShapeError(
      `explanation: expected output "${name}" of one image, got ${got}. Run explainFunction of the same model, and read one image at a time.`,
    );
  }
  return { classifier, aspects };
}
