/** What a model says of images, for annotation tools: one COCO file, and Label Studio's tasks with predictions. */

import { type FileHandle, open, writeFile } from "node:fs/promises";
import { openCocoWriter } from "./coco-writer.js";
import { labelConfig, localFile, resultsOf } from "./export-label-studio.js";
import type { MarkNames } from "./export-writer.js";
import type { ExportedMark } from "./exported-sample.js";

export type PredictedMark = ExportedMark & {
  /** 0..1: how sure it is. */
  readonly score: number;
  /** What else is said of it. */
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Too doubtful to be the beginning of an annotation: in COCO alone. */
  readonly isDerived: boolean;
};

export interface PredictedImage {
  /** Its path, relative to the folder of the files. */
  readonly path: string;
  /** Pixels of the upright image. */
  readonly width: number;
  readonly height: number;
  /** Categories that the image as a whole has. */
  readonly tags: readonly string[];
  readonly marks: readonly PredictedMark[];
  /** How sure the answer is, 0..1. */
  readonly score?: number;
  /** What is said of the image as a whole. */
  readonly attributes: Readonly<Record<string, unknown>>;
}

export interface PredictionFiles {
  readonly coco: string;
  readonly tasks: string;
  /** Label Studio's labelling configuration. */
  readonly config: string;
}

export interface PredictionWriter {
  add(image: PredictedImage): Promise<void>;
  finish(): Promise<void>;
  /** Ends the files as they are; nothing after `finish`. */
  close(): Promise<void>;
}

/** @param files where they are written. @param options.model its name, Label Studio's `model_version`. */
export async function openPredictions(
  files: PredictionFiles,
  { names, model }: { names: MarkNames; model: string },
): Promise<PredictionWriter> {
  const aspects = [...names.masks, ...names.boxes, ...names.tags.filter((tag) => !isClass(tag, names))];
  const coco = await openCocoWriter(
    files.coco,
    aspects.map((name, at) => ({ id: at + 1, name, supercategory: "aspect" })),
  );
  const tasks: FileHandle = await open(files.tasks, "w").catch(async (cause: unknown) => {
    await coco.close();
    throw cause;
  });
  await tasks.write("[");
  let count = 0;
  let isOpen = true;
  const closeTasks = async () => {
    if (isOpen) await tasks.close();
    isOpen = false;
  };
  return {
    add: async (image) => {
      const { path: name, width, height, marks, attributes } = image;
      const id = coco.addImage({ name, width, height, absent: [], more: { attributes } });
      for (const mark of marks) {
        const { score, attributes: own } = mark;
        await coco.addMark(id, mark, { score, attributes: own });
      }
      const task = taskOf(image, { id: ++count, names, model });
      await tasks.write(`${count === 1 ? "" : ","}\n${JSON.stringify(task)}`);
    },
    finish: async () => {
      await coco.finish();
      await tasks.write("\n]\n");
      await closeTasks();
      await writeFile(files.config, labelConfig(names));
    },
    close: async () => {
      await coco.close();
      await closeTasks();
    },
  };
}

function isClass(tag: string, { classes }: MarkNames): boolean {
  return [...classes.values()].includes(tag);
}

function taskOf(
  { path, marks, score, attributes, ...image }: PredictedImage,
  { id, names, model }: { id: number; names: MarkNames; model: string },
): object {
  const said = { ...image, marks: marks.filter(({ isDerived }) => !isDerived), absent: [] };
  const result = resultsOf(said, { id, names }).map(({ result, mark }) =>
    mark ? { ...result, score: mark.score, meta: { text: textOf(mark.attributes) } } : result,
  );
  return {
    ...{ id, data: { image: localFile(path) }, meta: attributes },
    predictions: [{ model_version: model, ...(score !== undefined && { score }), result }],
  };
}

/** What Label Studio shows of a region. */
function textOf(attributes: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(attributes).map(([name, value]) => `${name} ${value}`);
}
