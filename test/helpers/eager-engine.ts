/** On what the eager engine is tested: the cpu backend, which is always there, or the tfjs-node that `.ci/run` builds. */

import type { Engine } from "../../src/engine/engine.js";
import { createTfjsEngine } from "../../src/engine/tfjs-engine.js";

const wanted = process.env.ASPECTLENS_TEST_EAGER ?? "cpu";
if (wanted !== "cpu" && wanted !== "tfjs-node") {
  throw new Error(`ASPECTLENS_TEST_EAGER: expected cpu or tfjs-node, got ${wanted}.`);
}

/** The backend's name in TensorFlow.js. */
export const eagerBackend = wanted === "cpu" ? "cpu" : "tensorflow";

/** Where tfjs-node is wanted and absent, this fails: nothing passes on another backend in its place. */
export const createEagerEngine = (): Promise<Engine> =>
  createTfjsEngine(eagerBackend === "cpu" ? { backend: "cpu" } : {});
