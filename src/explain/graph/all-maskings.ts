/** One saliency method with every masking that it has, as one function: the gradients are the same for all. */

import * as tf from "@tensorflow/tfjs";
import { maskedAspect, maskingPort } from "../../core/graph-ports.js";
import type { NdArrays } from "../../core/nd-array.js";
import type { TensorFunction } from "../../engine/engine.js";
import type { Model } from "../../model/model.js";
import { type MaskingName, maskingsOf } from "../methods.js";
import { explanationOutputs } from "./explain-function.js";
import { checkOptions, type ExplainOptions } from "./options.js";
import { explanationSteps } from "./steps.js";

/**
 * `explainFunction` with one more output an aspect and masking, `<aspect>/masked/<masking>`; it is never exported.
 *
 * @throws ConfigError as `checkOptions`, at once.
 */
export function allMaskings(model: Model, options: Omit<ExplainOptions, "masking"> = {}): TensorFunction {
  const { saliency, tap } = checkOptions(model, options);
  const maskings = maskingsOf(saliency, { atInput: tap === "input" });
  return (given) =>
    tf.tidy(() => {
      const steps = explanationSteps(model, given, options);
      const outputs = explanationOutputs(model, steps);
      for (const masking of maskings) {
        for (const [name, answer] of Object.entries(steps.maskedBy(masking)))
          outputs[maskingPort(name, masking)] = answer;
      }
      return { outputs };
    });
}

/** The outputs as `explainFunction` with one of the maskings gives them. */
export function withMasking(outputs: NdArrays, masking: MaskingName): NdArrays {
  const chosen = Object.entries(outputs).map(([name, array]) => {
    const aspect = maskedAspect(name);
    return [name, aspect === undefined ? array : outputs[maskingPort(aspect, masking)]] as const;
  });
  return Object.fromEntries(chosen);
}
