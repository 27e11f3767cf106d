import { checkConfig, evaluateModel, readModel, runTraining, selectEngine } from "aspectlens";

const config = checkConfig({
  dataset: "tissue",
  out: "run",
  trunk: { alpha: 0.25, inputSize: 64, weights: "random" },
  stages: [{ train: "all", epochs: 1, batchNorm: "batch" }],
});
const engine = await selectEngine();
try {
  await runTraining(config, { engine, onEpoch: ({ epoch, seconds }) => console.log(epoch, seconds) });
  const { heads } = await evaluateModel(await readModel("run"), "tissue", { engine });
  console.log(heads.class);
} finally {
  await engine.dispose();
}
