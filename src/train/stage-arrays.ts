/** Which arrays a stage holds still, which it changes, and which of them others get to see. */

import { type NdArrays, ndArray } from "../core/nd-array.js";
import { firstMoment, gradientSum, isAuxiliary, isStatistic, movingAverage, secondMoment } from "./state-names.js";

/**
 * Constants and state of a stage at the cursor.
 *
 * @param arrays parameters, and what the stage keeps beside them unless it begins: moments and sums then start at zero,
 * averages at the parameters.
 * @param options.isAccumulated several batches make a step.
 */
export function stageArrays(
  arrays: NdArrays,
  options: {
    trainable: readonly string[];
    batchNorm: "batch" | "frozen";
    isAccumulated: boolean;
    isAveraged: boolean;
  },
): { constants: NdArrays; state: NdArrays } {
  const { trainable, batchNorm, isAccumulated, isAveraged } = options;
  const zeroNames = isAccumulated ? [firstMoment, secondMoment, gradientSum] : [firstMoment, secondMoment];
  const zeros = trainable.flatMap((parameter) =>
    zeroNames.map((nameOf) => [nameOf(parameter), ndArray(arrays[parameter].shape)] as const),
  );
  const averages = isAveraged
    ? averagedNames(arrays, { trainable, batchNorm }).map((name) => [movingAverage(name), arrays[name]] as const)
    : [];
  const kept = [...zeros, ...averages].map(([name, fresh]) => [name, arrays[name] ?? fresh]);
  const learning = new Set(trainable);
  const parameters = parametersOf(arrays);
  const isState = (name: string) => learning.has(name) || (batchNorm === "batch" && name.startsWith("trunk/"));
  return {
    constants: pick(parameters, (name) => !isState(name)),
    state: { ...pick(parameters, isState), ...Object.fromEntries(kept) },
  };
}

/**
 * What has a moving average where a stage keeps one: what learns, and the statistics that batch normalisation gathers
 * meanwhile. Averaged weights with the statistics of the last ones answer wrongly as long as these move fast.
 */
export function averagedNames(
  arrays: NdArrays,
  { trainable, batchNorm }: { trainable: readonly string[]; batchNorm: "batch" | "frozen" },
): string[] {
  if (batchNorm === "frozen") return [...trainable];
  return [...trainable, ...Object.keys(arrays).filter((name) => !isAuxiliary(name) && isStatistic(name))];
}

/** Parameters and moving statistics, without what training keeps beside them. */
export function parametersOf(arrays: NdArrays): NdArrays {
  return pick(arrays, (name) => !isAuxiliary(name));
}

/** The same with averages in place of the parameters that have one: what is validated, kept as best and handed on. */
export function averagedParametersOf(arrays: NdArrays): NdArrays {
  const parameters = Object.entries(parametersOf(arrays));
  return Object.fromEntries(parameters.map(([name, own]) => [name, arrays[movingAverage(name)] ?? own]));
}

function pick(arrays: NdArrays, isWanted: (name: string) => boolean): NdArrays {
  return Object.fromEntries(Object.entries(arrays).filter(([name]) => isWanted(name)));
}
