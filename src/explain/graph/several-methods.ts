/** Several saliency methods as one function: the network runs once for all, and so do the aspects' gradients. */

import * as tf from "@tensorflow/tfjs";
import type { NdArrays } from "../../core/nd-array.js";
import type { TensorFunction } from "../../engine/engine.js";
import type { Model } from "../../model/model.js";
import type { SaliencyName } from "../methods.js";
import { answerOutputs, overlapOutputs, pairOutputs } from "./explain-function.js";
import { checkOptions } from "./options.js";
import { explanationSteps } from "./steps.js";

/**
 * What `readScores` reads by each method, by `ofMethod`; it is for calibration, and never exported.
 *
 * @throws ConfigError as `checkOptions`, at once.
 */
export function severalMethods(model: Model, methods: readonly SaliencyName[]): TensorFunction {
  for (const saliency of methods) checkOptions(model, { saliency });
  const [first] = methods;
  return (given) =>
    tf.tidy(() => {
      const steps = explanationSteps(model, given, { saliency: first });
      const outputs = { ...answerOutputs(model, steps), ...pairOutputs(steps) };
      for (const saliency of methods) {
        const taps = saliency === first ? steps.taps : steps.saliencyBy(saliency);
        for (const [name, tensor] of Object.entries(overlapOutputs(taps, steps.aspects)))
          outputs[methodPort(saliency, name)] = tensor;
      }
      return { outputs };
    });
}

/** One method's outputs and what all share, as `explainFunction` names them. */
export function ofMethod(outputs: NdArrays, saliency: SaliencyName): NdArrays {
  const prefix = methodPort(saliency, "");
  const named = Object.entries(outputs).map(([name, array]) => {
    return [name.startsWith(prefix) ? name.slice(prefix.length) : name, array] as const;
  });
  return Object.fromEntries(named);
}

function methodPort(saliency: SaliencyName, name: string): string {
  return `${saliency}>${name}`;
}
