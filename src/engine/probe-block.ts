/**
 * How many channels a block of ONNX Runtime's NCHWc form has on this processor: 16 with AVX-512, 8 elsewhere, or none.
 */

import { ndArray } from "../core/nd-array.js";
import type { Runtime } from "./session.js";
import { createGraph } from "./trace/graph.js";
import { reorderInput } from "./trace/nchwc.js";
import { encodeModel } from "./trace/onnx-encoding.js";

const CHANNELS = 64;

/**
 * Reorders the channels of a two-pixel image and counts how many are stored together.
 *
 * @returns 0 if the runtime has no such form, or an unknown one.
 */
export async function probeBlock(runtime: Runtime): Promise<number> {
  const graph = createGraph();
  const value = reorderInput(graph, "x", { channelsLast: false });
  graph.nodes[0].outputs = ["y"];
  graph.producers.delete(value);
  const shape = [1, CHANNELS, 1, 2];
  const ports = (name: string) => [{ name, shape, dtype: "float32" as const }];
  const model = encodeModel(graph, { inputs: ports("x"), outputs: ports("y"), name: "probe" });
  const numbers = Float32Array.from({ length: CHANNELS * 2 }, (_, index) => index); // [channel, pixel]
  try {
    const session = await runtime.createSession(model, { name: "probe" });
    const { y } = await session.run({ x: ndArray(shape, numbers) });
    await session.dispose();
    const block = y.data.indexOf(1); // The second pixel of channel 0 follows the first pixel of a block's channels.
    const expected = (index: number) => {
      const [group, pixel, channel] = [Math.floor(index / (2 * block)), Math.floor(index / block) % 2, index % block];
      return (group * block + channel) * 2 + pixel;
    };
    return block > 1 && y.data.every((value, index) => value === expected(index)) ? block : 0;
  } catch {
    return 0;
  }
}
