/** What a region that somebody drew has to do with an answer: how much of the evidence lies there, and whose it is. */

import { tapPort } from "../../core/graph-ports.js";
import type { NdArrays } from "../../core/nd-array.js";
import type { Size } from "../../core/size.js";
import type { ModelSpec } from "../../model/model-spec.js";
import type { MethodChoice } from "../explanation.js";
import type { Target } from "../target.js";
import type { AspectOverlap, TapSums } from "./overlap.js";
import { readAspects } from "./read-aspects.js";
import { headsOf, tapSums } from "./read-scores.js";
import { cellsIn } from "./touched-cells.js";

/** One aspect in a drawn region. */
export interface RegionAspect {
  readonly name: string;
  readonly isPresent: boolean;
  /** Share of the region's pixels that lie in the aspect's own place, 0..1. */
  readonly covered: number;
  /**
   * The part of the answer's evidence in this region that the aspect's evidence there accounts for, 0..1. Evidence that
   * several aspects share is counted for each, so that these need not sum to 1. `null` where the aspect is absent or
   * cannot be read.
   */
  readonly accountsFor: number | null;
}

/** What is said of a drawn region. */
export interface DrawnRegion {
  /** Share of the image, 0..1. */
  readonly area: number;
  /** Share of the map of the answer's evidence that lies in it, 0..1; `null` where there is no evidence at all. */
  readonly share: number | null;
  /** In the order of the model's heads. */
  readonly aspects: readonly RegionAspect[];
}

/**
 * @param outputs of `explain.onnx` for one image.
 * @param masks of the regions, `[height * width]` of the model's input, not 0 inside.
 */
export function readDrawnRegions(
  outputs: NdArrays,
  masks: readonly Uint8Array[],
  { spec, target, method = {} }: { spec: ModelSpec; target?: Target; method?: MethodChoice },
): DrawnRegion[] {
  const size = spec.trunk.inputSize;
  const { tap = spec.source } = method;
  const readings = readAspects(outputs, { heads: headsOf(spec, target).aspects, spec, tap: method.tap, size });
  const taps = tapSums(readings, outputs);
  const saliency = outputs[tapPort("saliency", tap)];
  return masks.map((mask) => {
    const pixels = Uint32Array.from(mask.keys()).filter((at) => mask[at] !== 0);
    const cellsOn = (height: number, width: number) => cellsUnder(pixels, { height, width, size });
    const cells = Object.fromEntries(
      Object.entries(taps).map(([name, { evidence }]) => [name, cellsOn(evidence.shape[1], evidence.shape[2])]),
    );
    return {
      area: pixels.length / mask.length,
      share: saliency ? shareIn(saliency.data, cellsOn(saliency.shape[1], saliency.shape[2])) : null,
      aspects: readings.map(({ head, regions, overlaps, survival }) => ({
        name: head.name,
        isPresent: regions.whole.elements.length > 0,
        covered: pixels.length === 0 ? 0 : pixels.filter((at) => regions.mask[at] !== 0).length / pixels.length,
        accountsFor: survival === null ? null : accountedFor(overlaps, taps, cells),
      })),
    };
  });
}

function cellsUnder(pixels: Uint32Array, { height, width, size }: { height: number; width: number; size: Size }) {
  return cellsIn({ elements: pixels, boxes: [], pixels }, { grid: { height, width }, size });
}

function shareIn(map: ArrayLike<number>, cells: Uint8Array): number | null {
  let [whole, inside] = [0, 0];
  for (let place = 0; place < map.length; place++) {
    whole += map[place];
    if (cells[place] !== 0) inside += map[place];
  }
  return whole > 0 ? inside / whole : null;
}

/** The squared cosine of both in the region; 0 where the aspect speaks against the answer there. */
function accountedFor(
  overlaps: readonly AspectOverlap[],
  taps: Readonly<Record<string, TapSums>>,
  cells: Readonly<Record<string, Uint8Array>>,
): number {
  let [product, aspectSquare, answerSquare] = [0, 0, 0];
  for (const { tap, overlap } of overlaps) {
    const { data } = taps[tap].evidence;
    for (let place = 0; place < overlap.data.length / 2; place++) {
      if (cells[tap][place] === 0) continue;
      answerSquare += data[2 * place + 1];
      product += overlap.data[2 * place];
      aspectSquare += overlap.data[2 * place + 1];
    }
  }
  if (product <= 0 || aspectSquare === 0 || answerSquare === 0) return 0;
  return Math.min(1, product ** 2 / (aspectSquare * answerSquare));
}
