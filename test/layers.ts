/** The table of who may import whom, which the code is held against and docs/architecture.md draws. */

/** Room (a folder of src, or an entry) -> the rooms that it may import, besides itself. */
export const ALLOWED: Record<string, string[]> = {
  core: [],
  ops: ["core"],
  metrics: ["core"],
  trunk: ["core"],
  "trunk/formats": ["core", "trunk"],
  heads: ["core", "ops", "metrics"],
  evaluation: ["core", "heads", "metrics"],
  dataset: ["core"],
  "dataset/synth": ["core", "dataset"],
  "dataset/formats": ["core", "dataset"],
  engine: ["core", "engine/trace"],
  "engine/trace": ["core", "engine"],
  model: ["core", "ops", "trunk", "heads"],
  "weights/download": ["core"],
  weights: ["core", "trunk", "trunk/formats", "engine", "weights/download"],
  train: ["core", "ops", "metrics", "trunk", "heads", "dataset", "engine", "model"],
  explain: ["core"],
  "explain/reading": ["core", "trunk", "heads", "model", "explain"],
  "explain/graph/saliency": ["core", "ops", "trunk", "explain", "explain/graph"],
  "explain/graph/mapping": ["core", "trunk", "model", "explain"],
  "explain/graph": [
    ...["core", "ops", "trunk", "heads", "engine", "model"],
    ...["explain", "explain/graph/saliency", "explain/graph/mapping"],
  ],
  "explain/calibration": [
    ...["core", "trunk", "heads", "engine", "model"],
    ...["explain", "explain/graph", "explain/reading"],
  ],
  faithfulness: [
    ...["core", "trunk", "heads", "dataset", "engine", "model"],
    ...["explain", "explain/graph", "explain/reading", "explain/calibration"],
  ],
  pictures: ["core", "dataset", "explain", "faithfulness"],
  review: ["core", "metrics", "heads"],
  pages: ["core", "heads", "dataset", "faithfulness", "pictures", "review"],
  bundle: [
    ...["core", "trunk", "heads", "dataset", "engine", "engine/trace", "model"],
    ...["explain", "explain/graph", "explain/reading"],
  ],
  workflows: [
    ...["core", "trunk", "trunk/formats", "heads", "dataset", "engine", "model", "weights", "train", "evaluation"],
    ...["explain/graph", "explain/calibration", "review", "pages", "bundle"],
  ],
  cli: [
    ...["core", "metrics", "heads", "evaluation", "dataset", "engine", "model"],
    ...["explain", "pictures", "bundle", "cli/commands"],
  ],
  "cli/commands": [
    ...["core", "trunk", "dataset", "dataset/synth", "dataset/formats", "engine", "model", "weights", "train"],
    ...["explain", "explain/graph", "explain/reading"],
    ...["faithfulness", "pictures", "pages", "bundle", "workflows", "cli"],
  ],
  "explainer.ts": ["core", "dataset", "engine", "heads", "trunk", "model", "explain", "pictures", "bundle"],
  "index.ts": [
    ...["core", "trunk", "trunk/formats", "heads", "dataset", "dataset/synth", "engine", "model", "train"],
    ...[
      "metrics",
      "evaluation",
      "explain",
      "explain/graph",
      "explain/graph/mapping",
      "explain/reading",
      "explain/calibration",
    ],
    ...["faithfulness", "pictures", "bundle", "ops", "weights", "weights/download", "workflows"],
  ],
};
