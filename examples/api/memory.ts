import {
  batches,
  createModel,
  explainConstants,
  explainFunction,
  openDataset,
  overSamples,
  readExplanation,
  readModel,
  selectEngine,
} from "aspectlens";

const trained = await readModel("run");
const { spec, scales } = trained;
const scale = scales["grad-cam"]?.class ?? ({ kind: "uncalibrated" } as const);
const model = createModel(spec);
const engine = await selectEngine();
const fn = explainFunction(model, { saliency: "grad-cam", masking: "filter-weights" });
const samples = batches(await openDataset("tissue"), { split: "test", batchSize: 8, inputSize: 64 });
for await (const { sample, outputs } of overSamples(model, {
  engine,
  fn,
  constants: explainConstants(trained),
  samples,
})) {
  const method = { saliency: "grad-cam", masking: "filter-weights" } as const;
  const { explanation } = readExplanation(outputs, { spec, scale, method, image: sample.path });
  console.log(
    sample.path,
    explanation.aspects.map(({ name, score }) => [name, score]),
  );
}
await engine.dispose();
