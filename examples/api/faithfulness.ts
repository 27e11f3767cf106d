import { faithfulnessOf, openDataset, readModel, selectEngine } from "aspectlens";

const engine = await selectEngine();
try {
  const { faithfulness } = await faithfulnessOf(await readModel("run"), {
    engine,
    dataset: await openDataset("tissue"),
    others: ["grad-cam"],
    draws: 1,
  });
  for (const { saliency, masking, namedCause, auc } of faithfulness.methods)
    console.log(saliency, masking, namedCause, auc);
} finally {
  await engine.dispose();
}
