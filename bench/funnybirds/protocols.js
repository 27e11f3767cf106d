/** The FunnyBirds protocols (Hesse et al. 2023, arXiv:2308.06248) on plain arrays: what an explanation is worth. */

import { contrastPair, PARTS } from "./birds.js";

/** @import { Bird, Part } from "./birds.js" */

/**
 * What an explanation of one class gives to the things in an image.
 *
 * @typedef {object} Explanation
 * @property {readonly number[]} parts in the order of `PARTS`.
 * @property {readonly number[]} objects of the background.
 * @property {number} sum of all that is given; a thing is named from a share of it on.
 */

/**
 * One image: what the model answers to it and to what is left of it, and how that is explained.
 *
 * @typedef {object} Judged
 * @property {number} label index of the class.
 * @property {readonly (readonly number[])[]} kept logits for each choice of parts: place k keeps part i where bit i of
 *   k is set; the last is the whole bird.
 * @property {readonly (readonly number[])[]} objects logits without each background object.
 * @property {ReadonlyMap<number, Explanation>} explained by class: of the label, the answer, and of its pair.
 */

/** A change of the logit by less than this share of it is none. */
const IRRELEVANT = 0.05;
const WHOLE = 2 ** PARTS.length - 1;

/** From which share of the sum on a thing is named; one of these is chosen for a method. */
export const LEVELS = Array.from({ length: 80 }, (_, index) => 0.01 + (0.49 * index) / 79);

/** @param {readonly Judged[]} images @returns {number | null} share answered right. */
export function accuracy(images) {
  return meanOf(images.map((image) => share(answerTo(image) === image.label)));
}

/**
 * Controlled synthetic data check: the largest share of a minimal sufficient part set that is named, over the images
 * that are answered right.
 *
 * @param {readonly Judged[]} images @param {readonly Bird[]} classes @param {number} level
 */
export function syntheticDataCheck(images, classes, level) {
  const right = images.filter((image) => answerTo(image) === image.label);
  return meanOf(
    right.map((image) => {
      const named = namedParts(explanationOf(image, image.label), level);
      return Math.max(...sufficientSets(classes, image.label).map((set) => bitCount(set & named) / bitCount(set)));
    }),
  );
}

/**
 * Preservation check: the share of images whose answer stays when all parts that are not named are removed.
 *
 * @param {readonly Judged[]} images @param {number} level
 */
export function preservationCheck(images, level) {
  return meanOf(
    images.map((image) => {
      const answer = answerTo(image);
      return share(bestOf(image.kept[namedParts(explanationOf(image, answer), level)]) === answer);
    }),
  );
}

/**
 * Deletion check: the share of images whose answer changes when the named parts are removed.
 *
 * @param {readonly Judged[]} images @param {number} level
 */
export function deletionCheck(images, level) {
  return meanOf(
    images.map((image) => {
      const answer = answerTo(image);
      return share(bestOf(image.kept[WHOLE & ~namedParts(explanationOf(image, answer), level)]) !== answer);
    }),
  );
}

/**
 * Distractibility: 1 minus the share of irrelevant parts and background objects that are named.
 *
 * @param {readonly Judged[]} images @param {number} level
 */
export function distractibility(images, level) {
  const wrong = meanOf(
    images.flatMap((image) => {
      const explanation = explanationOf(image, image.label);
      const things = [
        ...PARTS.map((_, part) => ({ without: withoutParts(image, 1 << part), given: explanation.parts[part] })),
        ...image.objects.map((without, object) => ({ without, given: explanation.objects[object] })),
      ];
      const irrelevant = things.filter(({ without }) => isIrrelevant(image, without));
      if (irrelevant.length === 0) return [];
      return [irrelevant.filter(({ given }) => isNamed(given, explanation, level)).length / irrelevant.length];
    }),
  );
  return wrong === null ? null : 1 - wrong;
}

/**
 * Single deletion: the rank correlation of what the class loses without each part with what the part is given, as 0
 * to 1.
 *
 * @param {readonly Judged[]} images
 */
export function singleDeletion(images) {
  return meanOf(
    images.flatMap((image) => {
      const { label, kept } = image;
      const lost = PARTS.map((_, part) => kept[WHOLE][label] - withoutParts(image, 1 << part)[label]);
      const correlation = spearman(lost, explanationOf(image, label).parts);
      return correlation === null ? [] : [(correlation + 1) / 2];
    }),
  );
}

/**
 * Target sensitivity: of two other classes that share two parts each with the bird, whether those parts are given more
 * where their own class is explained. Images where the model does not see it so itself are left out.
 *
 * @param {readonly Judged[]} images @param {readonly Bird[]} classes
 */
export function targetSensitivity(images, classes) {
  return meanOf(
    images.flatMap((image) => {
      const pair = contrastPair(classes, image.label);
      if (!pair) return [];
      const { a, b } = pair;
      const [partsOfA, partsOfB] = [bitsOf(pair.sharedWithA), bitsOf(pair.sharedWithB)];
      const [withoutA, withoutB] = [withoutParts(image, partsOfA), withoutParts(image, partsOfB)];
      if (!(withoutA[a] < withoutB[a] && withoutB[b] < withoutA[b])) return [];
      const [ofA, ofB] = [explanationOf(image, a), explanationOf(image, b)];
      return [
        share(givenTo(partsOfA, ofA) > givenTo(partsOfA, ofB)),
        share(givenTo(partsOfB, ofB) > givenTo(partsOfB, ofA)),
      ];
    }),
  );
}

