import { batches, checkDataset, openDataset, splitSize, synthesize } from "aspectlens";

await synthesize("tissue", { count: 40, size: 64, seed: 7, causes: ["mitosis"] });
const { isUsable, faults } = await checkDataset("tissue");
for (const { file, line, message } of faults) console.log(file, line, message);
const dataset = await openDataset("tissue");
console.log(isUsable, splitSize(dataset, "train"));
for await (const [sample] of batches(dataset, { split: "train", batchSize: 8, inputSize: 64 }))
  console.log(sample.path, sample.target.label, Object.keys(sample.aspects));
