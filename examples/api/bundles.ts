import { exportRun, readBundle, verifyBundle } from "aspectlens";

const bytes = await exportRun("run", "tissue.aspect");
const { description } = await readBundle("tissue.aspect");
console.log(
  bytes,
  description.model.heads.map(({ name, kind }) => `${name}: ${kind}`),
);
const { goldenCount, worst } = await verifyBundle("tissue.aspect");
console.log(goldenCount, worst?.output, worst?.error);
