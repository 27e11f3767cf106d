/**
 * Whether the model of a description is one that this program can build and read: every name, kind, layer and number of
 * it.
 */

import { ASPECT_KINDS, TASKS } from "../core/annotation.js";
import type { InputError } from "../core/errors.js";
import { isCount, isNumber, isPlainName, isRecord, isShare, isStrings } from "../core/json-values.js";
import { LIMITS } from "../core/limits.js";
import { MAPPING_KINDS } from "../core/mapping-kind.js";
import { shown } from "../core/message-text.js";
import { clashingName } from "../core/result-file-names.js";
import { isSize } from "../core/size.js";
import { POOLINGS } from "../heads/head-spec.js";
import { faultOfTable } from "../trunk/networks/network-table.js";
import { trunkTaps } from "../trunk/taps.js";
import type { TrunkSpec } from "../trunk/trunk-spec.js";

/** The error that says what was expected under a key. */
export type Refuse = (key: string, expected: string) => InputError;

export function checkModel(model: unknown, refuse: Refuse): void {
  if (!isRecord(model) || !isRecord(model.trunk)) throw refuse("model", "a trunk, a source and heads");
  const layers = layersOf(model.trunk, "model.trunk", refuse);
  const { source, heads, networks = [] } = model;
  if (typeof source !== "string" || !layers.includes(source)) throw refuse("model.source", "a layer of the trunk");
  if (!Array.isArray(heads) || !heads.every(isRecord)) throw refuse("model.heads", "a list of heads");
  if (heads.length > LIMITS.bundleHeads) throw refuse("model.heads", `at most ${LIMITS.bundleHeads} heads`);
  const layersByNetwork = checkNetworks(networks, layers, refuse);
  const aspects: string[] = [];
  for (const [index, head] of heads.entries()) {
    const key = `model.heads[${index}]`;
    const { name, kind, taps, network } = head;
    const own = network === undefined ? layers : layersByNetwork.get(network);
    if (!own || (kind === "classifier" && network !== undefined))
      throw refuse(`${key}.network`, "a network of the model, of an aspect head");
    if (!isPlainName(name)) throw refuse(`${key}.name`, "a name without slashes and control characters");
    const isTapped = isStrings(taps) && taps.length > 0 && new Set(taps).size === taps.length;
    if (!isTapped || !taps.every((tap) => own.includes(tap)))
      throw refuse(`${key}.taps`, "different layers of its network, at least one");
    if (head.temperature !== undefined && !(isNumber(head.temperature) && head.temperature > 0))
      throw refuse(`${key}.temperature`, "a number above 0");
    if (kind === "classifier") {
      checkClassifier(head, key, refuse);
      continue;
    }
    if (!ASPECT_KINDS.some((known) => known === kind))
      throw refuse(`${key}.kind`, `one of classifier, ${ASPECT_KINDS.join(", ")}`);
    if (kind === "amount" && head.form !== "number" && head.form !== "map")
      throw refuse(`${key}.form`, '"number" or "map"');
    if (head.output !== undefined && !isOutput(head.output, network))
      throw refuse(`${key}.output`, "an index below the number of outputs of a network of its own");
    if (!isShare(head.threshold)) throw refuse(`${key}.threshold`, "a number of 0..1");
    const other = clashingName(name, aspects);
    if (other !== undefined) throw refuse(`${key}.name`, `a name whose files are not those of ${other}`);
    aspects.push(name);
  }
  const classifiers = heads.filter(({ kind }) => kind === "classifier");
  if (classifiers.length !== 1) throw refuse("model.heads", "one classifier");
  if (aspects.includes(String(classifiers[0].name))) throw refuse("model.heads", "different names");
}

const MOST_NETWORKS = 16;

