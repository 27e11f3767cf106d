/** Which layers an explanation reads, and whether they can carry one. */

import { ConfigError } from "../core/errors.js";
import type { Model } from "../model.js";

/** Layers at which the target's evidence is computed, in order of the trunk: those of the aspect heads, and the source. */
export function explainedTaps(model: Model): readonly string[] {
  const read = new Set([...model.aspectTaps, model.spec.source]);
  return model.trunk.taps.map((tap) => tap.name).filter((name) => read.has(name));
}

/**
 * @returns warnings, one line each, about layers whose explanations mean less.
 * @throws ConfigError where the target does not depend on an explained layer: it lies behind all that the classifier reads.
 */
export function checkTaps(model: Model): readonly string[] {
  const order = model.trunk.taps.map((tap) => tap.name);
  const last = Math.max(...model.classifier.spec.taps.map((name) => order.indexOf(name)));
  return explainedTaps(model).flatMap((name) => {
    const readers = model.aspects
      .filter((head) => head.spec.taps.includes(name))
      .map((head) => `head "${head.spec.name}"`);
    const who = readers.length > 0 ? readers.join(", ") : "source";
    if (order.indexOf(name) > last) {
      throw new ConfigError(
        `${who}: the answer does not depend on layer "${name}", which lies behind "${order[last]}", the last that the classifier reads. ` +
          `Choose "${order[last]}" or an earlier layer, such as "${model.trunk.source}".`,
      );
    }
    if (!model.trunk.taps[order.indexOf(name)].isLinear) return [];
    return [
      `${who}: no activation follows layer "${name}", so evidence there is signed and less sharp. Prefer "${model.trunk.source}".`,
    ];
  });
}
