/** The results as a page, beside the published ones. */

/** @typedef {ReturnType<typeof import("./protocols.js").scoresAt>} Scores */

/**
 * @typedef {object} Result
 * @property {number} trainingImages
 * @property {number} images
 * @property {number | null} accuracy
 * @property {number | null} backgroundIndependence
 * @property {readonly (Scores & { method: string, byValidation: Scores })[]} rows
 */

/** Accuracy, completeness, correctness, contrastivity and score, from the project's leaderboard. */
const PUBLISHED = {
  BagNet: [1, 0.93, 0.76, 0.99, 0.92],
  "VGG16, DeepLIFT": [0.99, 0.97, 0.78, 0.99, 0.91],
  "VGG16, Grad-CAM": [0.99, 0.91, 0.75, 0.93, 0.86],
  "VGG16, guided Grad-CAM": [0.99, 0.96, 0.75, 0.87, 0.86],
  "VGG16, integrated gradients": [0.99, 0.95, 0.67, 0.92, 0.85],
  "ResNet-50, integrated gradients": [1, 0.86, 0.59, 0.98, 0.81],
  "ResNet-50, Grad-CAM": [1, 0.74, 0.55, 0.78, 0.69],
  "ResNet-50, input x gradient": [1, 0.58, 0.54, 0.8, 0.64],
  "B-cos": [0.96, 0.89, 0.69, 0.89, 0.82],
  ProtoPNet: [0.94, 0.75, 0.76, 0.55, 0.69],
};

/** @param {Result} result @returns {string} */
export function tableOf({ trainingImages, images, accuracy, backgroundIndependence, rows }) {
  const best = rows.toSorted((a, b) => b.score - a.score);
  return `${[
    "# FunnyBirds",
    "Written by `node bench/funnybirds/run.js`. The protocols of Hesse et al. 2023 (arXiv:2308.06248) on birds of our own rendering, made of the same part models but not the public images: compare methods within the first table, and only roughly with the published numbers below it.",
    `One MobileNet with five part heads, trained on ${trainingImages} images; ${images} test images: accuracy ${decimal(accuracy)}, background independence ${decimal(backgroundIndependence)}. A thing is named from a share of the whole on, the level; as in the paper the one with the best completeness on the test images is taken. The last column has the score at the level that is best on other images.`,
    table(
      [
        "method",
        "completeness",
        "correctness",
        "contrastivity",
        "score",
        "CSDC",
        "PC",
        "DC",
        "D",
        "level",
        "score at the validation's level",
      ],
      best.map((row) => [
        row.method,
        decimal(row.completeness),
        decimal(row.correctness),
        decimal(row.contrastivity),
        decimal(row.score),
        decimal(row.csdc),
        decimal(row.pc),
        decimal(row.dc),
        decimal(row.d),
        decimal(row.level),
        `${decimal(row.byValidation.score)} at ${decimal(row.byValidation.level)}`,
      ]),
    ),
    "Published, on the public images, with 50,000 training images:",
    table(
      ["model and method", "accuracy", "completeness", "correctness", "contrastivity", "score"],
      Object.entries(PUBLISHED).map(([name, values]) => [name, ...values.map((value) => value.toFixed(2))]),
    ),
  ].join("\n\n")}\n`;
}

/** @param {readonly string[]} head @param {readonly (readonly string[])[]} rows */
function table(head, rows) {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** @param {number | null} value */
function decimal(value) {
  return value === null ? "–" : value.toFixed(3);
}
