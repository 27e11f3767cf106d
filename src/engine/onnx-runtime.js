/**
 * ONNX Runtime, the only import of it: whoever loads it from here loads it without its telemetry. Plain JavaScript, as
 * the worker.
 */

import "./no-telemetry.js"; // first: modules are evaluated in the order of their imports

export { env, InferenceSession, Tensor } from "onnxruntime-node";
