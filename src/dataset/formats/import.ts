/** Imports exports of annotation tools into one dataset of ours. */

import { constants, copyFile, mkdir, open, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { DatasetError, InterruptedError } from "../../core/errors.js";
import { makeFolder, refused, removeAbandoned, temporaryName, writeFileAtomic, writeJson } from "../../core/files.js";
import { readLines } from "../lines.js";
import { checkReplaceable, isAsListed, listFiles, replaceFolder } from "../made-folder.js";
import { DATASET_FORMAT, MANIFEST_FILE } from "../manifest.js";
import { mapAhead } from "../map-ahead.js";
import { SPLITS, type Split } from "../record.js";
import { asTyped } from "./as-typed.js";
import { assignSplits, type Drawable } from "./assign-splits.js";
import { checkMapping } from "./check-mapping.js";
import { splitNotes, surveyNotes } from "./import-notes.js";
import type { Mapping } from "./mapping.js";
import { withNormalNames } from "./normal-names.js";
import { splitIn } from "./places.js";
import { whyNoClass } from "./propose-class.js";
import { proposeMapping } from "./propose-mapping.js";
import { parseMapping } from "./read-mapping.js";
import { type ReadSample, readSample } from "./read-sample.js";
import { type Source, type Survey, survey } from "./survey.js";
import { readAnnotations } from "./tools.js";

export interface ImportOptions {
  /** The tool, for all sources; else each is guessed. */
  readonly from?: string;
  /** Folder of the images, where an export does not tell it. */
  readonly images?: string;
  /** Text of a mapping file, and its name for messages; else one is proposed. */
  readonly mapping?: { readonly text: string; readonly file: string };
  /** Reads everything and writes nothing. */
  readonly dryRun?: boolean;
  /** Links to the images instead of copies. */
  readonly link?: boolean;
  /** Leaves out images that are absent or cannot be read, instead of ending there. */
  readonly skipBad?: boolean;
  readonly onProgress?: (share: number, text: string) => void;
  readonly signal?: AbortSignal;
}

export interface ImportReport {
  readonly directory: string;
  readonly sources: readonly {
    readonly name: string;
    readonly tool: string;
    readonly images: number;
    readonly licence?: string;
  }[];
  readonly samples: Readonly<Record<Split, number>>;
  /** The mapping file's text, and where it was proposed the reasons. */
  readonly mapping: string;
  readonly reasons: readonly string[];
  /** Marks by category, before the mapping. */
  readonly categories: readonly {
    readonly name: string;
    readonly images: number;
    readonly tags: number;
    readonly boxes: number;
    readonly areas: number;
    readonly ignored: number;
  }[];
  /** By aspect and for `class`, images that are labelled, empty (of aspects), and unlabelled. */
  readonly heads: Readonly<Record<string, { labelled: number; empty: number; unlabelled: number }>>;
  /** What was left out or changed, one sentence each. */
  readonly notes: readonly string[];
}

const LIST = ".aspectlens-imported";
export const MAPPING_FILE = "mapping.yaml";
/** The user edits it and imports again. */
const LISTED = { list: LIST, except: [MAPPING_FILE] };

/**
 * Reads all, proposes a mapping where none is given, and writes the dataset to a temporary folder beside `directory`
 * that is renamed when it is complete. An earlier import there is replaced; any other content is left alone.
 *
 * @throws DatasetError, ImageError, ConfigError in one line with the file, the place and the cure.
 * @throws InterruptedError where `signal` aborts; nothing is left.
 */
export async function importAnnotations(
  sources: readonly string[],
  directory: string,
  options: ImportOptions = {},
): Promise<ImportReport> {
  const { from, images, dryRun = false, link = false, skipBad = false, onProgress, signal } = options;
  const target = resolve(directory);
  const label = { ...LISTED, label: directory };
  if (!dryRun) await checkReplaceable(target, label);
  const renamed = new Set<string>();
  const sets = await readSources(sources, { from, images, onRenamed: (name) => renamed.add(name) });
  const imageCount = sets.reduce((sum, { set }) => sum + set.images.length, 0);
  if (imageCount === 0) {
    const left = sets.flatMap(({ set }) => set.left);
    throw new DatasetError(`${sources.join(", ")}: no image${leftText(left)}.`, { cure: "Name another folder." });
  }
  let done = 0;
  let goodCount = imageCount;
  const step = (text: string, parts: number) => {
    if (signal?.aborted) throw new InterruptedError(`${directory}: interrupted; nothing was written.`);
    done++;
    onProgress?.(
      done / (imageCount + goodCount),
      `${text} ${parts === 1 ? `${done} of ${imageCount}` : `${done - imageCount} of ${goodCount}`}`,
    );
  };
  const found = await survey(sets, { skipBad, onImage: () => step("reading", 1), signal });
  if (found.imageCount === 0)
    throw new DatasetError(`${sources.join(", ")}: no image could be read (${found.bad[0].what.replace(/\.$/, "")}).`, {
      cure: "Name the folder of the images with --images.",
    });
  goodCount = found.imageCount;
  const name = basename(resolve(sources[0])).replace(/\.(json|xml|yaml|csv)$/i, "") || "imported";
  const proposal = options.mapping ? undefined : proposeMapping(found, name);
  const { text, file } = options.mapping ?? { text: proposal?.text ?? "", file: MAPPING_FILE };
  const { mapping, root } = parseMapping(text, file);
  if (!dryRun) await checkMappingKept(target, text, directory);
  const typed = [...sources, ...(images === undefined ? [] : [images])];
  const notes = [
    ...sets.flatMap(({ set }) => set.notes ?? []),
    ...checkMapping(mapping, found, root),
    ...surveyNotes(found),
    ...[...renamed].map((name) => `${JSON.stringify(name)}: written with separate accents; taken as one name (NFC)`),
  ].map((note) => asTyped(note, typed));
  const { classes } = mapping;
  if (!classes)
    throw new DatasetError(`${sources.join(", ")}: nothing in it tells a class${whyNot(found)}.`, {
      cure: 'Say in a mapping file what the class is, under "class", or add a source that tells it.',
    });
  const temporary = temporaryName(target);
  const tally = tallyOf(mapping);
  const drawable: Drawable[] = [];
  try {
    if (!dryRun) {
      await removeAbandoned(dirname(target), { of: target });
      await makeFolder(temporary);
    }
    const lines = dryRun ? undefined : await open(join(temporary, "lines.tmp"), "w");
    try {
      for (const source of found.sources) {
        const folder = sets.length > 1 ? `${source.name}/` : "";
        const read = (image: (typeof source.set.images)[number]) =>
          readSample(image, {
            source,
            mapping,
            folder,
            ...(!dryRun && { write: (path, bytes) => put(temporary, path, bytes) }),
          }).then(async (sample) => {
            if (!dryRun) await bring(sample.file, join(temporary, sample.record.image), { link });
            return sample;
          });
        for await (const sample of mapAhead(source.set.images, read, { ahead: 8, concurrency: 4 })) {
          step("writing", 2);
          tally.add(sample);
          const split = sample.split === undefined ? undefined : (splitIn(sample.split)?.split as Split | undefined);
          drawable.push({ labels: sample.labels, groups: sample.record.groups ?? {}, ...(split && { split }) });
          const record = { ...sample.record, ...(sets.length > 1 && { source: source.name }) };
          await lines?.write(`${JSON.stringify(record)}\n`);
        }
      }
    } finally {
      await lines?.close();
    }
    const splits = assignSplits(drawable, mapping.splits);
    const report = {
      directory,
      sources: found.sources.map(({ name, set }) => {
        const licence = mapping.licences[name] ?? set.licence;
        return { name, tool: set.tool, images: set.images.length, ...(licence && { licence }) };
      }),
      samples: Object.fromEntries(
        SPLITS.map((split) => [split, splits.filter((one) => one === split).length]),
      ) as Record<Split, number>,
      mapping: text,
      reasons: proposal?.reasons ?? [],
      categories: found.categories.map(({ name, imageCount, tagCount, boxCount, areaCount, ignoredCount }) => ({
        ...{ name, images: imageCount, tags: tagCount, boxes: boxCount, areas: areaCount, ignored: ignoredCount },
      })),
      heads: tally.heads,
      notes: [...notes, ...tally.notes(), ...splitNotes(drawable, splits, mapping.splits)],
    };
    if (dryRun) return report;
    await addSplits(temporary, splits);
    await writeJson(join(temporary, MANIFEST_FILE), {
      format: DATASET_FORMAT,
      name: mapping.name,
      task: classes.task,
      classes: classes.classes.map(({ name }) => name),
      samples: "samples.jsonl",
      aspects: mapping.aspects.map(({ name, kind }) => ({ name, kind })),
      ...(link && { allowLinks: true }),
      sources: report.sources.map(({ images: _, ...source }) => source),
    });
    await writeFileAtomic(join(temporary, MAPPING_FILE), text);
    await listFiles(temporary, LISTED);
    await checkReplaceable(target, label);
    await replaceFolder(target, temporary);
    return report;
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw refused(directory, error);
  }
}

async function readSources(
  paths: readonly string[],
  { onRenamed, ...options }: { from?: string; images?: string; onRenamed: (name: string) => void },
): Promise<Source[]> {
  const sources: Source[] = [];
  for (const path of paths) {
    const set = withNormalNames(await readAnnotations(path, options), onRenamed);
    const base = basename(resolve(path)).replace(/\.[^.]*$/, "");
    let name = base;
    for (let count = 2; sources.some((other) => other.name === name); count++) name = `${base}-${count}`;
    sources.push({ name, set });
  }
  return sources;
}

/** @throws DatasetError where the user has changed the mapping in the folder, and it would be lost. */
async function checkMappingKept(target: string, text: string, directory: string): Promise<void> {
  const there = await readFile(join(target, MAPPING_FILE), "utf8").catch(() => undefined);
  if (there === undefined || there === text || (await isAsListed(target, MAPPING_FILE, LISTED))) return;
  const file = `${directory}/${MAPPING_FILE}`;
  throw new DatasetError(`${file}: was changed, and would be overwritten.`, {
    cure: `Import with --mapping ${file}, or move it away.`,
    file,
  });
}

async function put(folder: string, path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), bytes);
}

