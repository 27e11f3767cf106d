/** What some exports hold, counted in one pass over all their images: what a mapping is proposed from. */

import type { ImageError } from "../../core/errors.js";
import { mapAhead } from "../map-ahead.js";
import type { AnnotatedImage, AnnotatedObject, AnnotatedSet } from "./annotated-set.js";
import { imageFault } from "./image-size.js";

/** An export under the name that samples and licences call it by. */
export interface Source {
  readonly name: string;
  readonly set: AnnotatedSet;
}

/** Marks of one category, those to ignore left out. */
export interface CategoryCount {
  readonly name: string;
  /** Images with any. */
  imageCount: number;
  tagCount: number;
  boxCount: number;
  /** Polygons, ellipses, runs and masks. */
  areaCount: number;
  ignoredCount: number;
  /** Images of which the export says that it is not in them. */
  absentCount: number;
}

export interface Survey {
  readonly sources: readonly (Source & {
    /** Declared ones and found ones: of others, the source's annotators may have known nothing. */
    readonly categories: ReadonlySet<string>;
    /** Of attributes too. */
    readonly attributes: ReadonlySet<string>;
  })[];
  readonly imageCount: number;
  readonly annotatedCount: number;
  /** Annotated images with a tag, and the most tags of one image. */
  readonly taggedCount: number;
  readonly mostTags: number;
  /** In the order of the sources and of their declarations. */
  readonly categories: readonly CategoryCount[];
  /** By attribute, how many images have each value, of the first thousand values. */
  readonly attributes: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** Names of the groups that the exports give to images, such as `patient`. */
  readonly groups: ReadonlySet<string>;
  /** As the exports call them; `undefined` where one says nothing. */
  readonly splits: ReadonlyMap<string | undefined, number>;
  /** What is not carried, with how often it occurs. */
  readonly left: ReadonlyMap<string, number>;
  /** Why images are left out, which are then in no count. */
  readonly bad: readonly ImageError[];
}

const MOST_VALUES = 1000;

/**
 * @param options.skipBad leaves out images that are absent or cannot be read.
 * @param options.onImage called after each image.
 * @throws DatasetError at the first fault.
 */
export async function survey(
  sources: readonly Source[],
  { skipBad = false, onImage, signal }: { skipBad?: boolean; onImage?: () => void; signal?: AbortSignal } = {},
): Promise<Survey> {
  const categories = new Map<string, CategoryCount>();
  const countOf = (name: string) => {
    const known = categories.get(name);
    if (known) return known;
    const count = { name, imageCount: 0, tagCount: 0, boxCount: 0, areaCount: 0, ignoredCount: 0, absentCount: 0 };
    categories.set(name, count);
    return count;
  };
  const attributes = new Map<string, Map<string, number>>();
  const groups = new Set<string>();
  const bad: ImageError[] = [];
  const splits = new Map<string | undefined, number>();
  const left = new Map<string, number>();
  let [imageCount, annotatedCount, taggedCount, mostTags] = [0, 0, 0, 0];
  const surveyed: Survey["sources"][number][] = [];
  for (const { name, set } of sources) {
    for (const category of set.categories) countOf(category);
    for (const what of set.left) add(left, what);
    const own = { categories: new Set(set.categories), attributes: new Set<string>() };
    const images: AnnotatedImage[] = [];
    const read = async (image: AnnotatedImage) => {
      const fault = skipBad ? await imageFault(image, set.source) : undefined;
      return fault ? { fault } : { image, found: await image.annotations() };
    };
    for await (const { fault, image, found } of mapAhead(set.images, read, { ahead: 8, concurrency: 4 })) {
      signal?.throwIfAborted();
      onImage?.();
      if (fault) {
        bad.push(fault);
        continue;
      }
      images.push(image);
      imageCount++;
      if (image.isAnnotated) annotatedCount++;
      add(splits, image.split);
      for (const group of Object.keys(image.groups ?? {})) groups.add(group);
      for (const what of found.left ?? []) add(left, what);
      for (const category of found.absent ?? []) {
        countOf(category).absentCount++;
        own.categories.add(category);
      }
      const tags = new Set<string>();
      for (const object of found.objects) {
        count(countOf(object.category), object);
        own.categories.add(object.category);
        if (object.shape.kind === "image" && !object.isIgnored) tags.add(object.category);
      }
      for (const category of new Set(found.objects.filter((one) => !one.isIgnored).map((one) => one.category)))
        countOf(category).imageCount++;
      for (const [attribute, value] of new Map(found.objects.flatMap(attributeEntries)).values()) {
        own.attributes.add(attribute);
        const values = attributes.get(attribute) ?? new Map<string, number>();
        if (values.has(value) || values.size < MOST_VALUES) add(values, value);
        attributes.set(attribute, values);
      }
      if (tags.size > 0) taggedCount++;
      mostTags = Math.max(mostTags, tags.size);
    }
    surveyed.push({ name, set: { ...set, images }, ...own });
  }
  const all = { imageCount, annotatedCount, taggedCount, mostTags, attributes, groups, splits, left, bad };
  return { sources: surveyed, categories: [...categories.values()], ...all };
}

function count(counted: CategoryCount, { shape, isIgnored }: AnnotatedObject): void {
  if (isIgnored) counted.ignoredCount++;
  else if (shape.kind === "image") counted.tagCount++;
  else if (shape.kind === "box") counted.boxCount++;
  else counted.areaCount++;
}

/** Keyed by both, so that each is counted once an image. */
function attributeEntries({ attributes = {} }: AnnotatedObject): [string, [name: string, value: string]][] {
  return Object.entries(attributes).map(([name, value]) => [`${name}\0${value}`, [name, value]]);
}

function add<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
