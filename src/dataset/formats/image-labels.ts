/** What our dataset says of one image, by the mapping: its class, and for each aspect shapes, boxes or an answer. */

import type { Box } from "../../core/box.js";
import type { AnnotatedImage, AnnotatedObject, ImageAnnotations, Shape } from "./annotated-set.js";
import type { AspectMapping, ClassMapping, GroupRule, Mapping, Unmarked } from "./mapping.js";
import { boundsOf } from "./spans.js";

/** Of one aspect; one that is left out is unlabelled. */
export type AspectLabel =
  /** Empty where there is no shape; pixels of `ignored` are neither in nor out. */
  | { readonly kind: "segmentation" | "amount"; readonly shapes: readonly Shape[]; readonly ignored: readonly Shape[] }
  | { readonly kind: "boxes"; readonly boxes: readonly Box[]; readonly ignored: readonly Box[] }
  | { readonly kind: "presence"; readonly present: boolean };

export interface ImageLabels {
  readonly target: { readonly label?: string; readonly labels?: readonly string[] };
  readonly aspects: Readonly<Record<string, AspectLabel>>;
  readonly groups: Readonly<Record<string, string>>;
  /** Of some classes of a list it is not known whether the image has them, so that there is no target. */
  readonly isPartlyKnown: boolean;
  /** Boxes that reached out of the image, and those of which nothing was left in it. */
  readonly clippedCount: number;
  readonly outsideCount: number;
}

/**
 * @param options.categories that the source knows: an aspect of which it knows none is unlabelled.
 * @param options.width and height: the size that the shapes' coordinates refer to.
 */
export function labelImage(
  image: AnnotatedImage,
  { objects, absent = [] }: ImageAnnotations,
  mapping: Mapping,
  { categories, width, height }: { categories: ReadonlySet<string>; width: number; height: number },
): ImageLabels {
  const counts = { clippedCount: 0, outsideCount: 0 };
  const aspects: Record<string, AspectLabel> = {};
  for (const aspect of mapping.aspects) {
    if (!aspect.categories.some((category) => categories.has(category))) continue;
    const own = objects.filter(({ category }) => aspect.categories.includes(category));
    const otherwise = image.isAnnotated ? aspect.unmarked : aspect.unannotated;
    const label =
      own.length > 0
        ? labelOf(aspect, own, { width, height, counts })
        : emptyLabel(aspect, areAbsent(aspect.categories, { absent, categories }) ? "empty" : otherwise);
    if (label) aspects[aspect.name] = label;
  }
  const groups = Object.fromEntries(
    Object.entries(mapping.groups).flatMap(([name, rule]) => {
      const value = groupOf(rule, image, objects);
      return value ? [[name, value]] : [];
    }),
  );
  const classes = mapping.classes ? targetOf(mapping.classes, image, { objects, absent, categories }) : { target: {} };
  return { isPartlyKnown: false, ...classes, aspects, groups: { ...image.groups, ...groups }, ...counts };
}

/** All that the source knows of them are said to be absent, and one is. */
function areAbsent(
  wanted: readonly string[],
  { absent, categories }: { absent: readonly string[]; categories: ReadonlySet<string> },
): boolean {
  const known = wanted.filter((category) => categories.has(category));
  return known.length > 0 && known.every((category) => absent.includes(category));
}

function emptyLabel({ kind }: AspectMapping, state: "empty" | "unlabelled"): AspectLabel | undefined {
  if (state === "unlabelled") return undefined;
  if (kind === "boxes") return { kind, boxes: [], ignored: [] };
  if (kind === "presence") return { kind, present: false };
  return { kind, shapes: [], ignored: [] };
}

interface Sizes {
  readonly width: number;
  readonly height: number;
  readonly counts: { clippedCount: number; outsideCount: number };
}

/** @returns nothing where the marks do not tell what the kind needs. */
function labelOf(
  { kind, fillBoxes }: AspectMapping,
  objects: readonly AnnotatedObject[],
  sizes: Sizes,
): AspectLabel | undefined {
  const known = objects.filter(({ isIgnored }) => !isIgnored).map(({ shape }) => shape);
  const ignored = objects.filter(({ isIgnored }) => isIgnored).map(({ shape }) => shape);
  // Marked as a whole: it is there, and nobody says where.
  const hasNoPlace = known.some(({ kind }) => kind === "image") && known.every(({ kind }) => kind === "image");
  if (kind === "presence") return known.length > 0 ? { kind, present: true } : undefined;
  if (hasNoPlace || (known.length === 0 && ignored.every(({ kind }) => kind === "image"))) return undefined;
  if (kind === "boxes") return boxesLabel(known, ignored, sizes);
  const { shapes, unclear } = areasOf(known, fillBoxes);
  // Boxes alone do not say which pixels.
  if (shapes.length === 0 && known.length > 0) return undefined;
  return { kind, shapes, ignored: [...ignored, ...unclear].filter(({ kind }) => kind !== "image") };
}

