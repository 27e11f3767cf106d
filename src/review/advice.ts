/**
 * What to try next, in words, by a few stated rules from a run's own curves and numbers. docs/run-page.md lists them.
 */

import { ownValue } from "../core/own-value.js";
import { sizeKey } from "../core/size.js";
import { type HeadMetrics, scoreOf } from "../heads/metrics.js";
import { isConstantAsGood } from "../metrics/constant-answer.js";
import { bestIndex, type HeadFacts, type RunFacts } from "./run-facts.js";

export interface Advice {
  /** The head; none where it is about the whole run. */
  readonly head?: string;
  readonly text: string;
}

/** A head is good from here on; nothing is advised for it. */
const GOOD = 0.9;
/** Training images that show an aspect, below which more labels help most. */
const FEW_LABELS = 100;
/** Things narrower than so many strides of the layer that a head reads are hard to find. */
const STRIDES = 2;
/** Sides in pixels at the model's size below which a larger input helps. */
const SMALL = 12;
/** Sides of the model's input are multiples of this. */
const GRAIN = 32;
/** Share of the last stage's epochs within which the best one counts as "at the end". */
const LATE = 0.15;
/** A stage needs so many epochs for its curves to tell anything. */
const LEAST_EPOCHS = 5;
/** Share by which the training loss still fell after the best epoch, while the score did not rise. */
const OVERFIT = 0.1;

/** A head's score in the best epoch, as `scoreOf` counts; `null` where it was not evaluated. */
export function headScore(run: RunFacts, name: string): number | null {
  const metrics = ownValue((run.history[bestIndex(run)]?.validation ?? {}) as Record<string, HeadMetrics>, name);
  return metrics ? scoreOf(metrics) : null;
}

/** A head without a label in training: what it answers was never learned, whatever its score. */
export function isUntaught({ labels }: HeadFacts): boolean {
  return labels !== undefined && labels.labelled + labels.empty === 0;
}

/** Heads that no training image is labelled for, or whose score is no better than that of a constant answer; and why. */
export function blindHeads(run: RunFacts): { name: string; why: string }[] {
  return run.heads.flatMap((head) => {
    const { name } = head;
    if (isUntaught(head)) return [{ name, why: "no training image is labelled for it" }];
    const score = headScore(run, name);
    const constant = ownValue(run.reviews ?? {}, name)?.constant ?? null;
    if (score === null || constant === null || !isConstantAsGood(score, constant)) return [];
    const same = `the same answer for every image ${constant.toFixed(2)}`;
    return [{ name, why: `score ${score.toFixed(2)} on the validation images, ${same}` }];
  });
}

/** @returns most pressing first; of a run on some of the images that alone, since its numbers are of those. */
export function adviceFor(run: RunFacts): Advice[] {
  if (run.part) return [{ text: "Train in full first: what stands here is of a part of the training images." }];
  const blind = new Set(blindHeads(run).map(({ name }) => name));
  const rank = (head: HeadFacts) => (isUntaught(head) ? 0 : (headScore(run, head.name) ?? 2));
  const order = [...run.heads].sort((a, b) => rank(a) - rank(b));
  return [...order.flatMap((head) => adviceForHead(run, head, blind.has(head.name))), ...curveAdvice(run)];
}

