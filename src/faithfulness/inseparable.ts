/** Aspects that always come with a class: no explanation can tell them from whatever else the class has. */

import type { GroundTruthComparison } from "../explain/calibration/ground-truth.js";

/** Fewer images with or without an aspect say nothing. */
const LEAST_OF_EACH = 5;

/** Counts, over the images answered right, in which classes each aspect is. */
export function inseparableTally() {
  const images = new Map<string, number>();
  const held = new Map<string, Map<string, number>>();
  const causes = new Set<string>();
  return {
    add(comparison: GroundTruthComparison): void {
      const { prediction } = comparison.explanation;
      if (!comparison.isRight || !("class" in prediction)) return;
      const { class: label } = prediction;
      images.set(label, (images.get(label) ?? 0) + 1);
      for (const name of comparison.causes) causes.add(`${label}/${name}`);
      for (const name of [...comparison.causes, ...comparison.distractors]) {
        const byClass = held.get(name) ?? new Map<string, number>();
        held.set(name, byClass.set(label, (byClass.get(label) ?? 0) + 1));
      }
    },
    /** One sentence for each aspect that all images of one class hold, and no other; its cause is meant to. */
    result(): string[] {
      return [...held].flatMap(([name, byClass]) => {
        const [[label, count], ...others] = [...byClass];
        const without = [...images].reduce((sum, [other, all]) => sum + (other === label ? 0 : all), 0);
        if (others.length > 0 || count !== images.get(label) || causes.has(`${label}/${name}`)) return [];
        if (count < LEAST_OF_EACH || without < LEAST_OF_EACH) return [];
        return [
          `"${name}" is in all ${count} images of "${label}", and in none of the ${without} others: no explanation can ` +
            "tell it from whatever else the class has. Add images with one of them alone.",
        ];
      });
    },
  };
}
