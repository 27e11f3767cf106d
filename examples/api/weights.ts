import { CATALOGUE, importWeights, inspectWeights, listStored, locateWeights, selectEngine } from "aspectlens";

for (const { name, path } of await listStored()) console.log(name, path);
console.log(CATALOGUE.length, "more can be pulled, as", CATALOGUE[0].name);
const file = await locateWeights("builtin:mobilenet-v1-0.25");
console.log(await inspectWeights(file));
const engine = await selectEngine();
const { trunk, proof } = await importWeights(file, { engine, name: "mine", folder: "weights", isReplacing: true });
console.log(trunk, proof.forward);
await engine.dispose();
