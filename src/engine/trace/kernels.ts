/** Every kernel that can be recorded. */

import { activationKernels } from "./activation.js";
import { arithmeticKernels } from "./arithmetic.js";
import { convolutionKernels } from "./convolution.js";
import { filterGradientKernels } from "./convolution-filter-gradient.js";
import { inputGradientKernels } from "./convolution-input-gradient.js";
import { depthwiseFilterGradientKernels } from "./depthwise-filter-gradient.js";
import { groupedConvolutionKernels } from "./grouped-convolution.js";
import { indexingKernels } from "./indexing.js";
import type { KernelTable } from "./kernel.js";
import { matmulKernels } from "./matmul.js";
import { normalizeKernels } from "./normalize.js";
import { poolKernels } from "./pool.js";
import { reduceKernels } from "./reduce.js";
import { resizeKernels } from "./resize.js";
import { pieceKernels } from "./slicing.js";
import { viewKernels } from "./views.js";

export const kernels: KernelTable = {
  ...arithmeticKernels,
  ...activationKernels,
  ...reduceKernels,
  ...viewKernels,
  ...pieceKernels,
  ...indexingKernels,
  ...matmulKernels,
  ...convolutionKernels,
  ...groupedConvolutionKernels,
  ...inputGradientKernels,
  ...filterGradientKernels,
  ...depthwiseFilterGradientKernels,
  ...poolKernels,
  ...resizeKernels,
  ...normalizeKernels,
};
