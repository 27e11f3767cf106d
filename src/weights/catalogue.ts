/** Which pre-trained weights can be had from public addresses, and on what terms. */

import { WeightsError } from "../core/errors.js";
import type { TrunkSpec } from "../trunk/trunk.js";

/** One set of weights that can be pulled. */
export interface CatalogueEntry {
  /** As users type it. */
  readonly name: string;
  readonly trunk: TrunkSpec;
  /** A Keras `.h5`, or the `model.json` of a tfjs model whose shards lie beside it. */
  readonly address: string;
  readonly form: "h5" | "tfjs";
  readonly licence: string;
}

const KERAS = "https://storage.googleapis.com/tensorflow/keras-applications";
const TFJS = "https://storage.googleapis.com/tfjs-models/tfjs";
const TFHUB = "https://tfhub.dev/google/imagenet";

const MOBILENET_LICENCE = "Apache-2.0";
const VGG_LICENCE = "CC-BY-4.0 (VGG, Oxford)";

/** `keras.applications` writes widths of v1 so. */
const V1_WIDTHS: readonly (readonly [alpha: number, text: string])[] = [
  [0.25, "2_5"],
  [0.5, "5_0"],
  [0.75, "7_5"],
  [1, "1_0"],
];
const V1_SIZES = [128, 160, 192, 224];
const V2_WIDTHS = [0.35, 0.5, 0.75, 1, 1.3, 1.4];
const V2_SIZES = [96, 128, 160, 192, 224];

/** Every entry; addresses as in keras-applications (mobilenet.py, mobilenet_v2.py, vgg16.py) and @tensorflow-models/mobilenet. */
export const CATALOGUE: readonly CatalogueEntry[] = [
  ...V1_WIDTHS.flatMap(([alpha, text]) =>
    V1_SIZES.map((inputSize) =>
      keras({ name: "mobilenet-v1", alpha, inputSize }, `mobilenet/mobilenet_${text}_${inputSize}_tf_no_top.h5`),
    ),
  ),
  ...V2_WIDTHS.flatMap((alpha) =>
    V2_SIZES.map((inputSize) => {
      const file = `mobilenet_v2_weights_tf_dim_ordering_tf_kernels_${decimal(alpha)}_${inputSize}_no_top.h5`;
      return keras({ name: "mobilenet-v2", alpha, inputSize }, `mobilenet_v2/${file}`);
    }),
  ),
  ...(["vgg16", "vgg19"] as const).map((name) =>
    keras({ name, alpha: 1, inputSize: 224 }, `${name}/${name}_weights_tf_dim_ordering_tf_kernels_notop.h5`),
  ),
  ...[0.25, 1].map((alpha): CatalogueEntry => {
    const trunk = { name: "mobilenet-v1", alpha, inputSize: 224 } as const;
    return {
      ...{ name: `tfjs-mobilenet-v1-${decimal(alpha)}-224`, trunk, form: "tfjs", licence: MOBILENET_LICENCE },
      address: `${TFJS}/mobilenet_v1_${decimal(alpha)}_224/model.json`,
    };
  }),
  ...[0.25, 0.5, 0.75, 1].map((alpha) => hub({ name: "mobilenet-v1", alpha, inputSize: 224 }, 1)),
  ...[0.5, 0.75, 1].map((alpha) => hub({ name: "mobilenet-v2", alpha, inputSize: 224 }, 2)),
];

/** @throws WeightsError naming what comes near, where the catalogue has no such name. */
export function catalogued(name: string): CatalogueEntry {
  const entry = CATALOGUE.find((candidate) => candidate.name === name);
  if (entry) return entry;
  const near = CATALOGUE.filter((candidate) => candidate.name.includes(name)).map((candidate) => candidate.name);
  const hint = near.length > 0 ? ` Did you mean ${near.slice(0, 4).join(", ")}?` : "";
  throw new WeightsError(`weights "${name}" cannot be pulled by that name.${hint} All names: aspectlens weights list.`);
}

function keras(trunk: TrunkSpec, path: string): CatalogueEntry {
  const isVgg = trunk.name.startsWith("vgg");
  const name = isVgg ? `keras-${trunk.name}` : `keras-${trunk.name}-${decimal(trunk.alpha)}-${trunk.inputSize}`;
  return {
    ...{ name, trunk, form: "h5", address: `${KERAS}/${path}` },
    licence: isVgg ? VGG_LICENCE : MOBILENET_LICENCE,
  };
}

/** A graph-model; `@tensorflow-models/mobilenet` loads the same. */
function hub(trunk: TrunkSpec, version: number): CatalogueEntry {
  const { name, alpha, inputSize } = trunk;
  const width = String(100 * alpha).padStart(3, "0");
  const path = `${name.replace("-", "_")}_${width}_${inputSize}/classification/${version}/model.json?tfjs-format=file`;
  return {
    ...{ name: `tfhub-${name}-${decimal(alpha)}-${inputSize}`, trunk, form: "tfjs", licence: MOBILENET_LICENCE },
    address: `${TFHUB}/${path}`,
  };
}

/** `1.0`, `0.35`. */
function decimal(value: number): string {
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}
