/** Reads Label Studio's JSON export: a list of tasks, each an image with the annotations that were made of it. */

import { readdir } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { DatasetError } from "../../core/errors.js";
import { exists, isFolder } from "../../core/files.js";
import { isRecord } from "../../core/json-values.js";
import { shown } from "../../core/message-text.js";
import { openImage } from "../open-image.js";
import { aloneIn } from "./alone-in.js";
import type { AnnotatedImage, AnnotationReader } from "./annotated-set.js";
import { beginning } from "./beginning.js";
import { labelStudioObjects } from "./label-studio-results.js";
import { findPlaces, type ImagePlaces, toName } from "./places.js";
import { readJsonFile } from "./read-json-file.js";
import { readXml } from "./xml.js";

const TOOL = "label-studio";
const CONFIG_FILE = "label_config.xml";

export const LABEL_STUDIO: AnnotationReader = {
  tool: TOOL,
  recognizes: async (source) => (await exportsIn(source)).length > 0,
  read: async (source, { images: given }) => {
    const likely = (await isFolder(source)) ? await exportsIn(source) : [source];
    // A single file that does not look like an export has something wrong, which reading will tell.
    const [file, other] = likely.length > 0 ? likely : await aloneIn(source, /\.json$/i);
    if (file === undefined)
      throw new DatasetError(`${source}: holds no .json with tasks, as Label Studio exports it.`, {
        cure: "Name the file.",
      });
    if (other !== undefined)
      throw new DatasetError(`${source}: holds several exports, as ${basename(file)} and ${basename(other)}.`, {
        cure: "Name one file; each is a source of its own.",
      });
    const tasks = await readJsonFile(file);
    if (!Array.isArray(tasks))
      throw new DatasetError(`${file}: is no list of tasks.`, { cure: 'Export it from Label Studio as "JSON".', file });
    const folder = given ?? dirname(file);
    if (tasks.length === 0) throw new DatasetError(`${file}: holds no task.`, { cure: "Export it again.", file });
    const places = await findPlaces(folder);
    const left: string[] = [];
    const images = tasks.flatMap((task: unknown, index) => toImage(task, { index, file, folder, places, left }));
    checkDistinct(images, file);
    return { tool: TOOL, source, categories: await declaredCategories(file), images, left };
  },
};

/** Tasks do not declare categories; the labelling configuration does, where somebody put it beside them. */
async function declaredCategories(file: string): Promise<string[]> {
  const config = join(dirname(file), CONFIG_FILE);
  if (!(await exists(config)) || (await exportsIn(dirname(file))).length > 1) return [];
  const names = new Set<string>();
  const open = [await readXml(config)];
  for (let element = open.shift(); element; element = open.shift()) {
    const isName = element.name === "Label" || element.name === "Choice";
    if (isName && element.attributes.value) names.add(element.attributes.value);
    open.push(...element.children);
  }
  return [...names];
}

type Json = Record<string, unknown>;

function toImage(
  task: unknown,
  {
    index,
    file,
    folder,
    places,
    left,
  }: { index: number; file: string; folder: string; places: ImagePlaces; left: string[] },
): AnnotatedImage[] {
  const where = `${file}: task ${isRecord(task) && task.id !== undefined ? task.id : index + 1}`;
  if (!isRecord(task)) throw new DatasetError(`${where}: is ${shown(task)}, no object.`, { cure: "Export it again." });
  if (!isRecord(task.data)) {
    const isShort = Array.isArray(task.label) || "annotation_id" in task || "annotator" in task;
    throw new DatasetError(`${where}: has no "data"${isShort ? "; this is the short form, JSON-MIN" : ""}.`, {
      cure: 'Export it as "JSON".',
    });
  }
  const names = namesOf(task, task.data);
  if (names.length === 0) {
    left.push("task: it has no single image");
    return [];
  }
  let path: string | undefined;
  for (const name of names) path ??= places.find(name, { where });
  const annotation = chosen(task, { where, left });
  const at = path ?? resolve(folder, basename(names[0]));
  return [
    {
      path: at,
      name: toName(folder, at),
      ...ownMeta(task),
      isAnnotated: annotation !== undefined,
      annotations: async () => {
        if (annotation === undefined) return { objects: [] };
        if (!Array.isArray(annotation.result))
          throw new DatasetError(`${where}: "result" is ${shown(annotation.result)}, no list.`, {
            cure: "Export it again.",
          });
        const fileSize = async () => (path === undefined ? undefined : openImage(path));
        const found = await labelStudioObjects(annotation.result, { where, fileSize });
        return found;
      },
    },
  ];
}

