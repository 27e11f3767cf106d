/** Reads a folder of images beside a folder of masks: indexed ones, or one for each aspect. */

import { join, resolve, sep } from "node:path";
import { glob } from "tinyglobby";
import { DatasetError } from "../../core/errors.js";
import { exists, isFolder } from "../../core/files.js";
import { mapAhead } from "../map-ahead.js";
import type { AnnotatedImage, AnnotatedObject, AnnotationReader } from "./annotated-set.js";
import { isImagePath, isMaskPath, type MaskOf, pairMasks } from "./mask-names.js";
import { type MaskContent, readMaskContent } from "./mask-values.js";
import { findPlaces, splitIn, toName } from "./places.js";
import { readNames } from "./yolo-darknet.js";

const TOOL = "masks";
/** Where there is one of these, another tool has written down more than the masks say. */
const ANNOTATIONS = "**/*.{json,xml,csv,tsv,yaml,yml}";
/** One name a line, the first of value 0. */
const NAME_FILES = ["classes.txt", "labels.txt"];
/** In masks with other labels: neither. */
const VOID = 255;
const BACKGROUND = 0;

export const MASKS: AnnotationReader = {
  tool: TOOL,
  recognizes: async (source) => {
    if (!(await isFolder(source))) return false;
    const search = { cwd: source, onlyFiles: true, caseSensitiveMatch: false };
    if ((await glob(ANNOTATIONS, search)).length > 0) return false;
    const { images, masks } = await listFiles(source);
    if (masks.some((name) => /(^|\/)SegmentationClass\//.test(name))) return false; // VOC's
    return images.some(isImagePath) && masks.length > 0 && pairMasks(images, masks).pairs.length > 0;
  },
  read: async (source, { images: given }) => {
    const files = await listFiles(source, given);
    const { pairs, alone } = pairMasks(files.images, files.masks);
    if (pairs.length === 0)
      throw new DatasetError(`${source}: no mask has the name of an image.`, {
        cure: "Put images/1.png beside masks/1.png or masks/ASPECT/1.png, or name the images' folder with --images.",
      });
    const contents = new Map<string, MaskContent>();
    const names = await readClassNames(source);
    const load = async ({ mask, aspect }: MaskOf) => ({
      mask,
      content: await readMaskContent(resolve(source, mask), { isNamed: aspect === undefined && names !== undefined }),
    });
    for await (const { mask, content } of mapAhead(pairs, load, { ahead: 8, concurrency: 4 }))
      contents.set(mask, content);
    const indexed = pairs.flatMap(({ mask, aspect }) => (aspect === undefined ? (contents.get(mask) ?? []) : []));
    checkMeanings(pairs, { contents, names, source });
    const labels = indexedLabels(indexed, [...(names?.names.values() ?? [])]);
    const aspects = new Set(pairs.flatMap(({ aspect }) => aspect ?? []));
    const byImage = new Map<string, MaskOf[]>();
    for (const pair of pairs) byImage.set(pair.image, [...(byImage.get(pair.image) ?? []), pair]);
    const images = files.images.map((name): AnnotatedImage => {
      const own = byImage.get(name) ?? [];
      const split = splitIn(name.split("/").slice(0, -1).join("/"))?.word;
      const objects = own.flatMap((pair) => objectsOf(pair, { source, content: contents.get(pair.mask), labels }));
      // A black mask of an aspect says that it is not there; no mask of it says nothing.
      const marked = new Set(objects.map(({ category }) => category));
      const absent = [...new Set(own.flatMap(({ aspect }) => aspect ?? []))].filter((aspect) => !marked.has(aspect));
      return {
        path: resolve(given ?? source, name),
        name,
        ...(split !== undefined && { split }),
        isAnnotated: own.length > 0,
        annotations: async () => ({ objects, ...(absent.length > 0 && { absent }) }),
      };
    });
    return {
      tool: TOOL,
      source,
      categories: [...labels.names.values(), ...aspects],
      images,
      left: alone.map(() => "mask: there is no image of its name"),
      notes: labels.isBinary ? shadesNote(indexed) : [],
    };
  },
};

/** Without a folder of the images, all files that are in no folder called like one of masks are images. */
async function listFiles(source: string, given?: string): Promise<{ images: string[]; masks: string[] }> {
  const below = (await findPlaces(source)).files;
  if (given === undefined) {
    const names = below.map((file) => toName(source, file));
    return { images: names.filter((name) => !isMaskPath(name)), masks: names.filter(isMaskPath) };
  }
  const images = (await findPlaces(given)).files;
  const inside = resolve(given) + sep;
  const masks = below.filter((file) => !file.startsWith(inside));
  return {
    images: images.map((file) => toName(given, file)),
    masks: (masks.length > 0 ? masks : below).map((file) => toName(source, file)),
  };
}

/** What was guessed, where it may be wrong. */
function shadesNote(contents: readonly MaskContent[]): string[] {
  const shades = new Set(contents.flatMap(({ found, isGraded }) => (isGraded ? found : [])));
  if (shades.size < 2) return [];
  const values = `${Math.min(...shades)} to ${Math.max(...shades)}`;
  return [
    `masks: the values ${values} are taken for shades of one thing, "mask"; if they are labels, list them in classes.txt`,
  ];
}

interface Labels {
  /** By value. */
  readonly names: ReadonlyMap<number, string>;
  /** The masks show one thing, called `mask`: each value but the lowest means it. */
  readonly isBinary: boolean;
  readonly ignore: readonly number[];
}

/** What the values of all indexed masks together say. */
function indexedLabels(contents: readonly MaskContent[], given: readonly string[]): Labels {
  const found = [...new Set(contents.flatMap((content) => content.found))].sort((a, b) => a - b);
  if (found.length === 0) return { names: new Map(), isBinary: false, ignore: [] };
  const isColoured = contents.some((content) => content.isColoured);
  const values = found.filter((value) => value !== BACKGROUND);
  const isBinary = values.length <= 1 || contents.some(({ isGraded }) => isGraded);
  if (isBinary && given.length === 0) return { names: new Map([[VOID, "mask"]]), isBinary: true, ignore: [] };
  const hasVoid = !isColoured && values.includes(VOID) && values.length > 1 && given[VOID] === undefined;
  const labelled = values.filter((value) => !(hasVoid && value === VOID));
  const nameOf = (value: number) => (isColoured ? `#${value.toString(16).padStart(6, "0")}` : String(value));
  return {
    names: new Map(labelled.map((value) => [value, given[value] ?? nameOf(value)])),
    isBinary: false,
    ignore: hasVoid ? [VOID] : [],
  };
}

function objectsOf(
  { mask, aspect }: MaskOf,
  { source, content, labels }: { source: string; content?: MaskContent; labels: Labels },
): AnnotatedObject[] {
  if (!content) return [];
  const path = resolve(source, mask);
  const { found, isGraded } = content;
  if (aspect !== undefined || labels.isBinary) {
    const values = isGraded || found.length === 1 ? found.filter((value) => value > 0) : found.slice(1);
    if (values.length === 0) return [];
    return [{ category: aspect ?? "mask", shape: { kind: "mask-file", path, values } }];
  }
  const [isVoid] = labels.ignore.filter((value) => found.includes(value));
  return [...labels.names].flatMap(([value, category]): AnnotatedObject[] => {
    if (found.includes(value))
      return [{ category, shape: { kind: "mask-file", path, values: [value], ignore: labels.ignore } }];
    // What is void may be of any category.
    return isVoid === undefined
      ? []
      : [{ category, isIgnored: true, shape: { kind: "mask-file", path, values: [isVoid] } }];
  });
}

interface ClassNames {
  readonly file: string;
  readonly names: ReadonlyMap<number, string>;
}

async function readClassNames(source: string): Promise<ClassNames | undefined> {
  for (const name of NAME_FILES) {
    const file = join(source, name);
    if (await exists(file)) return { file, names: await readNames(file) };
  }
  return undefined;
}

/** @throws DatasetError where some masks hold colours and others numbers, or a value has no name in a list of names. */
function checkMeanings(
  pairs: readonly MaskOf[],
  { contents, names, source }: { contents: ReadonlyMap<string, MaskContent>; names?: ClassNames; source: string },
): void {
  const indexed = pairs.flatMap(({ mask, aspect }) => {
    const content = aspect === undefined ? contents.get(mask) : undefined;
    return content ? [{ file: join(source, mask), content }] : [];
  });
  const coloured = indexed.find(({ content }) => content.isColoured);
  const numbered = indexed.find(({ content }) => !content.isColoured && content.found.some((value) => value !== 0));
  if (coloured && numbered)
    throw new DatasetError(`${coloured.file}: holds colours, but ${numbered.file} numbers.`, {
      cure: "Save all masks in one form, as indexed or grey PNG.",
      file: coloured.file,
    });
  if (!names || coloured) return;
  for (const { file, content } of indexed) {
    const unnamed = content.found.find((value) => value !== VOID && !names.names.has(value));
    if (unnamed !== undefined)
      throw new DatasetError(`${file}: holds the value ${unnamed}, which ${names.file} does not name.`, {
        cure: "Add its line; the first is of value 0.",
        file,
      });
  }
}
