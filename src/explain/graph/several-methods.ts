/** Several saliency methods as one function: the network runs once for all, and so do the aspects' gradients. */

import * as tf from "@tensorflow/tfjs";
import { targetPort } from "../../core/graph-ports.js";
import type { NdArrays } from "../../core/nd-array.js";
import type { TensorFunction } from "../../engine/engine.js";
import type { Model } from "../../model/model.js";
import type { SaliencyName } from "../methods.js";
import { removedTargets } from "./evidence-removal.js";
import { explanationOutputs } from "./explain-function.js";
import { checkOptions } from "./options.js";
import { explanationSteps } from "./steps.js";

/**
 * The outputs of each method's `explainFunction`, by `ofMethod`; it is for calibration, and never exported. What the
 * methods have in common is traced for each, and merged by ONNX Runtime.
 *
 * @param options.withRemoval adds the outputs of `removedTargets`, the same for all methods.
 * @throws ConfigError as `checkOptions`, at once.
 */
export function severalMethods(
  model: Model,
  methods: readonly SaliencyName[],
  { withRemoval = false }: { withRemoval?: boolean } = {},
): TensorFunction {
  for (const saliency of methods) checkOptions(model, { saliency });
  return (given) =>
    tf.tidy(() => {
      const outputs: Record<string, tf.Tensor> = {};
      for (const [index, saliency] of methods.entries()) {
        const steps = explanationSteps(model, given, { saliency });
        for (const [name, tensor] of Object.entries(explanationOutputs(model, steps)))
          outputs[methodPort(saliency, name)] = tensor;
        if (withRemoval && index === 0) Object.assign(outputs, removedTargets(steps));
      }
      return { outputs };
    });
}

/** One method's outputs, as its `explainFunction` names them. */
export function ofMethod(outputs: NdArrays, saliency: SaliencyName): NdArrays {
  const prefix = methodPort(saliency, "");
  const own = Object.entries(outputs).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(own.map(([name, array]) => [name.slice(prefix.length), array]));
}

/** The target of one image, without an aspect's evidence, and with the reference in place of it. */
export function targetsOf(outputs: NdArrays, aspect: string): { whole: number; removed: number; referenced: number } {
  return {
    whole: outputs.target.data[0],
    removed: outputs[targetPort(aspect, "removed")].data[0],
    referenced: outputs[targetPort(aspect, "referenced")].data[0],
  };
}

function methodPort(saliency: SaliencyName, name: string): string {
  return `${saliency}>${name}`;
}
