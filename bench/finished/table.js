/** `bench/results/finished.md`. */

/** @import { Evaluation, Faithfulness, FaithfulnessMethod } from "aspectlens" */

/**
 * @typedef {object} Classifier as `bench/peer/fine_tune.py` writes it.
 * @property {readonly string[]} classes
 * @property {string} scaling
 * @property {number} size pixels
 * @property {{ validation: number, test: number }} accuracy
 */

/**
 * @typedef {object} Row
 * @property {string} name of the condition
 * @property {number} count of annotated training images
 * @property {Classifier} classifier
 * @property {string} source
 * @property {Evaluation["heads"]} heads
 * @property {{ method: FaithfulnessMethod, images: number } & Pick<Faithfulness, "counts" | "coverage" | "aspects">} found
 * @property {readonly string[]} warnings
 */

const percent = (/** @type {number | null | undefined} */ share) =>
  share == null ? "–" : `${(100 * share).toFixed(1)} %`;

/** @param {readonly Row[]} rows */
export function pageOf(rows) {
  const head = ["classifier", "accuracy", "annotated images", "IoU by aspect", "images", "of all", "cause first"];
  head.push("causes relevant", "distractors relevant", "none relevant", "line");
  const lines = rows.map(({ name, count, classifier, heads, found }) => {
    const { method, images, coverage } = found;
    const ious = Object.entries(heads).flatMap(([aspect, head]) =>
      "iou" in head ? [`${aspect} ${head.iou?.toFixed(2) ?? "–"}`] : [],
    );
    const { scale } = method;
    const line = scale?.kind === "probability" ? `${scale.line.toPrecision(2)} by ${scale.by}` : "–";
    return [
      ...[name, percent(classifier.accuracy.test), String(count), ious.join(", "), String(images), percent(coverage)],
      ...[method.namedCause, method.causeRelevant, method.distractorNamed, method.unexplainedWithCause].map(percent),
      line,
    ];
  });
  return [
    "# A finished classifier, few annotations",
    "",
    "Made by `bench/finished/run.js`, which says how: classifiers fine-tuned in PyTorch on composites, exported to ONNX and",
    "imported; aspects added by `train --add-heads` with its defaults, from so many annotated training images, a fifth as",
    "many annotated validation images, and all others without annotations. The known causes are used for measuring alone.",
    "On test images; of those that are answered right and in which a cause and another aspect are seen, `images`: that is",
    "`of all` that are labelled so.",
    "",
    ...[head, head.map(() => "---"), ...lines].map((cells) => `| ${cells.join(" | ")} |`),
    "",
  ].join("\n");
}
