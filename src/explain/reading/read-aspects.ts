/** The aspects of one image: what each head says, where, and how relevant it is beside the others. */

import { answerPort } from "../../core/graph-ports.js";
import type { NdArrays } from "../../core/nd-array.js";
import { RELEVANT_FROM, relevanceOf, type ScoreScale } from "../../core/relevance-scale.js";
import { regionFile, survivalFile } from "../../core/result-file-names.js";
import { pixelCount, type Size } from "../../core/size.js";
import type { AspectSpec } from "../../heads/head-spec.js";
import type { ModelSpec } from "../../model/model-spec.js";
import type { AspectExplanation, AspectMapping, RegionExplanation, TargetAspect } from "../explanation.js";
import { aspectMapping } from "./aspect-mapping.js";
import { derivedPlace } from "./derived-place.js";
import type { AspectOverlap, TapSums } from "./overlap.js";
import { readOverlaps, scoresOfSeen, tapSums } from "./read-scores.js";
import { type AspectRegions, elementsOf, type Region, regionsOf } from "./regions.js";
import { instanceScore, type Scores } from "./scores.js";
import { type HeadAnswers, largestPresence, presenceOver, survivalOver } from "./survival.js";
import { touchedCells } from "./touched-cells.js";

/** An aspect before the map is divided among the relevant ones. */
export type UnsharedAspect = Omit<AspectExplanation, "share" | "elsewhere" | "strength">;

/** What an aspect's head says and where, before it is compared with the answer. */
export interface AspectReading {
  readonly head: AspectSpec;
  readonly answers: HeadAnswers;
  readonly regions: AspectRegions;
  readonly overlaps: readonly AspectOverlap[];
  readonly survival: number | null;
  /** Of a head that has a network to itself. */
  readonly mapping?: AspectMapping;
}

/**
 * @param heads those that explain, in the model's order.
 * @param options.tap the one layer that was masked for all of them, if it was.
 */
export function readAspects(
  outputs: NdArrays,
  { heads, spec, tap, size }: { heads: readonly AspectSpec[]; spec: ModelSpec; tap?: string; size: Size },
): readonly AspectReading[] {
  return readOverlaps(outputs, { heads, spec, tap }).map(({ head, overlaps }) => {
    const answers = {
      unmasked: outputs[answerPort(head.name, "unmasked")],
      masked: outputs[answerPort(head.name, "masked")],
      reference: outputs[answerPort(head.name, "reference")],
      mapped: outputs[answerPort(head.name, "mapped")],
    };
    const derivedMask = () => derivedPlace(overlaps, { size });
    const regions = regionsOf(answers.unmasked, { spec: head, size, derivedMask });
    const mapping = aspectMapping(spec, head);
    const survival = mapping?.isTooPoor ? null : survivalOver(regions.whole.elements, answers);
    return { head, answers, regions, overlaps, survival, ...(mapping && { mapping }) };
  });
}

/** What all aspects of one image share. */
interface ImageContext {
  readonly taps: Readonly<Record<string, TapSums>>;
  readonly size: Size;
  /** How the names of mask files begin. */
  readonly stem: string;
}

/** What is said of an aspect beside the others. */
interface Verdict {
  readonly scores: Scores | undefined;
  readonly relevance: number | null;
  readonly isRelevant: boolean | null;
}

/** All aspects of an image, each beside the others that are present; without shares, which the map gives. */
export function explainAspects(
  readings: readonly AspectReading[],
  { outputs, size, stem, scale }: { outputs: NdArrays; size: Size; stem: string; scale: ScoreScale },
): UnsharedAspect[] {
  const taps = tapSums(readings, outputs);
  const found = scoresOfSeen(
    readings.map(({ overlaps, survival }) => ({ overlaps, isSeen: survival !== null })),
    outputs,
  );
  return readings.map((reading, index) => {
    const scores = found[index];
    return explainAspect(reading, { taps, size, stem }, { scores, ...verdictOf(scores?.score, scale) });
  });
}

/** @param score absent where there is none. */
function verdictOf(score: number | undefined, scale: ScoreScale): Pick<Verdict, "relevance" | "isRelevant"> {
  if (score === undefined) return { relevance: null, isRelevant: false };
  switch (scale.kind) {
    case "probability": {
      const relevance = relevanceOf(score, scale);
      return { relevance, isRelevant: relevance >= RELEVANT_FROM };
    }
    case "above-chance":
      return { relevance: null, isRelevant: score >= scale.line };
    case "uncalibrated":
      return { relevance: null, isRelevant: null };
  }
}

function explainAspect(
  reading: AspectReading,
  context: ImageContext,
  { scores, relevance, isRelevant }: Verdict,
): UnsharedAspect {
  const { head, regions } = reading;
  const { taps, size, stem } = context;
  const isPresent = regions.whole.elements.length > 0;
  const instances = regions.instances.map((region) => ({
    box: region.boxes[0],
    ...areaOf(region, size),
    ...numbersOf(region, reading, () => instanceScore(reading.overlaps, taps, { cells: cellsOf(region, context) })),
  }));
  return {
    name: head.name,
    kind: head.kind,
    ...numbersOf(regions.whole, reading, () => scores?.score),
    relevance,
    relevanceInterval: null,
    isPresent,
    isRelevant,
    against: scores?.against ?? null,
    ...areaOf(regions.whole, size),
    ...(regions.whole.pixels && { mask: isPresent ? regionFile(stem, head.name) : null }),
    ...(regions.hasPixels && { survivalMap: isPresent ? survivalFile(stem, head.name) : null }),
    instances,
    ...(regions.isDerived && { isPlaceDerived: true as const }),
    ...(reading.mapping && { mapping: reading.mapping }),
  };
}

/** Of an aspect that is explained itself. */
export function readTargetAspect(outputs: NdArrays, head: AspectSpec, spec: ModelSpec): TargetAspect {
  const answers = { unmasked: outputs[answerPort(head.name, "unmasked")] };
  const elements = elementsOf(answers.unmasked, head);
  const mapping = aspectMapping(spec, head);
  const presence = presenceOf(elements, { head, answers });
  return { presence, isPresent: elements.length > 0, ...(mapping && { mapping }) };
}

/** How sure the head is where it sees its aspect; where it sees none, the largest of all places. */
function presenceOf(
  elements: Uint32Array,
  { head, answers }: { head: AspectSpec; answers: Pick<HeadAnswers, "unmasked"> },
): number {
  const of = head.kind === "boxes" ? "largest" : "mean";
  const temperature = head.kind === "presence" ? head.temperature : undefined;
  if (elements.length === 0) return largestPresence(answers, { temperature });
  return presenceOver(elements, answers, { of, temperature });
}

/** @param score asked for only where there is survival: both are read or neither. */
function numbersOf(
  { elements }: Region,
  { head, answers, mapping }: AspectReading,
  score: () => number | undefined,
): RegionExplanation {
  const survival = mapping?.isTooPoor ? null : survivalOver(elements, answers);
  return {
    presence: presenceOf(elements, { head, answers }),
    score: survival === null ? null : (score() ?? null),
    survival,
  };
}

function areaOf({ pixels }: Region, size: Size): { area?: number } {
  return pixels ? { area: pixels.length / pixelCount(size) } : {};
}

/** By layer, the cells that a region touches. */
function cellsOf(region: Region, { taps, size }: ImageContext): Record<string, Uint8Array> {
  return Object.fromEntries(
    Object.entries(taps).map(([tap, { evidence }]) => {
      const grid = { height: evidence.shape[1], width: evidence.shape[2] };
      return [tap, touchedCells(region, { grid, size })];
    }),
  );
}
