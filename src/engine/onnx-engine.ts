/** The compiled engine: a function is traced once into a graph, which ONNX Runtime runs in a worker thread. */

import type { NdArray, NdArrays } from "../core/nd-array.js";
import { checkArrays } from "./check-arrays.js";
import type { RuntimeOptions } from "./devices.js";
import type { Engine } from "./engine.js";
import { openRuntime } from "./session.js";

/**
 * Starts the worker; TensorFlow.js, which traces, is loaded with the first `compile`.
 *
 * @param options.form `portable`: standard operators only, also where ONNX Runtime's own are faster.
 */
export async function createOnnxEngine({
  form = "fastest",
  ...options
}: RuntimeOptions & { form?: "fastest" | "portable" } = {}): Promise<Engine> {
  const { device = "cpu", onNotice } = options;
  const runtime = openRuntime(options);
  let found: Promise<number> | undefined;
  /** If weights are constants, ONNX Runtime converts to the blocked form itself; if they change, we do. */
  const blockFor = async (hasState: boolean) => {
    if (!hasState || form === "portable" || device !== "cpu") return 0;
    found ??= import("./blocked-form.js").then(async ({ findBlockedForm }) => {
      const { block, reason } = await findBlockedForm(runtime);
      if (reason) onNotice?.(`training takes about 1.6 times as long as it could: no blocked form (${reason})`);
      return block;
    });
    return found;
  };
  return {
    name: "onnx",

    async compile(fn, options) {
      const { inputs: wanted, state, name = "function" } = options;
      const { compileGraph } = await import("./compile.js");
      const block = await blockFor(state !== undefined);
      const { model, inputs, outputs, reads, writes } = compileGraph(fn, { ...options, block });
      const session = await runtime.createSession(model, { name, state: state && { store: state, reads, writes } });
      return {
        async run(given, options) {
          checkArrays(wanted, given, { owner: name, what: "input" });
          return renamed(await session.run(picked(given, inputs), options), outputs);
        },
        dispose: () => session.dispose(),
      };
    },

    createState: (values) => runtime.createState(values),
    dispose: () => runtime.dispose(),
  };
}

/** The arrays that `names` lists, under their names in the graph. */
function picked(arrays: NdArrays, names: Readonly<Record<string, string>>): NdArrays {
  const entries = Object.entries(names).map(([name, inGraph]): [string, NdArray] => [inGraph, arrays[name]]);
  return Object.fromEntries(entries);
}

/** The reverse: each array under our own name. */
function renamed(arrays: NdArrays, names: Readonly<Record<string, string>>): NdArrays {
  const entries = Object.entries(names).map(([name, inGraph]): [string, NdArray] => [name, arrays[inGraph]]);
  return Object.fromEntries(entries);
}
