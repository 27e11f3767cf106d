/** PASCAL VOC: an XML file an image, lists of images, masks. Also as LabelImg and other tools write it. */

import { join } from "node:path";
import { glob } from "tinyglobby";
import { DatasetError } from "../../core/errors.js";
import { isFolder } from "../../core/files.js";
import type { AnnotatedImage, AnnotationReader } from "./annotated-set.js";
import { beginning } from "./beginning.js";
import { findPlaces, placeBelow, toName } from "./places.js";
import { readVocLists } from "./voc-lists.js";
import { findVocMasks } from "./voc-masks.js";
import { vocAnnotations } from "./voc-xml.js";
import { child, readXml } from "./xml.js";

export const VOC: AnnotationReader = {
  tool: "voc",
  recognizes: async (source) => {
    if (!(await isFolder(source))) return false;
    const [first] = await xmlFiles(source);
    if (first === undefined) return (await glob("**/SegmentationClass/*.png", { cwd: source })).length > 0;
    const start = await beginning(join(source, first));
    return /<annotation[\s>]/.test(start) && !/<(polygon|imagesize|sourceImage)[\s>]/.test(start);
  },
  read: async (source, { images: folder }) => {
    const files = new Map<string, string>();
    for (const file of await xmlFiles(source)) {
      const id = file.replace(/^(.*\/)?annotations\//i, "").replace(/\.xml$/i, "");
      const other = files.get(id);
      if (other !== undefined)
        throw new DatasetError(`${join(source, file)}: annotates the same image as ${other}.`, {
          cure: "Import each folder as a source of its own.",
        });
      files.set(id, join(source, file));
    }
    const [lists, masks, places] = await Promise.all([
      readVocLists(source),
      findVocMasks(source),
      findPlaces(source, folder, { without: ["**/Segmentation{Class,Object}/**"] }),
    ]);
    if (files.size === 0 && masks.images.length === 0 && lists.tags.size === 0)
      throw new DatasetError(`${source}: has no VOC annotations.`, { cure: "Name the folder above Annotations." });
    const masked = new Set(masks.images);
    const ids = new Set([...lists.splits.keys(), ...files.keys(), ...masked]);
    const found = new Set<string>();
    const images: AnnotatedImage[] = [];
    for (const id of ids) {
      const file = files.get(id);
      const path = places.find(id) ?? (file === undefined ? undefined : await fileNamedIn(file, places.find));
      const tags = (lists.tags.get(id) ?? []).map(({ category, isIgnored }) => ({
        category,
        shape: { kind: "image" as const },
        ...(isIgnored && { isIgnored }),
      }));
      if (path !== undefined) found.add(path);
      const split = lists.splits.get(id);
      images.push({
        path: path ?? placeBelow(source, `${id}.jpg`),
        name: toName(folder ?? source, path ?? placeBelow(source, `${id}.jpg`)),
        ...(split !== undefined && { split }),
        isAnnotated: file !== undefined || masked.has(id) || lists.tags.has(id),
        annotations: async () => {
          const xml = file === undefined ? undefined : vocAnnotations(await readXml(file), file);
          return { ...xml, objects: [...(xml?.objects ?? []), ...(await masks.objectsOf(id)), ...tags] };
        },
      });
    }
    // Where no list says which images belong to the set, all do.
    const others = lists.splits.size > 0 ? [] : places.files.filter((file) => !found.has(file));
    for (const path of others)
      images.push({
        path,
        name: toName(folder ?? source, path),
        isAnnotated: false,
        annotations: async () => ({ objects: [] }),
      });
    return { tool: "voc", source, categories: lists.classes, images, left: [] };
  },
};

async function xmlFiles(folder: string): Promise<string[]> {
  const files = await glob("**/*.xml", { cwd: folder, onlyFiles: true, caseSensitiveMatch: false });
  // Some sets hold other XML beside the annotations.
  const own = files.filter((file) => /(^|\/)annotations\//i.test(file));
  return (own.length > 0 ? own : files).sort();
}

/** Files that were renamed still hold the name that the image has. */
async function fileNamedIn(file: string, find: (name: string) => string | undefined): Promise<string | undefined> {
  const name = child(await readXml(file), "filename")?.text;
  return name ? find(name) : undefined;
}
