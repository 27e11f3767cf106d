/** How an explanation is asked for, and whether the model allows it. */

import type { Model } from "../../model/model.js";
import type { MethodChoice } from "../explanation.js";
import { checkPair, methodOf } from "../methods.js";
import { checkCam, checkTaps } from "./explained-taps.js";
import type { MappingOf } from "./mapping/mapping.js";

export interface ExplainOptions extends Omit<MethodChoice, "mapping"> {
  readonly mapping?: MethodChoice["mapping"] | MappingOf;
}

/**
 * Fills in the defaults.
 *
 * @throws ConfigError as `checkTaps`, `checkPair` and `checkCam`.
 */
export function checkOptions(model: Model, options: ExplainOptions) {
  const { mapping = "identity", tap, target, isLogit } = options;
  const { saliency, masking } = methodOf(options);
  checkPair(saliency, masking, { atInput: tap === "input" });
  checkTaps(model, { tap, target });
  if (saliency === "cam") checkCam(model, { tap, target });
  return { saliency, masking, mapping, tap, target, isLogit };
}
