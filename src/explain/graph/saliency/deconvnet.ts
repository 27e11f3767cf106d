/** Deconvnet: gradients rectified on the way back, as a network run in reverse. */

import { gradientAt, type SaliencyMethod } from "./saliency.js";

/**
 * Zeiler and Fergus 2013 (arXiv:1311.2901), section 2.1, from the target down instead of from one unit. It fails the
 * same sanity checks as guided backpropagation (Adebayo et al. 2018, arXiv:1810.03292): never a default.
 */
export const deconvnet: SaliencyMethod = ({ masked }) => ({
  elements: gradientAt(masked, masked.features, { rectifier: "deconvnet" }),
});
