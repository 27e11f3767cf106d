/** Every kernel that can be recorded. */

import { activationKernels } from "./activation.js";
import { arithmeticKernels } from "./arithmetic.js";
import type { KernelTable } from "./kernel.js";
import { matmulKernels } from "./matmul.js";
import { reduceKernels } from "./reduce.js";
import { viewKernels } from "./views.js";

export const kernels: KernelTable = {
  ...arithmeticKernels,
  ...activationKernels,
  ...reduceKernels,
  ...viewKernels,
  ...matmulKernels,
};
