/** What decides the shape of a model: plain data, without a type of TensorFlow.js. */

import type { HeadSpec } from "../heads/head-spec.js";
import type { TrunkSpec } from "../trunk/trunk-spec.js";

/** Everything that decides a model's shape; plain data, stored in run folders and bundles. */
export interface ModelSpec {
  readonly trunk: TrunkSpec;
  /** Default tap of the aspect heads, and the layer of the drawn saliency map. */
  readonly source: string;
  /** The classifier, named `class`, and the aspect heads in the order of the dataset. */
  readonly heads: readonly HeadSpec[];
}
