import { faithfulnessOf, openDataset, readModel, selectEngine } from "aspectlens";

const engine = await selectEngine();
const { faithfulness } = await faithfulnessOf(await readModel("run"), {
  engine,
  dataset: await openDataset("tissue"),
  others: ["grad-cam"],
  draws: 1,
});
for (const { saliency, masking, namedCause, auc } of faithfulness.methods)
  console.log(saliency, masking, namedCause, auc);
await engine.dispose();
