/** The aspects of one image: what each head says, where, and how relevant it is beside the others. */

import { answerPort, overlapPort, tapPort } from "../../core/graph-ports.js";
import type { NdArrays } from "../../core/nd-array.js";
import { regionFile, survivalFile } from "../../core/result-file-names.js";
import type { AspectSpec } from "../../heads/head-spec.js";
import type { AspectExplanation, RegionExplanation } from "../explanation.js";
import { derivedPlace } from "./derived-place.js";
import { uniqueRelevanceField } from "./json-fields.js";
import type { AspectOverlap, TapSums } from "./overlap.js";
import { type AspectRegions, type Region, regionsOf } from "./regions.js";
import { instanceRelevance, relevancesOf } from "./relevance.js";
import { type Relevances, relevantOnes, type Thresholds } from "./relevant-aspects.js";
import { type HeadAnswers, largestPresence, presenceOver, survivalOver } from "./survival.js";
import { touchedCells } from "./touched-cells.js";

/** What an aspect's head says and where, before it is compared with the answer. */
export interface AspectReading {
  readonly head: AspectSpec;
  readonly answers: HeadAnswers;
  readonly regions: AspectRegions;
  readonly overlaps: readonly AspectOverlap[];
  readonly survival: number | null;
}

/**
 * @param heads those that explain, in the model's order.
 * @param options.tap the one layer that was masked for all of them, if it was.
 */
export function readAspects(
  outputs: NdArrays,
  { heads, tap, size }: { heads: readonly AspectSpec[]; tap?: string; size: number },
): readonly AspectReading[] {
  const readersOf = (name: string) => heads.filter((head) => maskedTaps(head, tap).includes(name));
  return heads.map((head) => {
    const answers = {
      unmasked: outputs[answerPort(head.name, "unmasked")],
      masked: outputs[answerPort(head.name, "masked")],
      reference: outputs[answerPort(head.name, "reference")],
    };
    const overlaps = maskedTaps(head, tap).map((name) => ({
      tap: name,
      index: readersOf(name).indexOf(head),
      overlap: outputs[overlapPort(head.name, name)],
    }));
    const derivedMask = () => derivedPlace(overlaps, { size });
    const regions = regionsOf(answers.unmasked, { spec: head, size, derivedMask });
    return { head, answers, regions, overlaps, survival: survivalOver(regions.whole.elements, answers) };
  });
}

/** What all aspects of one image share. */
interface ImageContext {
  readonly taps: Readonly<Record<string, TapSums>>;
  readonly size: number;
  /** How the names of mask files begin. */
  readonly stem: string;
}

/** All aspects of an image, each beside the others that are present. */
export function explainAspects(
  readings: readonly AspectReading[],
  { outputs, size, stem, thresholds }: { outputs: NdArrays; size: number; stem: string; thresholds: Thresholds },
): AspectExplanation[] {
  const taps = tapSums(readings, outputs);
  // A head that answers the reference alike has no evidence worth comparing: it has neither survival nor relevance.
  const seen = readings.filter(({ survival }) => survival !== null);
  const found = relevancesOf(
    seen.map(({ overlaps }) => overlaps),
    taps,
  );
  const relevances = new Map(seen.map((reading, index) => [reading, found[index]]));
  const relevant = new Set(relevantOnes(found, thresholds));
  return readings.map((reading) => {
    const own = relevances.get(reading);
    const isRelevant = own !== undefined && relevant.has(own);
    return explainAspect(reading, { taps, size, stem }, { own, isRelevant });
  });
}

function tapSums(readings: readonly AspectReading[], outputs: NdArrays): Readonly<Record<string, TapSums>> {
  const all = readings.flatMap(({ overlaps }) => overlaps.map(({ tap }) => tap));
  return Object.fromEntries(
    [...new Set(all)].map((tap) => {
      const sums = outputs[tapPort("pairs", tap)];
      const aspectCount = all.filter((other) => other === tap).length;
      return [tap, { evidence: outputs[tapPort("evidence", tap)], ...(sums && { shared: { aspectCount, sums } }) }];
    }),
  );
}

/**
 * @param found of the whole aspect: `own`, its relevances, where they could be read, and whether they are high enough.
 */
function explainAspect(
  reading: AspectReading,
  context: ImageContext,
  { own, isRelevant }: { own: Relevances | undefined; isRelevant: boolean },
): AspectExplanation {
  const { head, regions } = reading;
  const { taps, size, stem } = context;
  const isPresent = regions.whole.elements.length > 0;
  const instances = regions.instances?.map((region) => ({
    box: region.boxes[0],
    ...areaOf(region, size),
    ...numbersOf(region, reading, () => instanceRelevance(reading.overlaps, taps, { cells: cellsOf(region, context) })),
  }));
  return {
    name: head.name,
    kind: head.kind,
    ...numbersOf(regions.whole, reading, () => own?.relevance),
    ...uniqueRelevanceField(own),
    relevanceInterval: null,
    isPresent,
    isRelevant,
    ...areaOf(regions.whole, size),
    ...(regions.whole.pixels && { mask: isPresent ? regionFile(stem, head.name) : null }),
    ...(regions.hasPixels && { survivalMap: isPresent ? survivalFile(stem, head.name) : null }),
    ...(instances && { instances }),
    ...(regions.isDerived && { isPlaceDerived: true as const }),
  };
}

/** @param relevance asked for only where there is survival: both are read or neither. */
function numbersOf(
  { elements }: Region,
  { head, answers }: AspectReading,
  relevance: () => number | undefined,
): RegionExplanation {
  const survival = survivalOver(elements, answers);
  const of = head.kind === "boxes" ? "largest" : "mean";
  const temperature = head.kind === "presence" ? head.temperature : undefined;
  return {
    presence:
      elements.length > 0
        ? presenceOver(elements, answers, { of, temperature })
        : largestPresence(answers, { temperature }),
    relevance: survival === null ? null : (relevance() ?? null),
    survival,
  };
}

function areaOf({ pixels }: Region, size: number): { area?: number } {
  return pixels ? { area: pixels.length / (size * size) } : {};
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

export function maskedTaps({ taps }: AspectSpec, tap?: string): readonly string[] {
  return tap === undefined ? taps : [tap];
}
