/** What decides the shape of a model: plain data, without a type of TensorFlow.js. */

import { type CenterCrop, centerCropFor } from "../core/center-crop.js";
import type { MappingKind } from "../core/mapping-kind.js";
import { type Size, sizeKey } from "../core/size.js";
import type { HeadBase, HeadSpec } from "../heads/head-spec.js";
import type { TrunkSpec } from "../trunk/trunk-spec.js";

/** Everything that decides a model's shape; plain data, stored in run folders and bundles. */
export interface ModelSpec {
  readonly trunk: TrunkSpec;
  /** Default tap of the aspect heads, and the layer of the drawn saliency map. */
  readonly source: string;
  /** The classifier, named `class`, and the aspect heads in the order of the dataset. */
  readonly heads: readonly HeadSpec[];
  /** Networks that aspect heads have to themselves; none where absent. */
  readonly networks?: readonly NetworkSpec[];
}

/** A network that the classifier does not read, only aspect heads do, and how the classifier's features reach it. */
export interface NetworkSpec {
  /** Graphs read its image as `image/<name>`, its parameters are called `network/<name>/...`. */
  readonly name: string;
  readonly trunk: TrunkSpec;
  readonly mapping: MappingSpec;
}

/** From features of the classifier's network to those of another one. */
export interface MappingSpec {
  readonly kind: MappingKind;
  /** Layer of the classifier's network. */
  readonly from: string;
  /** Layer of the other network, from which its heads are computed. */
  readonly to: string;
  /** What it achieves on images that it was not fitted to; absent for `image`, which is not fitted. */
  readonly quality?: MappingQuality;
}

/** How good a mapping is, on held-out images. */
export interface MappingQuality {
  readonly images: number;
  /** Share of the variance of the target layer's features that is predicted, at most 1. */
  readonly r2: number;
  /**
   * By aspect, how far its head's answers on mapped features rank images, or places, as those on true features do: 1 where
   * they do, 0 by chance; `null` where it saw its aspect nowhere, or everywhere.
   */
  readonly agreement: Readonly<Record<string, number | null>>;
}

/**
 * Layers of the classifier's network at which an aspect head is explained: those that it reads, or, of a head on a
 * network of its own, the one where the mapping starts.
 */
export function layersOf({ networks = [] }: Pick<ModelSpec, "networks">, head: HeadBase): readonly string[] {
  const mapping = mappingOf({ networks }, head);
  if (mapping) return [mapping.from];
  return head.network === undefined ? head.taps : [];
}

/** The mapping to the network that a head has to itself; `undefined` where it reads the classifier's. */
export function mappingOf(
  { networks = [] }: Pick<ModelSpec, "networks">,
  { network }: HeadBase,
): MappingSpec | undefined {
  return network === undefined ? undefined : networks.find(({ name }) => name === network)?.mapping;
}

/**
 * How a model reads an image: its sizes, pixels, the classifier's and others that networks of their own want, and the
 * middle that is seen, where not all is.
 */
export function imageSizes({ trunk, networks = [] }: Pick<ModelSpec, "trunk" | "networks">): {
  readonly inputSize: Size;
  readonly otherSizes: readonly Size[];
  readonly centerCrop?: CenterCrop;
} {
  const { inputSize, network } = trunk;
  const others = new Map(networks.map(({ trunk: { inputSize } }) => [sizeKey(inputSize), inputSize]));
  others.delete(sizeKey(inputSize));
  const { centerCrop } = network ?? {};
  return {
    inputSize,
    otherSizes: [...others.values()],
    ...(centerCrop !== undefined && { centerCrop: centerCropFor(inputSize, centerCrop) }),
  };
}
