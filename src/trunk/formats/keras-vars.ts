/**
 * Which layer each group of Keras 3's `.weights.h5` belongs to: newer files say it, in older ones only the order does.
 */

import { WeightsError } from "../../core/errors.js";
import type { NdArray } from "../../core/nd-array.js";
import { architectureOf } from "../architecture-of.js";
import { hasKernel, type ParameterPart } from "../layer-parameters.js";
import type { TrunkDefinition } from "../trunk-definition.js";
import { TRUNKS, type TrunkName } from "../trunks.js";
import { trunkLayer } from "./layer-names.js";
import { fittingAlpha } from "./width.js";

/** Variables of one layer in the order in which Keras made them. */
export interface VariableGroup {
  /** Of the layer, such as `layers/conv2d_3`: class and count. */
  readonly path: string;
  /** What the layer is called: newer versions of Keras write it. */
  readonly layer?: string;
  readonly shapes: readonly (readonly number[])[];
  readonly read: (index: number) => NdArray;
}

const CONVOLUTION: readonly ParameterPart[] = ["kernel", "bias"];
const NORM: readonly ParameterPart[] = ["gamma", "beta", "moving_mean", "moving_variance"];

/**
 * Reads the groups that belong to a trunk.
 *
 * @throws WeightsError where neither names nor the number of layers of each kind tell the trunk.
 */
export function readVariables(path: string, groups: readonly VariableGroup[]): Record<string, NdArray> {
  const isNamed = groups.some(({ layer }) => layer !== undefined);
  const weights: Record<string, NdArray> = {};
  for (const [group, layer] of isNamed ? byName(groups) : byOrder(path, groups)) {
    const parts = group.shapes[0]?.length === 4 ? CONVOLUTION : NORM;
    if (parts === NORM && group.shapes.length !== NORM.length)
      throw new WeightsError(
        `${path}: ${group.path} has ${group.shapes.length} variables, which do not say what they are.`,
        { cure: CURE },
      );
    group.shapes.forEach((_, index) => {
      weights[`${group.path}/${layer}/${parts[index]}`] = group.read(index);
    });
  }
  return weights;
}

const CURE = 'Save the whole model in the older format: model.save("trunk.h5").';

function byName(groups: readonly VariableGroup[]): [VariableGroup, string][] {
  return groups.flatMap((group) => (group.layer && trunkLayer(group.layer) ? [[group, group.layer]] : []));
}

function byOrder(path: string, groups: readonly VariableGroup[]): [VariableGroup, string][] {
  const families = new Map<string, VariableGroup[]>();
  for (const group of groups) {
    const siblings = families.get(parentOf(group)) ?? [];
    siblings.push(group);
    families.set(parentOf(group), siblings);
  }
  const found = [...families.values()].flatMap((siblings) => {
    return TRUNKS.flatMap((trunk) => {
      const pairs = pairedWith(trunk, siblings);
      return pairs ? [pairs] : [];
    });
  });
  if (found.length === 1) return found[0];
  const why = found.length > 1 ? "more than one trunk fits" : "no trunk has as many of each kind and width";
  throw new WeightsError(`${path}: its layers have no names, and ${why}.`, { cure: CURE });
}

/** The groups beside the layers of a trunk, where kinds, numbers and shapes all agree. */
function pairedWith(
  { name, weights }: TrunkDefinition<TrunkName>,
  siblings: readonly VariableGroup[],
): [VariableGroup, string][] | undefined {
  const { layers, hasBatchNorm } = architectureOf({ name, alpha: 1, inputSize: 32 });
  const wanted = layers.filter(hasKernel);
  const ofKind = (op: string) => wanted.filter((layer) => layer.op === op);
  const kinds = [
    { groups: numbered(siblings, "depthwise_conv2d"), layers: ofKind("depthwise"), extra: 0 },
    { groups: numbered(siblings, "batch_normalization"), layers: hasBatchNorm ? wanted : [], extra: 0 },
    // A classifier that is a convolution too is the last one.
    { groups: numbered(siblings, "conv2d"), layers: ofKind("conv"), extra: weights.classifierConvolutions ?? 0 },
  ];
  const agrees = kinds.every(({ groups, layers, extra }) => {
    return groups.length >= layers.length && groups.length <= layers.length + extra;
  });
  if (!agrees) return undefined;
  const pairs = kinds.flatMap(({ groups, layers }) => {
    return layers.map((layer, index): [VariableGroup, string] => [groups[index], layer.name]);
  });
  const kernels = pairs.flatMap(([{ shapes }, layer]) => {
    return shapes[0]?.length === 4
      ? [[layer, { kernel: { shape: shapes[0], data: new Float32Array() } }] as const]
      : [];
  });
  return fittingAlpha(name, new Map(kernels)) === undefined ? undefined : pairs;
}

/** `conv2d`, `conv2d_1`, ... in order of their numbers. */
function numbered(siblings: readonly VariableGroup[], kind: string): readonly VariableGroup[] {
  const count = ({ path }: VariableGroup) => {
    const [, digits = "0"] = new RegExp(`/${kind}(?:_(\\d+))?$`).exec(`/${path}`) ?? [undefined, "-1"];
    return Number(digits);
  };
  return siblings.filter((group) => count(group) >= 0).sort((a, b) => count(a) - count(b));
}

function parentOf({ path }: VariableGroup): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}
