/** Selects an engine by the user's choice. */

import type { RuntimeOptions } from "./devices.js";
import type { Engine } from "./engine.js";

/** `auto` is `onnx`: it needs nothing but npm. */
export const engineChoices = ["auto", "onnx", "tfjs"] as const;
export type EngineChoice = (typeof engineChoices)[number];

/**
 * @param options runtime options, which only the onnx engine uses.
 * @throws MissingEngineError where `tfjs` is asked for and not installed.
 */
export async function selectEngine({
  engine = "auto",
  ...options
}: RuntimeOptions & { engine?: EngineChoice } = {}): Promise<Engine> {
  if (engine === "tfjs") {
    const { createTfjsEngine } = await import("./tfjs-engine.js");
    return createTfjsEngine();
  }
  const { createOnnxEngine } = await import("./onnx-engine.js");
  return createOnnxEngine(options);
}