async function bring(from: string, to: string, { link }: { link: boolean }): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  if (link) await symlink(resolve(from), to);
  else await copyFile(from, to, constants.COPYFILE_FICLONE);
}

/** Copies the lines, one at a time, with their splits. */
async function addSplits(folder: string, splits: readonly Split[]): Promise<void> {
  const out = await open(join(folder, "samples.jsonl"), "w");
  try {
    let at = 0;
    for await (const { bytes } of readLines(join(folder, "lines.tmp"))) {
      const { image, ...rest } = JSON.parse(Buffer.from(bytes).toString("utf8"));
      await out.write(`${JSON.stringify({ image, split: splits[at++], ...rest })}\n`);
    }
  } finally {
    await out.close();
  }
  await rm(join(folder, "lines.tmp"));
}

function whyNot(found: Survey): string {
  const { categories, annotatedCount, left } = found;
  if (annotatedCount === 0) return ": no image is annotated";
  const why = whyNoClass(found);
  if (why !== undefined) return `: ${why}`;
  const isIgnored = categories.some(({ ignoredCount }) => ignoredCount > 0);
  const what = isIgnored ? "every mark is to be ignored, as crowds are" : "nothing is marked";
  return `: ${what}${leftText([...left.keys()])}`;
}

/** The first of what was left out, since it may be why nothing else is there. */
function leftText(left: readonly string[]): string {
  const [first, second] = new Set(left);
  return first === undefined ? "" : ` (left out: ${first}${second === undefined ? "" : ", and more"})`;
}

