/** Proposes what the class is: tags, else which categories an image shows, else an attribute. */

import { quoted } from "./quoted.js";
import type { CategoryCount, Survey } from "./survey.js";

/** A category in more images than this, or in fewer than the rest, tells images hardly apart. */
const COMMON = 0.95;
/** More values than this are no classes, but names. */
const MOST_CLASSES = 20;
/** In fewer images than this, that each has a category says little of it. */
const FEW = 10;

const FOLLOWS = "A class that follows from the marks always comes with the aspect of these marks.";

/** A part of the proposal, with the reason for it. */
export interface Part {
  readonly reason: string;
  readonly value: unknown;
}

/** With the categories that it uses. */
interface ClassPart extends Part {
  readonly of: readonly string[];
}

/** @returns nothing where nothing tells the annotated images apart, and there are enough to say so. */
export function proposeClass(found: Survey): ClassPart | undefined {
  const part = ofTags(found) ?? ofMarks(found) ?? ofAttribute(found);
  const everywhere = inEveryImage(found);
  if (part && everywhere.length > 0)
    return {
      ...part,
      reason: `${part.reason} No class is ${quoted(namesOf(everywhere))}: every annotated image has it.`,
    };
  return part ?? ofFew(found);
}

/** Categories that no annotated image lacks: a classifier learns nothing of them. */
function inEveryImage({ categories, annotatedCount }: Survey): CategoryCount[] {
  return categories.filter((one) => annotatedCount > 0 && isEverywhere(one, annotatedCount));
}

/** Why nothing is proposed. */
export function whyNoClass(found: Survey): string | undefined {
  const everywhere = inEveryImage(found);
  return everywhere.length === 0
    ? undefined
    : `each annotated image has ${quoted(namesOf(everywhere))}, and none is without`;
}

function isEverywhere({ imageCount }: CategoryCount, annotatedCount: number): boolean {
  return imageCount >= annotatedCount;
}

function ofTags({ categories, annotatedCount, taggedCount, mostTags, imageCount }: Survey): ClassPart | undefined {
  const tagged = categories.filter(({ tagCount }) => tagCount > 0);
  const tags = tagged.filter((one) => !isEverywhere(one, annotatedCount));
  if (tags.length === 0) return undefined;
  // Those that each image carries, and as a whole alone.
  const carried = tagged.filter((one) => !tags.includes(one) && one.boxCount + one.areaCount === 0).length;
  const isMulti = mostTags - carried > 1;
  const isFull = 2 * taggedCount >= annotatedCount;
  const count = `${taggedCount} of ${imageCount} images carry tags, ${mostTags > 1 ? `up to ${mostTags}` : "one each"}`;
  if (isMulti || tags.length > 1)
    return {
      reason: `${count}: they are the ${isMulti ? "labels" : "classes"}${isFull ? "" : "; images without are unlabelled, since most have none"}.`,
      value: {
        ...{ task: isMulti ? "multi" : "single", from: "tags", classes: named(tags) },
        unmarked: isMulti && isFull ? "empty" : "unlabelled",
      },
      of: tags.map(({ name }) => name),
    };
  return {
    reason: `${count}${tagged.length > 1 ? "" : `, all "${tags[0].name}"`}: the class is whether an image has ${tagged.length > 1 ? `"${tags[0].name}"` : "it"}.`,
    ...eitherOr(tags[0].name, "tags"),
  };
}

function ofMarks({ categories, annotatedCount }: Survey): ClassPart | undefined {
  const marked = categories.filter((one) => one.imageCount > 0 && !isEverywhere(one, annotatedCount));
  if (marked.length === 0) return undefined;
  const share = ({ imageCount }: CategoryCount) => imageCount / annotatedCount;
  const varying = marked.filter((one) => share(one) >= 1 - COMMON && share(one) <= COMMON);
  const none = "No tag tells a class";
  if (varying.length > 1)
    return {
      reason: `${none}: the labels are which of the categories an image shows (those in ${percent(1 - COMMON)} to ${percent(COMMON)} of the images). ${FOLLOWS} Change this if your classes are others.`,
      value: { task: "multi", from: "marks", classes: named(varying), unmarked: "empty" },
      of: varying.map(({ name }) => name),
    };
  const [even] = [...(varying.length > 0 ? varying : marked)].sort(
    (a, b) => Math.abs(share(a) - 0.5) - Math.abs(share(b) - 0.5),
  );
  return {
    reason: `${none}: the class is whether an image shows "${even.name}" (${even.imageCount} of ${annotatedCount} do, the most even category). ${FOLLOWS} Change this if your classes are others.`,
    ...eitherOr(even.name, "marks"),
  };
}

/** An attribute of which each annotated image has one value. */
function ofAttribute({ attributes, annotatedCount }: Survey): ClassPart | undefined {
  for (const [attribute, values] of attributes) {
    const count = [...values.values()].reduce((sum, images) => sum + images, 0);
    if (count !== annotatedCount || values.size < 2 || values.size > MOST_CLASSES) continue;
    const classes = Object.fromEntries([...values.keys()].sort().map((value) => [value, [value]]));
    return {
      reason: `No tag and no category tells images apart: the class is the attribute "${attribute}", of which each has one of ${values.size} values. Change this if your classes are others.`,
      value: { task: "single", from: "attribute", attribute, classes, unmarked: "unlabelled" },
      of: [],
    };
  }
  return undefined;
}

/** One that they all have, if they are too few to say that others would have it too. */
function ofFew(found: Survey): ClassPart | undefined {
  const [first] = inEveryImage(found);
  if (!first || found.annotatedCount >= FEW) return undefined;
  return {
    reason: `Nothing tells the few images apart: every annotated one has "${first.name}". A classifier learns nothing of that; add images without, or change this.`,
    ...eitherOr(first.name, first.tagCount > 0 ? "tags" : "marks"),
  };
}

function namesOf(some: readonly CategoryCount[]): string[] {
  return some.map(({ name }) => name);
}

function named(some: readonly CategoryCount[]) {
  return Object.fromEntries(some.map(({ name }) => [name, [name]]));
}

function eitherOr(name: string, from: string) {
  return { value: { task: "single", from, classes: { [name]: [name] }, unmarked: `no ${name}` }, of: [name] };
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}
