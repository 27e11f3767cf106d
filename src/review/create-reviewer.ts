/** From a head's specification to what gathers its review. */

import type { Size } from "../core/size.js";
import type { HeadSpec } from "../heads/head-spec.js";
import type { HeadReviewer } from "./head-review.js";
import { reviewBoxes } from "./review-boxes.js";
import { reviewClassifier } from "./review-classifier.js";
import { reviewAmount, reviewPresence } from "./review-numbers.js";
import { reviewSegmentation } from "./review-segmentation.js";

/** @param options.inputSize of the model's input, pixels. */
export function createReviewer(spec: HeadSpec, options: { inputSize: Size }): HeadReviewer {
  switch (spec.kind) {
    case "classifier":
      return reviewClassifier(spec);
    case "segmentation":
      return reviewSegmentation(spec);
    case "boxes":
      return reviewBoxes(spec, options);
    case "presence":
      return reviewPresence(spec);
    case "amount":
      return reviewAmount(spec);
  }
}
