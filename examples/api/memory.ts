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
const { spec, threshold } = trained;
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
  const { explanation } = readExplanation(outputs, { spec, threshold, method, image: sample.path });
  console.log(
    sample.path,
    explanation.aspects.map(({ name, relevance }) => [name, relevance]),
  );
}
await engine.dispose();
