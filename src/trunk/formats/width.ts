/** The width multiplier of a trunk, from the shapes of its kernels. */

import { architectureOf } from "../architecture-of.js";
import { layerParameters, parameterName } from "../layer-parameters.js";
import type { TrunkSpec } from "../trunk-spec.js";
import type { LayerWeights } from "./layer-names.js";

/** Usual widths first, since several can round to the same channels; then twentieths, then hundredths. */
const ALPHAS = [
  1,
  0.25,
  0.35,
  0.5,
  0.75,
  1.3,
  1.4,
  ...Array.from({ length: 40 }, (_, index) => (index + 1) / 20),
  ...Array.from({ length: 97 }, (_, index) => (index + 4) / 100),
];

/** The width whose kernels have the shapes of the file, all of them. */
export function fittingAlpha(name: TrunkSpec["name"], layers: ReadonlyMap<string, LayerWeights>): number | undefined {
  const [first] = architectureOf({ name, alpha: 1, inputSize: 32 }).layers;
  const shape = layers.get(first.name)?.kernel?.shape;
  const candidates = [...ALPHAS, ...(shape?.length === 4 ? [shape[3] / first.channels] : [])];
  return candidates.find((alpha) => {
    const specs = layerParameters(architectureOf({ name, alpha, inputSize: 32 }), { isFolded: true });
    const shapes = new Map(specs.map((spec) => [spec.name, String(spec.shape)]));
    return [...layers].every(([layer, { kernel }]) => {
      return !kernel || shapes.get(parameterName(layer, "kernel")) === String(kernel.shape);
    });
  });
}