/** Counts of what the samples say. */
function tallyOf(mapping: Mapping) {
  const heads: Record<string, { labelled: number; empty: number; unlabelled: number }> = {};
  for (const name of ["class", ...mapping.aspects.map((aspect) => aspect.name)])
    heads[name] = { labelled: 0, empty: 0, unlabelled: 0 };
  const counts = { partlyKnown: 0, clipped: 0, outside: 0, small: 0, scaled: 0 };
  return {
    heads,
    add: ({ states, isPartlyKnown, clippedCount, outsideCount, smallCount, isScaled }: ReadSample) => {
      for (const [name, state] of Object.entries(states)) heads[name][state]++;
      counts.clipped += clippedCount;
      counts.outside += outsideCount;
      counts.small += smallCount;
      if (isPartlyKnown) counts.partlyKnown++;
      if (isScaled) counts.scaled++;
    },
    notes: () => {
      const { partlyKnown, clipped, outside, small, scaled } = counts;
      return [
        ...(partlyKnown > 0
          ? [
              `images without a class, since only a part of their labels is known (others are blank, or they ` +
                `are to be ignored) and a list of labels says that all others are absent: ${partlyKnown}`,
            ]
          : []),
        ...(scaled > 0
          ? [`${scaled} images have another size than their annotations were made at; these were scaled`]
          : []),
        ...(clipped > 0 ? [`${clipped} boxes reached out of their image and were cut off at its edge`] : []),
        ...(outside > 0 ? [`${outside} marks without extent or outside of their image are left out`] : []),
        ...(small > 0 ? [`${small} objects cover no pixel's centre; the pixel in their middle is marked`] : []),
      ];
    },
  };
}