/** @param {readonly Judged[]} images @returns {number | null} share of the background objects that do not matter. */
export function backgroundIndependence(images) {
  return meanOf(images.flatMap((image) => image.objects.map((without) => share(isIrrelevant(image, without)))));
}

/**
 * Completeness at a level, and what it is made of.
 *
 * @param {readonly Judged[]} images @param {readonly Bird[]} classes @param {number} level
 */
export function completeness(images, classes, level) {
  const [csdc, pc, dc] = [
    syntheticDataCheck(images, classes, level),
    preservationCheck(images, level),
    deletionCheck(images, level),
  ];
  const d = distractibility(images, level);
  return { level, csdc, pc, dc, d, completeness: (((csdc ?? 0) + (pc ?? 0) + (dc ?? 0)) / 3 + (d ?? 0)) / 2 };
}

/**
 * The level with the best completeness; the first of equal ones.
 *
 * @param {readonly Judged[]} images @param {readonly Bird[]} classes
 */
export function bestLevel(images, classes) {
  const all = LEVELS.map((level) => completeness(images, classes, level));
  return all.reduce((best, next) => (next.completeness > best.completeness ? next : best)).level;
}

/**
 * Everything that is reported of one method.
 *
 * @param {readonly Judged[]} images @param {readonly Bird[]} classes @param {number} level
 */
export function scoresAt(images, classes, level) {
  const complete = completeness(images, classes, level);
  const correctness = singleDeletion(images);
  const contrastivity = targetSensitivity(images, classes);
  const score = (complete.completeness + (correctness ?? 0) + (contrastivity ?? 0)) / 3;
  return { ...complete, correctness, contrastivity, score };
}

/**
 * The minimal sufficient part sets of a class, as bits: no other class has all their variants, and no smaller set
 * inside does it.
 *
 * @param {readonly Bird[]} classes @param {number} label
 * @returns {readonly number[]}
 */
export function sufficientSets(classes, label) {
  const isSufficient = (/** @type {number} */ set) =>
    classes.every(
      (other, index) =>
        index === label || PARTS.some((part, bit) => hasBit(set, bit) && other[part] !== classes[label][part]),
    );
  const sufficient = Array.from({ length: WHOLE }, (_, index) => index + 1).filter(isSufficient);
  return sufficient.filter((set) => !sufficient.some((other) => other !== set && (other & set) === other));
}

/**
 * Spearman's rank correlation; ties share their mean rank.
 *
 * @param {readonly number[]} x @param {readonly number[]} y
 * @returns {number | null} `null` where one of them has no order.
 */
export function spearman(x, y) {
  const [a, b] = [centredRanks(x), centredRanks(y)];
  const [aa, bb] = [dot(a, a), dot(b, b)];
  return aa === 0 || bb === 0 ? null : dot(a, b) / Math.sqrt(aa * bb);
}

/** @param {readonly number[]} values */
function centredRanks(values) {
  return values.map((value) => {
    const [below, equal] = [values.filter((v) => v < value).length, values.filter((v) => v === value).length];
    return below + (equal - 1) / 2 - (values.length - 1) / 2;
  });
}

/** @param {Judged} image */
function answerTo({ kept }) {
  return bestOf(kept[WHOLE]);
}

/** @param {readonly number[]} logits */
function bestOf(logits) {
  return logits.indexOf(Math.max(...logits));
}

/** @param {Judged} image @param {number} parts bits. */
function withoutParts({ kept }, parts) {
  return kept[WHOLE & ~parts];
}

/** Whether the label's logit hardly changes, or rises. @param {Judged} image @param {readonly number[]} without */
function isIrrelevant({ label, kept }, without) {
  const [before, after] = [kept[WHOLE][label], without[label]];
  return Math.abs(before - after) < IRRELEVANT * Math.abs(before) || after > before;
}

/** @param {Judged} image @param {number} label */
function explanationOf({ explained }, label) {
  const explanation = explained.get(label);
  if (!explanation) throw new Error(`class ${label} of an image is not explained`);
  return explanation;
}

/** @param {number} given @param {Explanation} explanation @param {number} level */
function isNamed(given, { sum }, level) {
  return given > level * sum;
}

/** @param {Explanation} explanation @param {number} level @returns {number} bits. */
function namedParts(explanation, level) {
  return bitsOf(PARTS.filter((_, part) => isNamed(explanation.parts[part], explanation, level)));
}

/** @param {number} parts bits. @param {Explanation} explanation */
function givenTo(parts, explanation) {
  return explanation.parts.reduce((sum, given, bit) => sum + (hasBit(parts, bit) ? given : 0), 0);
}

/** @param {readonly Part[]} parts */
function bitsOf(parts) {
  return parts.reduce((bits, part) => bits | (1 << PARTS.indexOf(part)), 0);
}

/** @param {number} set @param {number} bit */
function hasBit(set, bit) {
  return ((set >> bit) & 1) === 1;
}

/** @param {number} set */
function bitCount(set) {
  return PARTS.filter((_, bit) => hasBit(set, bit)).length;
}

/** @param {boolean} claim */
function share(claim) {
  return claim ? 1 : 0;
}

/** @param {readonly number[]} x @param {readonly number[]} y */
function dot(x, y) {
  return x.reduce((sum, value, index) => sum + value * y[index], 0);
}

/** @param {readonly number[]} values @returns {number | null} `null` of none. */
function meanOf(values) {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}
