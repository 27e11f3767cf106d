/** The aspects of one image: what each head says, where, and how much of the answer it accounts for beside the others. */

import { answerPort, overlapPort, tapPort } from "../../core/graph-ports.js";
import type { NdArrays } from "../../core/nd-array.js";
import { regionFile, survivalFile } from "../../core/output-names.js";
import type { AspectSpec } from "../../heads/head.js";
import type { AspectExplanation, RegionExplanation } from "../explanation.js";
import { touchedCells } from "./cells.js";
import type { AspectOverlap, TapSums } from "./overlap.js";
import { type AspectRegions, type Region, regionsOf } from "./regions.js";
import { instanceRelevance, relevancesOf } from "./relevance.js";
import { relevantOnes } from "./relevant-aspects.js";
import { type Answers, largestPresence, presenceOver, survivalOver } from "./survival.js";

/** What an aspect's head says and where, before it is compared with the answer. */
export interface AspectReading {
  readonly head: AspectSpec;
  readonly answers: Answers;
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
    const regions = regionsOf(answers.unmasked, { spec: head, size });
    return { head, answers, regions, overlaps, survival: survivalOver(regions.whole.elements, answers) };
  });
}

/**
 * All aspects of an image, each beside the others that are present. Relevant is what reaches the threshold, and beside that what
 * reaches the lower one at places of its own, as edges are followed by Canny 1986 (doi:10.1109/TPAMI.1986.4767851): the first has to
 * stand out from what comes by chance; once it does, the answer is known to rest on aspects, and the next may account for less. Where it
 * shares its places with a more relevant one, the evidence there may be the other's, and it has to stand out like the first.
 */
export function explainAspects(
  readings: readonly AspectReading[],
  {
    outputs,
    size,
    stem,
    threshold,
    beside,
  }: { outputs: NdArrays; size: number; stem: string; threshold: number; beside: number },
): AspectExplanation[] {
  const names = new Set(readings.flatMap(({ overlaps }) => overlaps.map(({ tap }) => tap)));
  const taps: Readonly<Record<string, TapSums>> = Object.fromEntries(
    [...names].map((name) => [
      name,
      { evidence: outputs[tapPort("evidence", name)], pairs: outputs[tapPort("pairs", name)] },
    ]),
  );
  // A head that cannot tell its answer from nothing has no evidence worth comparing: survival and relevance fall together.
  const seen = readings.filter(({ survival }) => survival !== null);
  const found = relevancesOf(
    seen.map(({ overlaps }) => overlaps),
    taps,
  );
  const whole = new Map(seen.map((reading, index) => [reading, found[index]]));
  const relevant = new Set(relevantOnes(found, { value: threshold, beside }));
  const cellsOf = (region: Region, regions: AspectRegions) =>
    Object.fromEntries(
      Object.entries(taps).map(([name, { evidence }]) => {
        const grid = { height: evidence.shape[1], width: evidence.shape[2] };
        return [name, touchedCells(region, { grid, size: pixelSize(regions, size) })];
      }),
    );
  return readings.map((reading) => {
    const { head, answers, regions } = reading;
    const numbers = ({ elements }: Region, relevance: () => number | undefined): RegionExplanation => {
      const survival = survivalOver(elements, answers);
      const isSome = elements.length > 0;
      return {
        presence: isSome
          ? presenceOver(elements, answers, { of: head.kind === "boxes" ? "largest" : "mean" })
          : largestPresence(answers),
        relevance: survival === null ? null : (relevance() ?? null),
        survival,
      };
    };
    const areaOf = ({ elements }: Region) => (regions.hasPixels ? { area: elements.length / (size * size) } : {});
    const isPresent = regions.whole.elements.length > 0;
    const account = whole.get(reading);
    const own = numbers(regions.whole, () => account?.relevance);
    const instances = regions.instances?.map((region) => ({
      box: region.boxes[0],
      ...areaOf(region),
      ...numbers(region, () => instanceRelevance(reading.overlaps, taps, { cells: cellsOf(region, regions) })),
    }));
    return {
      name: head.name,
      kind: head.kind,
      ...own,
      relevanceApart: account?.apart ?? null,
      relevanceInterval: null,
      isPresent,
      isRelevant: account !== undefined && relevant.has(account),
      ...areaOf(regions.whole),
      ...(regions.hasPixels && {
        mask: isPresent ? regionFile(stem, head.name) : null,
        survivalMap: isPresent ? survivalFile(stem, head.name) : null,
      }),
      ...(instances && { instances }),
    };
  });
}

/** Size of the image whose pixels a region's elements are; `undefined` where its boxes say where it is. */
export function pixelSize({ hasPixels }: AspectRegions, size: number): number | undefined {
  return hasPixels ? size : undefined;
}

export function maskedTaps({ taps }: AspectSpec, tap?: string): readonly string[] {
  return tap === undefined ? taps : [tap];
}
