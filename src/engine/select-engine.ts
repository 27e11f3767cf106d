/** Which engine a user's choice stands for. */

import type { Engine } from "./engine.js";

/** `auto` is `onnx`: it needs nothing but npm. */
export const engineChoices = ["auto", "onnx", "tfjs"] as const;
export type EngineChoice = (typeof engineChoices)[number];

/**
 * @param options.threads for the onnx engine; the other one decides for itself.
 * @param options.onNotice is told, in one line, where the engine does with less than it could.
 * @throws EngineError where `tfjs` is asked for and not installed.
 */
export async function selectEngine({
  engine = "auto",
  threads,
  onNotice,
}: {
  engine?: EngineChoice;
  threads?: number;
  onNotice?: (line: string) => void;
} = {}): Promise<Engine> {
  if (engine === "tfjs") {
    const { createTfjsEngine } = await import("./tfjs-engine.js");
    return createTfjsEngine();
  }
  const { createOnnxEngine } = await import("./onnx-engine.js");
  return createOnnxEngine({ threads, onNotice });
}
