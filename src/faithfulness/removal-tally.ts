/** Whether scores follow what painting an aspect over does to the answer, whether or not causes are known. */

import { ownValue } from "../core/own-value.js";
import { rankCorrelation } from "../core/ranking.js";
import type { Scored } from "../explain/reading/read-scores.js";
import type { InpaintingEffect } from "./aspect-inpainting.js";
import type { FaithfulnessMethod, RemovedAspects } from "./faithfulness.js";

/** By aspect. */
export type Effects = Readonly<Record<string, InpaintingEffect>>;

/** Reads every image whose aspects were painted over: what the answer loses needs no label. */
export function removalTally() {
  const lost: [score: number, lost: number][] = [];
  const groups = { changed: { count: 0, relevant: 0 }, kept: { count: 0, relevant: 0 } };
  let isCalibrated = true;
  return {
    add({ aspects }: Scored & { aspects: readonly { isRelevant: boolean | null }[] }, effects: Effects): void {
      for (const { name, score, isRelevant } of aspects) {
        const effect = ownValue(effects, name);
        if (score === null || !effect) continue;
        lost.push([score, effect.lost]);
        const group = effect.isFlipped ? groups.changed : groups.kept;
        group.count++;
        group.relevant += Number(isRelevant ?? 0);
        isCalibrated &&= isRelevant !== null;
      }
    },
    result(): Pick<FaithfulnessMethod, "removalCorrelation" | "removal"> {
      const shares = ({ count, relevant }: { count: number; relevant: number }): RemovedAspects => ({
        count,
        relevant: count > 0 && isCalibrated ? relevant / count : null,
      });
      const { changed, kept } = groups;
      return {
        removalCorrelation: rankCorrelation(lost),
        removal: lost.length > 0 ? { changed: shares(changed), kept: shares(kept) } : null,
      };
    },
  };
}
