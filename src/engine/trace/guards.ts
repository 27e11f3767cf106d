/**
 * Replaces global functions while a function is traced, and always restores them: random numbers, two gradients, scope
 * hooks.
 */

import {
  engine,
  type GradConfig,
  getGradient,
  registerGradient,
  type Tensor,
  unregisterGradient,
  Variable,
} from "@tensorflow/tfjs";
import { TraceError } from "../../core/errors.js";
import { RELU_GRAD } from "./activation.js";

/** Operations that use another generator if they get a seed, so that replacing `Math.random` does not catch them. */
const RANDOM_OPERATIONS = new Set([
  "rand",
  "randomGamma",
  "randomNormal",
  "randomStandardNormal",
  "randomUniform",
  "randomUniformInt",
  "truncatedNormal",
  "multinomial",
]);

/** Replaces the functions; the result restores them and disposes tensors that the traced function kept. */
export function guard(): () => void {
  const undo = [guardRandom(), guardOperations(), guardGradients(), guardStack(), guardTensors()];
  return () => {
    for (const one of undo.reverse()) one();
  };
}

function frozen(what: string): TraceError {
  return new TraceError(
    `${what} draws random numbers, which would be frozen into the graph. Draw them outside and pass them as inputs.`,
  );
}

function guardRandom(): () => void {
  const { random } = Math;
  Math.random = () => {
    throw frozen(currentOperation() ?? "Math.random");
  };
  return () => {
    Math.random = random;
  };
}

/** Every operation opens a scope of its name, `<operation>__op`: the one place that sees seeded draws too. */
function guardOperations(): () => void {
  const tracked = engine();
  const { startScope } = tracked;
  tracked.startScope = (name?: string) => {
    const operation = name?.endsWith("__op") ? name.slice(0, -4) : "";
    if (RANDOM_OPERATIONS.has(operation)) throw frozen(`tf.${currentOperation() ?? operation}`);
    startScope.call(tracked, name);
  };
  return () => {
    tracked.startScope = startScope;
  };
}

/** The outermost TensorFlow.js operation that runs now, if any. */
function currentOperation(): string | undefined {
  const operation = engine().state.scopeStack.find((scope) => scope.name?.endsWith("__op"));
  return operation?.name.slice(0, -4);
}

/**
 * Gradients of Relu and Relu6 from their output, which is kept anyway, through a kernel of ours. At an output of
 * exactly 6 the gradient is 0 (TensorFlow.js: 1).
 */
function guardGradients(): () => void {
  const before: GradConfig[] = [];
  for (const [kernelName, limit] of [
    ["Relu", Number.POSITIVE_INFINITY],
    ["Relu6", 6],
  ] as const) {
    const gradient = getGradient(kernelName);
    if (gradient) {
      before.push(gradient);
      unregisterGradient(kernelName);
    }
    registerGradient({
      kernelName,
      outputsToSave: [true],
      gradFunc: (dy, [y]) => ({ x: () => engine().runKernel(RELU_GRAD, { dy: dy as Tensor, y }, { limit }) }),
    });
  }
  return () => {
    for (const kernelName of ["Relu", "Relu6"]) unregisterGradient(kernelName);
    for (const gradient of before) registerGradient(gradient);
  };
}

/** Errors name the caller's line, which lies deep below TensorFlow.js' own frames. */
function guardStack(): () => void {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = Math.max(stackTraceLimit, 60);
  return () => {
    Error.stackTraceLimit = stackTraceLimit;
  };
}

/** Tensors made while tracing are invalid afterwards: those that the function kept are disposed too. */
function guardTensors(): () => void {
  const tracked = engine();
  const { trackTensor } = tracked;
  const mine = new Set<Tensor>();
  const variablesBefore = new Set<Tensor>(Object.values(tracked.registeredVariables));
  tracked.trackTensor = (tensor, backend) => {
    if (!variablesBefore.has(tensor)) mine.add(tensor);
    trackTensor.call(tracked, tensor, backend);
  };
  return () => {
    tracked.trackTensor = trackTensor;
    for (const tensor of mine) if (!tensor.isDisposed && !(tensor instanceof Variable)) tensor.dispose();
    for (const variable of Object.values(tracked.registeredVariables)) {
      if (mine.has(variable)) variable.dispose();
    }
  };
}