/** @param layers of the classifier's network. @returns the layers of each network by its name. */
function checkNetworks(networks: unknown, layers: readonly string[], refuse: Refuse): ReadonlyMap<unknown, string[]> {
  if (!Array.isArray(networks) || networks.length > MOST_NETWORKS)
    throw refuse("model.networks", `a list of at most ${MOST_NETWORKS} networks`);
  const found = new Map<unknown, string[]>();
  for (const [index, network] of networks.entries()) {
    const key = `model.networks[${index}]`;
    if (!isRecord(network) || !isRecord(network.trunk) || !isRecord(network.mapping))
      throw refuse(key, "a name, a trunk and a mapping");
    const { name, mapping } = network;
    if (typeof name !== "string" || !/^[\w.-]{1,60}$/.test(name) || found.has(name))
      throw refuse(`${key}.name`, "a name of its own, of letters, digits, dots and dashes");
    const own = layersOf(network.trunk, `${key}.trunk`, refuse);
    const { kind, from, to, quality } = mapping;
    if (!MAPPING_KINDS.some((known) => known === kind))
      throw refuse(`${key}.mapping.kind`, `one of ${MAPPING_KINDS.join(", ")}`);
    const isBetween = typeof from === "string" && layers.includes(from) && typeof to === "string" && own.includes(to);
    if (!isBetween) throw refuse(`${key}.mapping`, "a layer of the trunk, and one of the network");
    if (quality !== undefined && !isQuality(quality))
      throw refuse(`${key}.mapping.quality`, "a count of images, and numbers of at most 1");
    found.set(name, own);
  }
  return found;
}

function isOutput(value: unknown, network: unknown): boolean {
  if (!isRecord(value) || network === undefined || !isCount(value.index) || !isCount(value.of)) return false;
  return value.index < value.of && (value.is === "alone" || value.is === "against");
}

function isQuality(value: unknown): boolean {
  if (!isRecord(value) || !isCount(value.images) || !isRecord(value.agreement)) return false;
  const isPart = (number: unknown) => isNumber(number) && number <= 1;
  return isPart(value.r2) && Object.values(value.agreement).every((number) => number === null || isPart(number));
}

/** @returns the names of its layers. */
function layersOf(trunk: Record<string, unknown>, key: string, refuse: Refuse): string[] {
  const { name, alpha, inputSize, convention } = trunk;
  const isKnown = convention === undefined || convention === "torchvision";
  // Trunks of our own see squares.
  const isInputSize = trunk.network === undefined ? Number.isSafeInteger(inputSize) : isSize(inputSize);
  const isTrunk = typeof name === "string" && isNumber(alpha) && isInputSize && isKnown;
  if (!isTrunk) throw refuse(key, "a name, an alpha and an inputSize in pixels");
  const fault = trunk.network === undefined ? undefined : faultOfTable(trunk.network, { mostRows: LIMITS.onnxNodes });
  if (fault !== undefined) throw refuse(`${key}.network`, fault);
  try {
    // Whether there is such a trunk, and of that width and size, it says itself.
    const spec = trunk as unknown as TrunkSpec;
    return trunkTaps(spec).map((tap) => tap.name);
  } catch (cause) {
    throw refuse(key, `one that can be built (${cause instanceof Error ? cause.message : shown(cause)})`);
  }
}

function checkClassifier(
  { task, classes, scale, pooling }: Record<string, unknown>,
  key: string,
  refuse: Refuse,
): void {
  if (!TASKS.some((known) => known === task)) throw refuse(`${key}.task`, `one of ${TASKS.join(", ")}`);
  const isNamed = isStrings(classes) && classes.every((name) => name.trim() !== "");
  if (!isNamed || new Set(classes).size !== classes.length) throw refuse(`${key}.classes`, "different names");
  if ((task === "regression") !== (classes.length === 0))
    throw refuse(`${key}.classes`, task === "regression" ? "none for a regression" : "at least one class");
  const isScale = scale === undefined || (isRecord(scale) && isNumber(scale.mean) && isNumber(scale.deviation));
  if (!isScale) throw refuse(`${key}.scale`, "a mean and a deviation");
  if (pooling !== undefined && !POOLINGS.some((known) => known === pooling))
    throw refuse(`${key}.pooling`, `one of ${POOLINGS.join(", ")}`);
}
