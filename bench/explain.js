/** Time of one explanation, beside PyTorch doing exactly the same: `npm run build && node bench/explain.js`. */

import { explainedTaps, explainFunction, exportGraph, ndArray, openRuntime } from "./built.js";
import { compare, writeResults } from "./harness.js";
import { freshParameters, mobileNet, normal, pixels } from "./models.js";
import { openPeer } from "./peer.js";

const rows = [];
for (const { alpha, inputSize, classes } of [
  { alpha: 1, inputSize: 224, classes: 1000 },
  { alpha: 0.25, inputSize: 128, classes: 1000 },
]) {
  const model = mobileNet({ alpha, inputSize, classes, masks: 2 });
  const references = explainedTaps(model).map((tap) => {
    const channels = model.trunk.taps.find(({ name }) => name === tap)?.channels ?? 0;
    const { shape, data } = normal([classes + 1, channels], tap);
    return [`reference/${tap}`, { shape, data: data.map(Math.abs) }];
  });
  const shapes = { image: [1, inputSize, inputSize, 3], target: [1, classes] };
  const graph = exportGraph(explainFunction(model), {
    name: "explain",
    inputs: shapes,
    constants: { ...freshParameters(model, { isFolded: true }), ...Object.fromEntries(references) },
  });
  const runtime = openRuntime();
  const session = await runtime.createSession(graph, { name: "explain" });
  const inputs = { image: pixels(shapes.image), target: ndArray(shapes.target) };
  const peer = await openPeer("explain.py", { alpha, inputSize, classes, masks: 2 });
  const work = `explain one image, mobilenet-v1 ${alpha} @${inputSize}, two segmentation heads: unmasked, masked, reference and evidence`;
  rows.push(await compare(work, { engine: "onnx", run: () => session.run(inputs), peer, iterations: 20 }));
  peer?.close();
  await session.dispose();
  await runtime.dispose();
}
await writeResults("explain", rows);
