/** From the outputs of `explain.onnx` for one image to an explanation: all that the graph does not compute. */

import { type Absences, neededAbsences } from "../../core/absences.js";
import type { Crop } from "../../core/augmented-view.js";
import { ShapeError } from "../../core/errors.js";
import { answerPort, CLASSIFIER_OUTPUTS, headAnswers, overlapPort, portTap, tapPort } from "../../core/graph-ports.js";
import type { NdArrays } from "../../core/nd-array.js";
import type { ScoreScale } from "../../core/relevance-scale.js";
import { stemOf } from "../../core/result-file-names.js";
import type { AspectSpec } from "../../heads/head-spec.js";
import type { ModelSpec } from "../../model/model-spec.js";
import { tapOffset } from "../../trunk/tap-offset.js";
import type { Explained, MethodChoice } from "../explanation.js";
import { headlineOf, strengthOf } from "../headline.js";
import { methodOf } from "../methods.js";
import type { Target } from "../target.js";
import { predictionOf } from "./prediction.js";
import { explainAspects, readAspects, readTargetAspect } from "./read-aspects.js";
import { type Heads, headsOf, maskedTaps } from "./read-scores.js";
import { shareAgainst, sharesOf } from "./shares.js";
import { survivalMap } from "./survival.js";
import { defaultTarget, isOdds } from "./target-weights.js";
import { cellsIn, touchedCells } from "./touched-cells.js";

/** What the outputs of an `explainFunction` are read with. */
export interface ReadOptions {
  readonly spec: ModelSpec;
  /** What the scores of this method and target mean. */
  readonly scale: ScoreScale;
  /** Aspects whose heads see nothing, by training. */
  readonly unseen?: readonly string[];
  /** Which answers need that an aspect is absent. */
  readonly absences?: Absences;
  /** Path of the image, as it shall stand in the explanation. */
  readonly image: string;
  /** The part of it that the model saw, where that was not all. */
  readonly crop?: Crop;
  /** What the outputs explain; the default target without it. */
  readonly target?: Target;
  /** Of the graph that made the outputs. */
  readonly method?: MethodChoice;
  /** How the names of mask files begin; the image's own name without its ending by default. */
  readonly stem?: string;
}

/**
 * Reads the outputs of `explainFunction` for one image; docs/explanations.md gives the formulas.
 *
 * @param outputs each with a first dimension of 1 (`imageOutputs` takes one image out of a batch).
 * @throws ShapeError where an output is missing, or holds several images.
 */
