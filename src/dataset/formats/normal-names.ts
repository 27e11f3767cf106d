/** Category names in one form of Unicode (NFC): the same letters are the same name, however a system stores them. */

import type { AnnotatedImage, AnnotatedSet } from "./annotated-set.js";

/**
 * @returns the set with its names in NFC.
 * @param onChanged called with each name that was not, in NFC.
 */
export function withNormalNames(set: AnnotatedSet, onChanged: (name: string) => void): AnnotatedSet {
  const normal = (name: string) => {
    const changed = name.normalize();
    if (changed !== name) onChanged(changed);
    return changed;
  };
  const toImage = (image: AnnotatedImage): AnnotatedImage => ({
    ...image,
    annotations: async () => {
      const found = await image.annotations();
      const objects = found.objects.map((object) => ({ ...object, category: normal(object.category) }));
      return { ...found, objects, ...(found.absent && { absent: found.absent.map(normal) }) };
    },
  });
  return { ...set, categories: [...new Set(set.categories.map(normal))], images: set.images.map(toImage) };
}
