/** Time of one explanation, beside PyTorch doing exactly the same: `npm run build && node bench/explain.js`. */

import { EngineError, explainedTaps, explainFunction, ndArray, selectEngine } from "./built.js";
import { compare, writeResults } from "./harness.js";
import { freshParameters, networkOf, normal, pixels } from "./models.js";
import { openPeer } from "./peer.js";

const classes = 1000;
const sizes = [
  { alpha: 1, inputSize: 224 },
  { alpha: 0.25, inputSize: 128 },
];

const rows = [];
for (const choice of /** @type {const} */ (["onnx", "tfjs"])) {
  const engine = await selectEngine({ engine: choice }).catch((/** @type {unknown} */ error) => {
    if (!(error instanceof EngineError)) throw error;
    console.log(`skipped: ${error.message}`);
  });
  if (!engine) continue;
  for (const { alpha, inputSize } of sizes) {
    const model = networkOf({ alpha, inputSize, classes, masks: 2 });
    const references = explainedTaps(model).map((tap) => {
      const channels = model.trunk.taps.find(({ name }) => name === tap)?.channels ?? 0;
      const { shape, data } = normal([classes + 1, channels], tap);
      return [`reference/${tap}`, { shape, data: data.map(Math.abs) }];
    });
    const shapes = { image: [1, inputSize, inputSize, 3], target: [1, classes] };
    const explain = await engine.compile(explainFunction(model), {
      name: "explain",
      inputs: shapes,
      constants: { ...freshParameters(model, { isFolded: true }), ...Object.fromEntries(references) },
    });
    const inputs = { image: pixels(shapes.image), target: ndArray(shapes.target) };
    const peer = await openPeer("explain.py", { alpha, inputSize, classes, masks: 2 });
    const work = `explain one image, mobilenet-v1 ${alpha} @${inputSize}, two segmentation heads: unmasked, masked, reference and evidence`;
    rows.push(await compare(work, { engine: choice, run: () => explain.run(inputs), peer, iterations: 20 }));
    peer?.close();
    await explain.dispose();
  }
  await engine.dispose();
}
await writeResults("explain", rows);