/** A mask says it all; beside it, or else beside other areas, a box says only that its pixels are not known. */
function areasOf(known: readonly Shape[], fillBoxes: boolean): { shapes: Shape[]; unclear: Shape[] } {
  const masks = known.filter(({ kind }) => kind === "mask-file");
  if (masks.length > 0) return { shapes: masks, unclear: [] };
  const isArea = ({ kind }: Shape) => kind !== "image" && (kind !== "box" || fillBoxes);
  return { shapes: known.filter(isArea), unclear: known.filter(({ kind }) => kind === "box" && !fillBoxes) };
}

/** Masks repeat what boxes beside them say. */
function boxesLabel(known: readonly Shape[], ignored: readonly Shape[], sizes: Sizes): AspectLabel | undefined {
  const toBoxes = (shapes: readonly Shape[]) => shapes.flatMap((shape) => boxOf(shape, sizes));
  const boxes = toBoxes(known);
  if (boxes.length === 0 && known.some(({ kind }) => kind === "mask-file")) return undefined;
  return { kind: "boxes", boxes, ignored: toBoxes(ignored) };
}

function boxOf(shape: Shape, { width, height, counts }: Sizes): Box[] {
  if (shape.kind === "image" || shape.kind === "mask-file") return [];
  const bounds = boundsOf(shape);
  if (!bounds) return [];
  const [left, top, right, bottom] = bounds;
  const box: Box = [clip(top / height), clip(left / width), clip(bottom / height), clip(right / width)];
  if (box[0] >= box[2] || box[1] >= box[3]) {
    counts.outsideCount++;
    return [];
  }
  const slack = 1e-6;
  if (left < -slack || top < -slack || right > width * (1 + slack) || bottom > height * (1 + slack))
    counts.clippedCount++;
  return [box];
}

function clip(share: number): number {
  // Seven digits are a hundredth of a pixel in an image of 100,000.
  return Math.round(Math.min(1, Math.max(0, share)) * 1e7) / 1e7;
}

function targetOf(
  mapping: ClassMapping,
  image: AnnotatedImage,
  {
    objects,
    absent,
    categories,
  }: { objects: readonly AnnotatedObject[]; absent: readonly string[]; categories: ReadonlySet<string> },
): Pick<ImageLabels, "target"> & Partial<Pick<ImageLabels, "isPartlyKnown">> {
  const known = objects.filter(({ isIgnored }) => !isIgnored);
  const words = wordsOf(mapping, image, known);
  const found = mapping.classes.filter(({ of }) => of.some((word) => words.has(word)));
  const isMulti = mapping.task === "multi";
  if (!isMulti && found.length > 0) return { target: { label: found[0].name } };
  const isByCategory = mapping.from === "tags" || mapping.from === "marks";
  // What is to be ignored may be one of them; a list without it would say that it is not there.
  const all = isByCategory ? wordsOf(mapping, image, objects) : words;
  const unknown = mapping.classes.filter((one) => !found.includes(one) && one.of.some((word) => all.has(word)));
  if (unknown.length > 0) return { target: {}, isPartlyKnown: isMulti && unknown.length < mapping.classes.length };
  if (found.length > 0) return { target: { labels: found.map(({ name }) => name) } };
  const knows = mapping.classes.some(({ of }) => of.some((word) => categories.has(word)));
  if (isByCategory && !knows) return { target: {} };
  const wanted = mapping.classes.flatMap(({ of }) => of);
  if (isMulti && isByCategory && areAbsent(wanted, { absent, categories })) return { target: { labels: [] } };
  return { target: otherwise(image.isAnnotated ? mapping.unmarked : mapping.unannotated) };
}

function otherwise(state: Unmarked): ImageLabels["target"] {
  if (state.is === "class") return { label: state.name };
  return state.is === "empty" ? { labels: [] } : {};
}

function wordsOf(mapping: ClassMapping, image: AnnotatedImage, objects: readonly AnnotatedObject[]): Set<string> {
  switch (mapping.from) {
    case "tags":
      return new Set(objects.filter(({ shape }) => shape.kind === "image").map(({ category }) => category));
    case "marks":
      return new Set(objects.map(({ category }) => category));
    case "attribute":
      return new Set(objects.flatMap(({ attributes }) => attributes?.[mapping.attribute]?.normalize() ?? []));
    case "folder":
      return new Set(folderAt(image.name, -1)?.map((name) => name.normalize()) ?? []);
  }
}

function groupOf(rule: GroupRule, image: AnnotatedImage, objects: readonly AnnotatedObject[]): string | undefined {
  if (rule.by === "attribute") {
    const marked = objects.find(({ attributes }) => attributes?.[rule.attribute]);
    return marked?.attributes?.[rule.attribute] ?? image.groups?.[rule.attribute];
  }
  if (rule.by === "folder") return folderAt(image.name, rule.place)?.[0];
  const match = rule.pattern.exec(image.name);
  return match ? (match[1] ?? match[0]) : undefined;
}

/** @param place from 1, or from -1 backwards. */
function folderAt(name: string, place: number): [string] | undefined {
  const folders = name.split("/").slice(0, -1);
  const found = folders.at(place > 0 ? place - 1 : place);
  return found === undefined ? undefined : [found];
}