function adviceForHead(run: RunFacts, head: HeadFacts, isBlind: boolean): Advice[] {
  const { name, labels, stride, finerTap } = head;
  const score = headScore(run, name);
  const about = (text: string): Advice => ({ head: name, text });
  if (isUntaught(head)) return [about("was not trained: no training image is labelled for it. Label some.")];
  if (run.history.length > 0 && score === null)
    return [about("was not evaluated: no validation image is labelled for it. Label some.")];
  if (score === null || (score >= GOOD && !isBlind)) return [];
  const found: Advice[] = [];
  const side = ownValue(run.reviews ?? {}, name)?.medianSide;
  if (side !== undefined && side < SMALL)
    found.push(
      about(
        `half of its things are smaller than ${side.toFixed(0)} px at the model's ${sizeKey(run.inputSize)} px. ` +
          largerInput(run),
      ),
    );
  if (side !== undefined && stride !== undefined && finerTap !== undefined && side < STRIDES * stride)
    found.push(
      about(
        `reads a layer of stride ${stride}, on which half of its things (${side.toFixed(0)} px) span less than ` +
          `${STRIDES} cells. Let it read an earlier layer: --set heads.${name}.tap=${finerTap}.`,
      ),
    );
  if (labels && head.kind !== "classifier" && labels.labelled < FEW_LABELS)
    found.push(
      about(
        `only ${labels.labelled} training images show it. Label more that do` +
          `${labels.unlabelled > 0 ? `; ${labels.unlabelled} images are not labelled for it yet` : ""}.`,
      ),
    );
  if (labels && head.kind !== "classifier" && labels.empty === 0 && labels.labelled > 0)
    found.push(
      about("no training image is labelled as free of it. Label some as empty, so that it learns when to be silent."),
    );
  found.push(...confusionAdvice(run, name).map(about));
  if (isBlind && found.length === 0)
    found.push(
      about(
        "sees nothing, and neither size nor number of its labels explains it. " +
          "Look at its worst images: are the labels right?",
      ),
    );
  return found;
}

/** Twice the size, but never more than the images have. */
function largerInput({ inputSize, imageSide = Number.POSITIVE_INFINITY }: RunFacts): string {
  // What was imported has the size that it has.
  if (typeof inputSize !== "number") return "Cut the images into tiles.";
  const larger = Math.min(2 * inputSize, GRAIN * Math.floor(imageSide / GRAIN));
  return larger > inputSize
    ? `Train at a larger input, as with --set trunk.inputSize=${larger}, or cut the images into tiles.`
    : `The images, ${Math.round(imageSide)} px on the longer side, hold no more: larger ones would show more of them.`;
}

/** The pair of classes that is confused most, where it is a good part of all mistakes. */
function confusionAdvice(run: RunFacts, name: string): string[] {
  const metrics = ownValue((run.history[bestIndex(run)]?.validation ?? {}) as Record<string, HeadMetrics>, name);
  if (metrics?.kind !== "classifier" || metrics.task !== "single") return [];
  const names = Object.keys(metrics.recall);
  const pairs = metrics.confusion.flatMap((row, truth) =>
    row.flatMap((count, answer) => (truth === answer || count === 0 ? [] : [{ truth, answer, count }])),
  );
  const mistakes = pairs.reduce((sum, { count }) => sum + count, 0);
  const [most] = pairs.sort((a, b) => b.count - a.count);
  if (!most || most.count < 3 || most.count < 0.25 * mistakes) return [];
  return [
    `takes ${names[most.truth]} for ${names[most.answer]} in ${most.count} of ${mistakes} mistakes. ` +
      `Look at these images in the confusion; then label more of both, or mend the labels.`,
  ];
}

function curveAdvice(run: RunFacts): Advice[] {
  const at = bestIndex(run);
  const last = run.history.at(-1);
  if (at < 0 || !last || last.score === null) return [];
  const stage = run.history.filter(({ stage }) => stage === last.stage);
  const planned = run.stages[last.stage]?.epochs ?? stage.length;
  if (stage.length < LEAST_EPOCHS || stage.length < planned) return [];
  const best = run.history[at];
  const earlier = Math.max(...stage.slice(0, -Math.ceil(stage.length / 3)).map(({ score }) => score ?? 0));
  if (best.stage === last.stage && best.epoch > (1 - LATE) * stage.length) {
    if ((best.score ?? 0) - earlier < 0.01) return [];
    const more = `--set stages.${last.stage}.epochs=${2 * planned}`;
    return [
      {
        text:
          `The score was still rising when the last stage ended (best epoch ${best.epoch} of ${planned}). ` +
          `Train longer: ${more}.`,
      },
    ];
  }
  if (best.stage !== last.stage) return [];
  const fall = 1 - last.losses.total / best.losses.total;
  if (fall < OVERFIT) return [];
  return [
    {
      text:
        `After epoch ${best.epoch} of the last stage the training loss fell by another ${(100 * fall).toFixed(0)} %, ` +
        "the validation score did not rise: the model learns its training images by heart. " +
        "More labelled images help most; stronger augment.colour and augment.crop help too.",
    },
  ];
}
