/** Finds the native TensorFlow.js that a user may have installed: the GPU build, else the CPU one. */

import { createRequire } from "node:module";
import * as tf from "@tensorflow/tfjs";
import { MissingEngineError } from "../core/errors.js";
import { firstLine } from "../core/message-text.js";

const packages = ["@tensorflow/tfjs-node-gpu", "@tensorflow/tfjs-node"] as const;

// Both are CommonJS and optional peers, whose types may be missing.
const require = createRequire(import.meta.url);

/**
 * Loads the first that is installed and leaves the caller's backend as it was.
 *
 * @returns the name of the backend that it registered.
 * @throws MissingEngineError with the command that installs it, or, where one is installed but does not load, with the
 *   reason.
 */
export async function loadTfjsNode(): Promise<string> {
  const installed = packages.find(isInstalled);
  if (!installed) {
    throw new MissingEngineError("engine tfjs: TensorFlow.js for Node is not installed.", {
      cure:
        "Run: npm install @tensorflow/tfjs-node-gpu@4.22.0 (NVIDIA GPU) or npm install @tensorflow/tfjs-node@4.22.0; " +
        "or use --engine onnx.",
    });
  }
  const before = tf.getBackend();
  try {
    require(installed);
  } catch (cause) {
    const reason = firstLine(cause);
    throw new MissingEngineError(`engine tfjs: ${installed} is installed but does not load: ${reason}`, {
      cure: "Use --engine onnx.",
      cause,
    });
  } finally {
    await tf.setBackend(before); // The package makes itself the backend.
  }
  return "tensorflow";
}

/** True if the package is installed, whether it loads or not. */
function isInstalled(name: string): boolean {
  try {
    require.resolve(name);
    return true;
  } catch {
    return false;
  }
}
