/** Selects an engine by the user's choice. */

import { InputError } from "../core/errors.js";
import { shown } from "../core/message-text.js";
import type { RuntimeOptions } from "./devices.js";
import type { Engine } from "./engine.js";

/** `auto` is `onnx`: it needs nothing but npm. */
export const engineChoices = ["auto", "onnx", "tfjs"] as const;
/** The name of an engine. */
export type EngineChoice = (typeof engineChoices)[number];

/**
 * Opens the engine that computes: ONNX Runtime (`onnx`, also `auto`) or TensorFlow.js for Node (`tfjs`). The caller
 * disposes it.
 *
 * @param options runtime options, which only the onnx engine uses.
 * @throws InputError where there is no such engine, or an option is out of range.
 * @throws MissingEngineError where `tfjs` is asked for and not installed.
 */
export async function selectEngine({
  engine = "auto",
  ...options
}: RuntimeOptions & { engine?: EngineChoice } = {}): Promise<Engine> {
  if (!engineChoices.includes(engine))
    throw new InputError(`engine ${shown(engine)}: expected one of ${engineChoices.join(", ")}.`);
  if (engine === "tfjs") {
    const { createTfjsEngine } = await import("./tfjs-engine.js");
    return createTfjsEngine();
  }
  const { createOnnxEngine } = await import("./onnx-engine.js");
  return createOnnxEngine(options);
}
