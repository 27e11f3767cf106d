/** One training that tells its parent, by messages, what it is doing: `training.js CONFIG`; goes on where it stopped. */

import { readConfig, runTraining, selectEngine } from "aspectlens";

/** @param {import("./phases.js").Phase} phase */
const tell = (phase) => process.send?.(phase);

const engine = await selectEngine({ engine: "onnx" });
/** @type {typeof engine} */
const watched = {
  ...engine,
  compile: async (compute, options) => {
    const compiled = await engine.compile(compute, options);
    if (options.name !== "validation") return compiled;
    /** @type {typeof compiled.run} */
    const run = (inputs, how) => {
      tell("validation");
      return compiled.run(inputs, how);
    };
    return { ...compiled, run };
  },
};
await runTraining(await readConfig(process.argv[2]), {
  engine: watched,
  isResumed: true,
  onCache: () => tell("features"),
  onProgress: () => tell("step"),
  onPhase: () => tell("finishing"),
});
await engine.dispose();
process.disconnect?.();