export function readExplanation(
  outputs: NdArrays,
  { spec, scale, unseen = [], absences = {}, image, crop, target, method = {}, stem = stemOf(image) }: ReadOptions,
): Explained {
  const { tap } = method;
  const { saliency: name, masking } = methodOf(method);
  const heads = checkOutputs(outputs, spec, { tap, target });
  const size = spec.trunk.inputSize;
  const readings = readAspects(outputs, { heads: heads.aspects, spec, tap, size });
  const unshared = explainAspects(readings, { outputs, size, stem, scale });
  const drawn = drawnTap(outputs, { source: spec.source, tap });
  const saliency = outputs[tapPort("saliency", drawn)];
  const [, height, width] = saliency.shape;
  const holders = readings.map(({ regions }, index) => {
    const { isRelevant, score } = unshared[index];
    const on = { grid: { height, width }, size };
    if (!isRelevant || score === null) return { cells: cellsIn(regions.whole, on) };
    return { cells: touchedCells(regions.whole, on), score };
  });
  const shares = scale.kind === "uncalibrated" ? null : sharesOf(saliency, holders);
  const aspects = unshared.map((aspect, index) => {
    const share = shares?.held[index] ?? null;
    const strength = share !== null && aspect.isRelevant ? strengthOf(share) : null;
    return { ...aspect, share, elsewhere: shares?.elsewhereIn[index] ?? null, strength };
  });
  const present = readings.filter((_, index) => aspects[index].isPresent);
  const prediction = predictionOf(outputs.scores, heads.classifier);
  const explained = target ?? defaultTarget(outputs.logits, heads.classifier);
  const isOfAnswer =
    (isOdds(explained, heads.classifier) || explained.kind === "logit") &&
    "class" in explained &&
    "class" in prediction &&
    explained.class === prediction.class;
  const needed = isOfAnswer ? neededAbsences(absences, prediction.class) : [];
  const said = {
    format: "aspectlens-explanation/2" as const,
    image,
    ...(crop && { crop }),
    prediction,
    target: explained,
    targetAspect: heads.target ? readTargetAspect(outputs, heads.target, spec) : null,
    saliency: name,
    masking,
    scale,
    aspects,
    elsewhere: shares?.elsewhere ?? null,
    outside: shares?.outside ?? null,
    against: shareAgainst(outputs[tapPort("evidence", drawn)]),
    absenceOf: aspects.flatMap(({ name, isPresent }) =>
      !isPresent && needed.includes(name) && !unseen.includes(name) ? name : [],
    ),
  };
  const isPeakElsewhere = shares !== null && !shares.isPeakHeld;
  const isTargetAbsent = said.targetAspect?.isPresent === false && saysNothingWithout(heads.target, explained);
  return {
    stem,
    explanation: { ...said, headline: headlineOf(said, { isPeakElsewhere, isTargetAbsent, unseen }) },
    maps: {
      size,
      regions: Object.fromEntries(present.map(({ head, regions }) => [head.name, regions.mask])),
      survival: Object.fromEntries(
        present.flatMap(({ head, regions, answers }) =>
          regions.hasPixels ? [[head.name, survivalMap(regions.whole.elements, answers)]] : [],
        ),
      ),
      saliency: { height, width, values: Float32Array.from(saliency.data), offset: tapOffset(spec.trunk, drawn) },
    },
  };
}

/** Whether a target is a sum over the places where a head sees its aspect, and so nothing where it sees none. */
function saysNothingWithout(head: AspectSpec | undefined, target: Target): boolean {
  if (target.kind === "image") return target.background === 0;
  return head?.kind === "segmentation" || head?.kind === "boxes" || (head?.kind === "amount" && head.form === "map");
}

/** The layer whose map is drawn: the one that was asked for, the source, or the last that there is. */
function drawnTap(outputs: NdArrays, { source, tap }: { source: string; tap?: string }): string {
  if (tap !== undefined) return tap;
  const mapped = Object.keys(outputs).flatMap((name) => portTap("saliency", name) ?? []);
  return mapped.includes(source) ? source : (mapped[mapped.length - 1] ?? source);
}

function checkOutputs(outputs: NdArrays, spec: ModelSpec, { tap, target }: { tap?: string; target?: Target }): Heads {
  const { classifier, aspects, target: explained } = headsOf(spec, target);
  const needed = [
    ...Object.values(CLASSIFIER_OUTPUTS),
    ...(explained ? [answerPort(explained.name, "unmasked")] : []),
    tapPort("saliency", drawnTap(outputs, { source: spec.source, tap })),
    ...aspects.flatMap((head) => [
      ...headAnswers(head).map((answer) => answerPort(head.name, answer)),
      ...maskedTaps(spec, head, tap).flatMap((name) => [tapPort("evidence", name), overlapPort(head.name, name)]),
    ]),
  ];
  const taps = aspects.flatMap((head) => maskedTaps(spec, head, tap));
  const shared = taps.filter((name, index) => taps.indexOf(name) < index);
  for (const name of [...needed, ...new Set(shared.map((name) => tapPort("pairs", name)))]) {
    const shape = outputs[name]?.shape;
    if (shape?.[0] === 1) continue;
    const got = shape ? `[${shape.join(", ")}]` : "none";
    throw new ShapeError(
      `explanation: expected output "${name}" of one image, got ${got}. ` +
        "Run explainFunction of the same model, and read one image at a time.",
    );
  }
  return { classifier, aspects, target: explained };
}
