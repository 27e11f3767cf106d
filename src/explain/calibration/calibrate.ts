/** Sets the threshold of relevance of a trained model on validation images, and finds heads that cannot be explained. */

import type { Sample } from "../../core/annotation.js";
import { targetPort } from "../../core/graph-ports.js";
import type { NdArrays } from "../../core/nd-array.js";
import type { Ranked } from "../../core/ranking.js";
import type { Engine } from "../../engine/engine.js";
import type { Model } from "../../model/model.js";
import type { Explanation, MethodChoice } from "../explanation.js";
import { removalFunction } from "../graph/evidence-removal.js";
import { explainFunction } from "../graph/explain-function.js";
import { explainConstants } from "../graph/graph-constants.js";
import { UNCALIBRATED_THRESHOLD } from "../methods.js";
import { readExplanation } from "../reading/read-explanation.js";
import type { Reached } from "../reading/relevant-aspects.js";
import {
  besideAgainstDistractors,
  besideOf,
  type Suspect,
  suspects,
  thresholdAgainstChance,
  thresholdAgainstDistractors,
  thresholdThatSeparates,
} from "./fit-threshold.js";
import { type ClassCauses, judge, type RankedAspect, relevancePairs } from "./ground-truth.js";
import { overRedrawn } from "./randomized-models.js";
import { overSamples } from "./run-over-samples.js";

/** Images and classifiers for the relevance that comes by chance. */
const CHANCE_IMAGES = 16;
const CHANCE_DRAWS = 24;

/** An aspect mattered if its removal takes more than this share of what the image has over the reference. */
const LOWERED_SHARE = 0.25;

export interface Calibration {
  readonly threshold: { readonly value: number; readonly beside: number; readonly isCalibrated: boolean };
  /**
   * What set it: known causes, the removal of evidence, classifiers that have learned nothing where they ask for a higher one or
   * there is nothing else, or nothing at all.
   */
  readonly by: "causes" | "removal" | "chance" | "none";
  /** Images used. */
  readonly imageCount: number;
  /** One line each, for `Provenance.warnings`. */
  readonly warnings: readonly string[];
}

/**
 * With known causes, the lowest threshold that names at most 3 % of the distractors, on images answered right (without those that
 * are relevant beyond chance in most of their images: the classifier goes by them, and a warning says so); without, the
 * one that best separates aspects whose removal lowers the target by more than a quarter from the others. In any case at
 * least so high that at most 3 % of the aspects are relevant to classifiers that have learned nothing. Else 0.2. Beside a relevant
 * aspect a third does at places of its own, with known causes what keeps the distractors at 3 % in all if that is more.
 *
 * @param parameters folded, by name.
 * @param references of `computeReferences`.
 * @param samples opens the validation split, in random order if `limit` cuts it; the same images each time.
 * @param causes of the dataset; a sample's own go before.
 * @param unranked aspects that are neither causes nor distractors, whatever the causes are.
 * @param method the default explanation without it.
 * @param limit most images used.
 * @param warnOf the only aspects that warnings are about; all without it.
 */
