/**
 * ONNX Runtime, imported only here, so that it is always loaded without its telemetry. Plain JavaScript, as the worker.
 */

import "./no-telemetry.js"; // first: modules are evaluated in the order of their imports

export { env, InferenceSession, Tensor } from "onnxruntime-node";
