/** Guided backpropagation: gradients that pass only active units, and only where they are positive. */

import { gradientAt, type SaliencyMethod } from "./saliency.js";

/**
 * Springenberg et al. 2014 (arXiv:1412.6806), section 3.4. It hardly depends on the target and on the later layers
 * (Adebayo et al. 2018, arXiv:1810.03292): offered because it is known, never a default.
 */
export const guidedBackpropagation: SaliencyMethod = ({ masked }) => ({
  elements: gradientAt(masked, masked.features, { rectifier: "guided" }),
});