export async function calibrate(
  model: Model,
  {
    engine,
    parameters,
    references,
    samples,
    causes = {},
    unranked = [],
    method = {},
    limit = 1000,
    batchSize = 8,
    warnOf,
  }: {
    engine: Engine;
    parameters: NdArrays;
    references: NdArrays;
    samples: () => AsyncIterable<readonly Sample[]> | Iterable<readonly Sample[]>;
    causes?: ClassCauses;
    unranked?: readonly string[];
    method?: MethodChoice;
    limit?: number;
    batchSize?: number;
    warnOf?: readonly string[];
  },
): Promise<Calibration> {
  const constants = explainConstants({ parameters, references });
  const run = { engine, constants, batchSize };
  const read = (outputs: NdArrays, sample: Sample) =>
    readExplanation(outputs, { spec: model.spec, threshold: UNCALIBRATED_THRESHOLD, image: sample.path, method })
      .explanation;
  const isAbout = (name: string) => warnOf === undefined || warnOf.includes(name);
  const contrast = createContrastCheck(isAbout);
  let imageCount = 0;
  let suspected: readonly Suspect[] = [];
  const result = (by: Calibration["by"], value = UNCALIBRATED_THRESHOLD, beside = value): Calibration => ({
    threshold: { value, beside, isCalibrated: by !== "none" },
    by,
    imageCount,
    warnings: [...contrast.warnings(), ...suspected.filter(({ name }) => isAbout(name)).map(warningOf)],
  });

  const isByClass = Object.values(causes).some((names) => names.length > 0);
  const againstDistractors: RankedAspect[] = [];
  for await (const { sample, outputs } of overSamples(model, {
    ...run,
    samples: first(samples(), limit, (sample) => isByClass || (sample.causes?.length ?? 0) > 0),
    fn: explainFunction(model, method),
    name: "calibrate",
  })) {
    imageCount++;
    const explanation = read(outputs, sample);
    contrast.add(explanation);
    const judged = judge(explanation, { sample, causes });
    if (judged.isRight && judged.causes.length > 0)
      againstDistractors.push(...relevancePairs(judged).filter(({ name }) => !unranked.includes(name)));
  }
  const byChance = await relevancesByChance();
  const atLeastChance = (by: Calibration["by"], floor: number | null, beside = besideOf): Calibration => {
    const value = thresholdAgainstChance(byChance, { floor: floor ?? undefined, beside }) ?? floor;
    return value === null ? result("none") : result(value === floor ? by : "chance", value, beside(value));
  };
  const chance = thresholdAgainstChance(byChance) ?? Number.POSITIVE_INFINITY;
  suspected = suspects(againstDistractors, { chance });
  const isSuspect = ({ name, isPositive }: RankedAspect) => !isPositive && suspected.some((one) => one.name === name);
  const trusted = againstDistractors.filter((pair) => !isSuspect(pair));
  const known = thresholdAgainstDistractors(trusted);
  if (known !== null) {
    const distractors = trusted.filter(({ isPositive }) => !isPositive);
    return atLeastChance("causes", known, (value) => besideAgainstDistractors(distractors, { value }));
  }

  contrast.clear();
  imageCount = 0;
  const pairs: Ranked[] = [];
  for await (const { sample, outputs } of overSamples(model, {
    ...run,
    samples: first(samples(), limit),
    fn: removalFunction(model, method),
    name: "calibrate",
  })) {
    imageCount++;
    const explanation = read(outputs, sample);
    contrast.add(explanation);
    pairs.push(...removalPairs(explanation, outputs));
  }
  return atLeastChance("removal", thresholdThatSeparates(pairs));

  /** Of each image under each such classifier, half of them turned round, its aspects'. */
  async function relevancesByChance(): Promise<Reached[][]> {
    const scores: Reached[][] = [];
    const few = () => first(samples(), Math.min(limit, CHANCE_IMAGES));
    const draws = Array.from({ length: CHANCE_DRAWS }, (_, index) => ({ seed: index + 1, isNegated: index % 2 === 1 }));
    const drawn = {
      engine,
      fn: explainFunction(model, method),
      parameters,
      references,
      samples: few,
      draws,
      batchSize,
    };
    for await (const { sample, outputs } of overRedrawn(model, drawn)) {
      scores.push(
        read(outputs, sample).aspects.flatMap(({ relevance, relevanceApart: apart }) =>
          relevance === null || apart === null ? [] : [{ relevance, apart }],
        ),
      );
    }
    return scores;
  }
}

function warningOf({ name, count, reached }: Suspect): string {
  return (
    `"${name}" is relevant in ${reached} of the ${count} images that hold it, though "causes" does not name it: the classifier may go ` +
    "by it. It did not count as a distractor. Look at such images; if it is a cause, name it."
  );
}

/** Relevance of each aspect that can be read, positive where its removal lowers the target by more than a quarter. */
function removalPairs(explanation: Explanation, outputs: NdArrays): Ranked[] {
  const [target] = outputs.target.data;
  return explanation.aspects.flatMap(({ name, relevance }) => {
    const worth = target - outputs[targetPort(name, "nothing")].data[0];
    // An image that has no more than the reference for its answer cannot lose a share of it.
    if (relevance === null || worth <= 0) return [];
    const lost = target - outputs[targetPort(name, "removed")].data[0];
    return [{ score: relevance, isPositive: lost > LOWERED_SHARE * worth }];
  });
}

/** Counts, head by head, the images on which it sees its aspect but hardly more than on the reference. */
function createContrastCheck(isAbout: (name: string) => boolean): {
  add(explanation: Explanation): void;
  clear(): void;
  warnings(): string[];
} {
  const counts = new Map<string, { present: number; faint: number }>();
  return {
    add({ aspects }) {
      for (const { name, isPresent, relevance } of aspects) {
        const count = counts.get(name) ?? { present: 0, faint: 0 };
        if (isPresent) count.present++;
        if (isPresent && relevance === null) count.faint++;
        counts.set(name, count);
      }
    },
    clear: () => counts.clear(),
    warnings: () =>
      [...counts]
        .filter(([name, { present, faint }]) => isAbout(name) && faint > present / 2)
        .map(
          ([name, { present, faint }]) =>
            `head "${name}" cannot tell its answer from nothing on ${faint} of the ${present} images where it sees its aspect, ` +
            "so its relevance is not given there. Train it longer, or label images without it.",
        ),
  };
}

/** The first samples of a stream that qualify, batch by batch. */
async function* first(
  samples: AsyncIterable<readonly Sample[]> | Iterable<readonly Sample[]>,
  limit: number,
  qualifies: (sample: Sample) => boolean = () => true,
): AsyncGenerator<readonly Sample[]> {
  let count = 0;
  for await (const batch of samples) {
    const wanted = batch.filter(qualifies).slice(0, limit - count);
    count += wanted.length;
    if (wanted.length > 0) yield wanted;
    if (count >= limit) return;
  }
}
