/** A session of a bundle's graph: what goes wrong in it is the bundle's fault, said in our own words. */

import { BundleError, GraphError } from "../core/errors.js";
import { shown } from "../core/message-text.js";
import { notFinite } from "../core/not-finite.js";
import type { Runtime, Session } from "../engine/session.js";

/**
 * @param options.file path of the bundle, and the `name` of the graph's file in it; for errors.
 * @returns a session whose runs throw a BundleError, too, where the graph fails or gives what is no number.
 * @throws BundleError where ONNX Runtime cannot build the graph; its own words are the cause.
 */
export async function openGraph(
  runtime: Runtime,
  model: Uint8Array,
  { file, name }: { file: string; name: string },
): Promise<Session> {
  const source = `${file}: ${name}`;
  const session = await blamed(file, `${source}: cannot be built`, runtime.createSession(model, { name: source }));
  return {
    ...session,
    async run(inputs, options) {
      const outputs = await blamed(file, `${source}: cannot be run`, session.run(inputs, options));
      const wrong = notFinite(outputs);
      if (wrong === undefined) return outputs;
      throw new BundleError(`${source}: gives what is no number (NaN or Infinity) in the output ${shown(wrong)}.`, {
        cure: "Train the model again, or export another.",
        file,
      });
    },
  };
}

async function blamed<Value>(file: string, what: string, work: Promise<Value>): Promise<Value> {
  try {
    return await work;
  } catch (cause) {
    if (!(cause instanceof GraphError)) throw cause;
    throw new BundleError(`${what} by ONNX Runtime.`, {
      cure: "Export the bundle again (--debug shows why).",
      file,
      cause,
    });
  }
}