/**
 * Names under which the image may lie: its path or address, and the file that was uploaded, whose name has a prefix
 * that the original's had not.
 */
function namesOf(task: Json, data: Json): string[] {
  const texts = Object.entries(data).filter((entry): entry is [string, string] => typeof entry[1] === "string");
  const [, address] = texts.find(([key]) => key === "image") ?? texts.find(([, text]) => isImageName(text)) ?? [];
  const given = [address, task.file_upload].filter((name): name is string => typeof name === "string" && name !== "");
  if (address === undefined && !given.some(isImageName)) return [];
  const names = given.map(withoutAddress).filter((name) => basename(name) !== "");
  return [...new Set([...names, ...names.map((name) => basename(name).replace(/^[0-9a-f]{8}-/i, ""))])];
}

/** What our export puts there, and whoever prepares tasks may: `{ "split": "train", "groups": { "patient": "p7" } }`. */
function ownMeta({ meta }: Json): Pick<AnnotatedImage, "split" | "groups"> {
  if (!isRecord(meta)) return {};
  const { split, groups } = meta;
  const isGroups = (value: unknown): value is Record<string, string> =>
    isRecord(value) && Object.values(value).every((name) => typeof name === "string");
  return { ...(typeof split === "string" && { split }), ...(isGroups(groups) && { groups }) };
}

function isImageName(text: string): boolean {
  return /\.(png|jpe?g|webp|tiff?|gif|avif|bmp|heic|heif)(\?|$)/i.test(text);
}

/** `/data/local-files/?d=folder/1.png`, `s3://bucket/1.png`, `https://host/1.png?signature`, percent-encoded. */
function withoutAddress(address: string): string {
  const local = /[?&]d=([^&]+)/.exec(address)?.[1];
  const path = local ?? address.replace(/^[a-z][\w+.-]*:\/\/[^/]*/i, "").replace(/\?.*$/, "");
  try {
    return decodeURIComponent(path);
  } catch {
    return path; // a percent sign of its own
  }
}

/** The annotation that counts: the ground truth if one is marked, else the one that was changed last. */
function chosen(task: Json, { where, left }: { where: string; left: string[] }): Json | undefined {
  const all = task.annotations ?? task.completions ?? [];
  if (!Array.isArray(all) || !all.every(isRecord))
    throw new DatasetError(`${where}: "annotations" is no list of objects.`, { cure: "Export it again." });
  for (const { length } of [task.predictions, task.drafts].filter(Array.isArray))
    for (let count = 0; count < length; count++) left.push("prediction or draft: it is no annotation");
  const done = all.filter((annotation) => {
    const isCancelled = annotation.was_cancelled === true || annotation.skipped === true;
    if (isCancelled) left.push("annotation: it was cancelled");
    return !isCancelled;
  });
  const time = ({ updated_at, created_at }: Json) => {
    const at = updated_at ?? created_at;
    return typeof at === "number" ? at * 1000 : Date.parse(String(at)) || 0;
  };
  const [first, ...others] = done.sort(
    (a, b) => Number(b.ground_truth === true) - Number(a.ground_truth === true) || time(b) - time(a),
  );
  for (const _ of others) left.push("annotation: of several of a task, the ground truth or else the latest is read");
  return first;
}

function checkDistinct(images: readonly AnnotatedImage[], file: string): void {
  const seen = new Set<string>();
  for (const { path } of images) {
    if (seen.has(path))
      throw new DatasetError(`${file}: two tasks are of the same image, ${path}.`, {
        cure: "Remove one, or name the folder of the images with --images.",
        file,
      });
    seen.add(path);
  }
}

async function exportsIn(source: string): Promise<string[]> {
  const files = (await isFolder(source))
    ? (await readdir(source)).filter((name) => /\.json$/i.test(name)).map((name) => join(source, name))
    : [source];
  const found: string[] = [];
  for (const file of files.sort()) {
    const start = await beginning(file);
    const isTasks = /"(annotations|completions|predictions|annotator|annotation_id|file_upload)"/.test(start);
    if (/^\s*\[\s*\{/.test(start.replace(/^\uFEFF/, "")) && isTasks) found.push(file);
  }
  return found;
}
