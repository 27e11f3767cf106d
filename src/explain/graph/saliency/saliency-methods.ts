/**
 * A new saliency method is a file here that holds a `SaliencyMethod`, an entry of this list, and its traits
 * (`SALIENCY_TRAITS`) in `../../methods.ts`; the compiler finds a missing one.
 */

import type { SaliencyName } from "../../methods.js";
import { cam } from "./cam.js";
import { deconvnet } from "./deconvnet.js";
import { evidence } from "./evidence-saliency.js";
import { gradCam } from "./grad-cam.js";
import { gradCamPlusPlus } from "./grad-cam-plus-plus.js";
import { gradientXActivation } from "./gradient-x-activation.js";
import { guidedBackpropagation } from "./guided-backpropagation.js";
import { guidedGradCam } from "./guided-grad-cam.js";
import { hiresCam } from "./hires-cam.js";
import { integratedGradients } from "./integrated-gradients.js";
import { layerCam } from "./layer-cam.js";
import type { SaliencyMethod } from "./saliency.js";
import { scoreCam } from "./score-cam.js";

export const SALIENCY_FUNCTIONS = {
  evidence,
  "grad-cam": gradCam,
  cam,
  "grad-cam++": gradCamPlusPlus,
  "score-cam": scoreCam,
  "hires-cam": hiresCam,
  "layer-cam": layerCam,
  "gradient-x-activation": gradientXActivation,
  "integrated-gradients": integratedGradients,
  "guided-backpropagation": guidedBackpropagation,
  deconvnet,
  "guided-grad-cam": guidedGradCam,
} as const satisfies Readonly<Record<SaliencyName, SaliencyMethod>>;
