/** How an explanation is asked for, and whether the model allows it. */

import { ConfigError } from "../../core/errors.js";
import type { Model } from "../../model/model.js";
import type { MethodChoice } from "../explanation.js";
import { checkPair, methodOf } from "../methods.js";
import { innerTargetOf, scaleOf, type Target } from "../target.js";
import { checkCam, checkTaps } from "./explained-taps.js";
import type { MappingOf } from "./mapping/mapping.js";

/** Which saliency method, masking, layer and target an `explainFunction` computes. */
export interface ExplainOptions extends Omit<MethodChoice, "mapping"> {
  readonly mapping?: MethodChoice["mapping"] | MappingOf;
  /** What the graph explains. Of a class only the kind counts: which one is the graph's `target` input. */
  readonly target?: Target;
}

/**
 * Fills in the defaults, and derives from the target what the graph is made for.
 *
 * @throws ConfigError as `checkTaps`, `checkPair` and `checkCam`.
 */
export function checkOptions(model: Model, options: ExplainOptions) {
  const { mapping = "identity", tap, target } = options;
  const { saliency, masking } = methodOf(options);
  checkPair(saliency, masking, { atInput: tap === "input" });
  checkTaps(model, { tap, target });
  if (mapping === "grey" && model.networks.length > 0)
    throw new ConfigError('mapping: "grey" does not reach aspects on networks of their own.', {
      cure: "Leave it out.",
    });
  if (saliency === "cam") checkCam(model, { tap, target });
  const scale = scaleOf(target, model.classifier.spec.task);
  return { saliency, masking, mapping, tap, inner: innerTargetOf(target), scale };
}
