import { readdir } from "node:fs/promises";
import { explanationTable, openExplainer, writeExplanation } from "aspectlens/explainer";

const [name] = (await readdir("tissue/images")).sort();
const image = `tissue/images/${name}`;
const explainer = await openExplainer("tissue.aspect");
try {
  const explained = await explainer.explain(image, { target: { kind: "log-odds", class: "malignant" } });
  console.log(explanationTable(explained.explanation));
  console.log(await writeExplanation(explained, { image, folder: "explained" }));
} finally {
  await explainer.dispose();
}
