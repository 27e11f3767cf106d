/** A classifier and aspects of another network become one model: joined, mapped, measured, calibrated. */

import { setImmediate } from "node:timers/promises";
import type { Sample } from "../core/annotation.js";
import { ConfigError, InputError } from "../core/errors.js";
import { isPlainName } from "../core/json-values.js";
import { LIMITS } from "../core/limits.js";
import type { MappingKind } from "../core/mapping-kind.js";
import type { NdArrays } from "../core/nd-array.js";
import { initialize } from "../core/parameters.js";
import { clashingName } from "../core/result-file-names.js";
import { sidesOf } from "../core/size.js";
import type { Engine } from "../engine/engine.js";
import type { ClassCauses } from "../explain/calibration/ground-truth.js";
import { keptSamples, type SampleStream } from "../explain/calibration/run-over-samples.js";
import { LEAST_AGREEMENT } from "../explain/relevance-constants.js";
import type { AspectSpec, ClassifierSpec } from "../heads/head-spec.js";
import { type CandidatePair, similarPairs, sourceLayers, targetLayers } from "../mapping/choose-layers.js";
import { fitByGradient } from "../mapping/fit-by-gradient.js";
import { type LayerPair, linearFits } from "../mapping/fit-linear.js";
import { chosenImages, type Images, isHeldOut } from "../mapping/mapping-data.js";
import { exampleImages, type MappedImage, measureMapping } from "../mapping/measure-mapping.js";
import { createModel, type Model } from "../model/model.js";
import { imageSizes, type MappingQuality, type ModelSpec } from "../model/model-spec.js";
import { networkParameters } from "../model/network.js";
import type { Provenance, TrainedModel } from "../model/trained-model.js";
import { createTrunk } from "../trunk/create-trunk.js";
import { answersByPlace, type NetworkTable } from "../trunk/networks/network-table.js";
import { calibrateModel, usualMethods } from "./calibrate-model.js";
import { referencesOf } from "./measure-run.js";

/** Sizes at which images are read, pixels. */
export type ImageSizes = ReturnType<typeof imageSizes>;

/** Images with known causes, as `calibrate` takes them. */
export interface LabelledImages {
  /** The same images at each call. */
  readonly samples: () => SampleStream;
  /** Of the dataset; a sample's own go before. */
  readonly causes: ClassCauses;
}

/** How two models are joined. */
export interface MapOptions {
  readonly engine: Engine;
  /** How the network is called in the joined model. */
  readonly name: string;
  /** Opens the images that the mapping is learned from, once; they need no labels, and stay in memory. */
  readonly images: (sizes: ImageSizes) => SampleStream;
  /** Images with known causes, for the scale of relevance; without them it is set by images that the fit held out. */
  readonly labelled?: (sizes: ImageSizes) => LabelledImages;
  /** Aspects that are taken; all by default. */
  readonly aspects?: readonly string[];
  /** What the outputs of an imported network are; where each is a map, segmentation by default, else presence. */
  readonly as?: OutputKind;
  /** Layers, where they are not chosen. */
  readonly from?: string;
  readonly to?: string;
  readonly kind?: MappingKind;
  /** Said before each part of the work. */
  readonly onPhase?: (phase: string) => void;
  /** Within the last phase, which takes longest: the share of it that is done, and what is being done. */
  readonly onProgress?: (share: number, what: string) => void;
  /** Its reason is thrown between two batches; nothing is written by then. */
  readonly signal?: AbortSignal;
}

/** A pair of layers that was fitted, and how good it is. */
export interface TriedPair extends LayerPair, Partial<MappingQuality> {
  /** Linear CKA; absent where the layers were given. */
  readonly similarity?: number;
}

/** What `mapNetworks` made. */
export interface MappedModel {
  readonly trained: TrainedModel;
  /** Linear, where a U-Net was asked for that predicts hardly more. */
  readonly kind: MappingKind;
  /** All pairs that were fitted; the first is the model's. */
  readonly tried: readonly TriedPair[];
  readonly warnings: readonly string[];
  /** Held-out images with what the heads say of them, from true and from mapped features; none where nothing is mapped. */
  readonly examples: readonly MappedImage[];
}

/** Of `MappedModel`. */
const EXAMPLES = 6;
/** Fewer say too little of two layers. */
const LEAST_IMAGES = 20;
/** A U-Net is taken where it predicts so much more of the variance. */
const UNET_GAIN = 0.02;
/** From which agreement of every head on the latest source layer is taken; without any, the pair that agrees best. */
const GOOD_AGREEMENT = 0.9;

/**
 * Joins a classifier and the aspects of another network, and learns the mapping from one to the other.
 *
 * @throws ConfigError where names clash, or a layer cannot be mapped.
 */
export async function mapNetworks(
  classifier: TrainedModel,
  aspects: TrainedModel,
  options: MapOptions,
): Promise<MappedModel> {
  const { engine, name, onPhase } = options;
  const [first, second] = [classifier, aspects].map(({ spec }) => seenPart(spec));
  if (first !== second)
    throw new ConfigError("the two networks see different parts of an image: one a middle that the other does not.", {
      cure: "Import both with the same --fit; with crop, both for images of one shape.",
    });
  const heads = chosenHeads(classifier.spec, aspects.spec, options);
  if (options.kind === "image" && (options.from ?? options.to) !== undefined)
    throw new ConfigError("--model image: leads from the image to the image.", { cure: "Leave --from and --to out." });
  const specOf = (pair: LayerPair, kind: MappingKind = "linear", quality?: MappingQuality): ModelSpec => ({
    ...classifier.spec,
    heads: [...classifier.spec.heads, ...heads.map((head) => ({ ...head, network: name }))],
    networks: [
      ...(classifier.spec.networks ?? []),
      { name, trunk: aspects.spec.trunk, mapping: { kind, ...pair, ...(quality && { quality }) } },
    ],
  });
  const parameters = { ...classifier.parameters, ...ownParameters(aspects, { name, heads }) };
  const sizes = imageSizes({ ...classifier.spec, networks: specOf({ from: "input", to: "input" }).networks });
  // What was named is looked at before the images are.
  if (options.from ?? options.to)
    createModel(specOf({ from: options.from ?? classifier.spec.source, to: options.to ?? "input" }));
  onPhase?.("images");
  const kept = await keptSamples(options.images(sizes));
  const count = kept.reduce((sum, batch) => sum + batch.length, 0);
  if (count < LEAST_IMAGES)
    throw new InputError(`there are ${count} images, a mapping is learned from at least ${LEAST_IMAGES}.`, {
      cure: "Name more; 200 to 2,000 are usual, and they need no labels.",
    });
  const { signal } = options;
  const images = () => stoppable(kept, signal);
  const pairs = await candidates(classifier.spec, aspects.spec, { heads, options, specOf, parameters, images });
  onPhase?.("fitting");
  const setting = { engine, images, parameters, network: name };
  const solvers =
    options.kind === "image"
      ? pairs.map((pair) => () => ({ ...pair, parameters: {} }))
      : await linearFits(pairs, { ...setting, model: createModel(specOf(pairs[0])) });
  onPhase?.("measuring");
  const tried: Fitted[] = [];
  // The latest source layer first: evidence there is nearer to the answer.
  for (const [index, solve] of solvers.entries()) {
    await setImmediate(); // so that an interruption is heard
    signal?.throwIfAborted();
    const { from, to, parameters: own } = solve();
    const quality = await measureMapping({
      ...{ engine, network: name, images: chosenImages(images, isHeldOut), parameters: { ...parameters, ...own } },
      model: createModel(specOf({ from, to }, options.kind === "image" ? "image" : "linear")),
    });
    const { similarity } = pairs[index];
    tried.push({ from, to, ...quality, parameters: own, ...(similarity !== undefined && { similarity }) });
    if (pairs[index + 1]?.from !== from && tried.some((pair) => leastAgreement(pair) >= GOOD_AGREEMENT)) break;
  }
  const linear = tried.reduce((a, b) => (leastAgreement(b) > leastAgreement(a) ? b : a));
  const common = { engine, network: name, images, signal };
  const { kind, best } = await withUnet(linear, options, {
    ...common,
    modelOf: (kind) => createModel(specOf(pairOf(linear), kind)),
    parameters: { ...parameters, ...linear.parameters },
  });
  const { images: heldOutCount, r2, agreement } = best;
  const quality = kind === "image" ? undefined : { images: heldOutCount, r2, agreement };
  const spec = specOf(pairOf(best), kind, quality);
  const whole = { ...parameters, ...best.parameters };
  const model = createModel(spec);
  const heldOut = chosenImages(images, isHeldOut);
  const examples =
    kind === "image"
      ? []
      : await exampleImages({ engine, model, network: name, parameters: whole, images: heldOut }, { count: EXAMPLES });
  onPhase?.("references");
  const references = await referencesOf(model, { engine, parameters: whole, base: classifier, samples: images });
  onPhase?.("scale of relevance");
  const others = usualMethods(model);
  const given = { engine, parameters: whole, references, others, onProgress: options.onProgress };
  const { samples, causes } = options.labelled?.(sizes) ?? { samples: chosenImages(images, isHeldOut), causes: {} };
  const {
    scales,
    absences,
    warnings: found,
  } = await calibrateModel(model, {
    ...{ ...given, causes },
    samples: () => stoppable(samples(), signal),
  });
  const warnings = [...(quality ? qualityWarnings(quality) : []), ...found];
  signal?.throwIfAborted();
  const shown = [best, ...tried.filter(({ from, to }) => from !== best.from || to !== best.to)].map(
    ({ parameters: _, ...pair }) => (kind === "image" ? { from: pair.from, to: pair.to } : pair),
  );
  if (options.kind === "unet" && kind === "linear")
    warnings.unshift("the U-Net predicts hardly more than the linear mapping, which was kept.");
  return {
    kind,
    trained: {
      ...{ spec, parameters: whole, references, scales, absences },
      provenance: joinedProvenance(classifier.provenance, aspects.provenance, { heads, warnings }),
    },
    tried: shown,
    ...{ warnings, examples },
  };
}

/** A pair that was fitted. */
type Fitted = TriedPair & MappingQuality & { readonly parameters: NdArrays };

function pairOf({ from, to }: LayerPair): LayerPair {
  return { from, to };
}

/** The linear mapping, or, where it was asked for and predicts more, one with a U-Net that begins as that. */
async function withUnet(
  linear: Fitted,
  { kind = "linear", onPhase }: Pick<MapOptions, "kind" | "onPhase">,
  {
    images,
    modelOf,
    parameters,
    ...common
  }: {
    engine: Engine;
    network: string;
    images: () => AsyncIterable<readonly Sample[]>;
    modelOf: (kind: MappingKind) => Model;
    parameters: NdArrays;
    signal?: AbortSignal;
  },
): Promise<{ kind: MappingKind; best: Fitted }> {
  if (kind !== "unet") return { kind, best: linear };
  onPhase?.("fitting a U-Net");
  const model = modelOf("unet");
  const fresh = initialize(model.headParameters, { seed: 1 });
  const own = Object.entries(fresh).filter(([key]) => !Object.hasOwn(parameters, key));
  const start = { ...Object.fromEntries(own), ...parameters };
  const fitted = (await keptSamples(images())).flat().filter((_, index) => !isHeldOut(index));
  const trained = await fitByGradient({ ...common, model, parameters: start, images: fitted });
  const whole = { ...start, ...trained };
  const quality = await measureMapping({
    ...common,
    model,
    images: chosenImages(images, isHeldOut),
    parameters: whole,
  });
  if (quality.r2 < linear.r2 + UNET_GAIN) return { kind: "linear", best: linear };
  return { kind, best: { ...linear, ...quality, parameters: trained } };
}

/** @throws ConfigError where there is none, or a name is taken. */
function chosenHeads(
  classifier: ModelSpec,
  { heads, trunk: { network } }: ModelSpec,
  { aspects, name, as }: Pick<MapOptions, "aspects" | "name" | "as">,
): readonly AspectSpec[] {
  if (as !== undefined && !heads.some((head) => head.kind === "classifier" && head.isImported))
    throw new ConfigError(`--as ${as}: the second was not imported, its aspects are of a kind already.`, {
      cure: "Leave --as out.",
    });
  const all = heads.flatMap((head): readonly AspectSpec[] => {
    if (head.kind === "classifier") return head.isImported ? outputsOf(head, network, as) : [];
    return head.network === undefined ? [head] : [];
  });
  const unknown = all.length === 0 ? undefined : aspects?.find((one) => !all.some((head) => head.name === one));
  if (unknown !== undefined)
    throw new ConfigError(`--aspects: there is no aspect "${unknown}".`, {
      cure: `There are: ${all.map((head) => head.name).join(", ") || "none"}.`,
    });
  const chosen = all.filter((head) => aspects?.includes(head.name) ?? true);
  if (chosen.length === 0) {
    const isMapped = heads.some((head) => head.network !== undefined);
    throw new ConfigError(
      isMapped ? "the aspects of the second are on networks of their own." : "the second has no aspect head.",
      { cure: isMapped ? "Name the run that they come from." : "Train one with aspects." },
    );
  }
  const most = LIMITS.bundleHeads - classifier.heads.length;
  if (chosen.length > most)
    throw new ConfigError(`there are ${chosen.length} aspects, more than the ${most} that still fit.`, {
      cure: "Choose some with --aspects.",
    });
  const names = classifier.heads.map((head) => head.name);
  for (const { name: own } of chosen) {
    if (!isPlainName(own))
      throw new ConfigError(`aspect "${own}": a name without slashes and control characters is needed.`, {
        cure: "Choose others with --aspects, or rename the class.",
      });
    const other = names.includes(own) ? undefined : clashingName(own, names);
    if (other !== undefined)
      throw new ConfigError(`aspects "${other}" and "${own}": their files would have the same name.`, {
        cure: "Choose one of them with --aspects.",
      });
    names.push(own);
  }
  const taken = chosen.find((head) => classifier.heads.some((other) => other.name === head.name));
  if (taken)
    throw new ConfigError(`both runs have an aspect "${taken.name}".`, {
      cure: "Choose others with --aspects.",
    });
  if (classifier.networks?.some((network) => network.name === name))
    throw new ConfigError(`--name ${name}: the classifier's run has such a network already.`, {
      cure: "Choose another --name.",
    });
  return chosen;
}

/** What an output of an imported network is as an aspect. */
export type OutputKind = "segmentation" | "presence" | "amount";
export const OUTPUT_KINDS: readonly OutputKind[] = ["segmentation", "presence", "amount"];

/**
 * Each output of an imported network as an aspect: a map is where it is, a number whether it is there, either may be how
 * much of it.
 *
 * @throws ConfigError where it is no such kind.
 */
function outputsOf(
  { classes, taps, task }: ClassifierSpec,
  network: NetworkTable | undefined,
  as: OutputKind | undefined,
): readonly AspectSpec[] {
  const isMap = network !== undefined && answersByPlace(network);
  const kind = as ?? (isMap ? "segmentation" : "presence");
  if (kind === (isMap ? "presence" : "segmentation"))
    throw new ConfigError(`--as ${kind}: the second ends in ${isMap ? "maps" : "numbers, one for each class"}.`, {
      cure: `It can be ${isMap ? "segmentation" : "presence"} or amount.`,
    });
  const is = task === "single" ? "against" : "alone";
  return classes.map((name, index): AspectSpec => {
    const common = { name, taps, threshold: 0.5, output: { index, of: classes.length, is } } as const;
    return kind === "amount" ? { ...common, kind, form: isMap ? "map" : "number" } : { ...common, kind };
  });
}

/** Of the network's trunk and of its chosen heads, as the joined model names them. */
function ownParameters(
  { parameters }: TrainedModel,
  { name, heads }: { name: string; heads: readonly AspectSpec[] },
): NdArrays {
  const isOf = (prefix: string) => Object.entries(parameters).filter(([key]) => key.startsWith(prefix));
  return {
    ...networkParameters(name, Object.fromEntries(isOf("trunk/"))),
    ...Object.fromEntries(heads.flatMap((head) => isOf(`head/${head.name}/`))),
  };
}

/** The layers that were named, or the pairs that are most alike. */
async function candidates(
  classifier: ModelSpec,
  aspects: ModelSpec,
  {
    heads,
    options,
    specOf,
    parameters,
    images,
  }: {
    heads: readonly AspectSpec[];
    options: MapOptions;
    specOf: (pair: LayerPair) => ModelSpec;
    parameters: NdArrays;
    images: Images;
  },
): Promise<readonly (LayerPair & Partial<CandidatePair>)[]> {
  if (options.kind === "image") return [{ from: "input", to: "input" }];
  const model = createModel(classifier);
  const trunk = createTrunk(aspects.trunk);
  const from = options.from ? [options.from] : sourceLayers(model).map((tap) => tap.name);
  const taps = heads.map((head) => head.taps);
  const to = options.to ? [options.to] : targetLayers({ trunk, heads: taps }).map((tap) => tap.name);
  if (options.from && options.to) return [{ from: options.from, to: options.to }];
  options.onPhase?.("layers");
  const joined = specOf({ from: from[0] ?? model.spec.source, to: to[0] ?? trunk.source });
  const { engine, name } = options;
  return similarPairs({
    ...{ engine, parameters, network: name, from, to },
    model: createModel(joined),
    images,
  });
}

/** Of the head that answers least alike; of the features where no head tells. */
function leastAgreement({ agreement, r2 }: MappingQuality): number {
  const known = Object.values(agreement).flatMap((value) => value ?? []);
  return known.length > 0 ? Math.min(...known) : r2;
}

/** About aspects that the mapping carries badly, or of which that is not known. */
function qualityWarnings({ agreement, images }: MappingQuality): string[] {
  return Object.entries(agreement).flatMap(([name, value]) => {
    if (value === null)
      return `"${name}" is seen in none, or in all, of the ${images} held-out images: how well it is mapped is not known. Add images.`;
    if (value >= LEAST_AGREEMENT) return [];
    return (
      `"${name}" is mapped too badly to be explained: its head answers alike by ${value.toFixed(2)} on held-out images, ` +
      `at least ${LEAST_AGREEMENT} is needed. Map with more images, or from another layer.`
    );
  });
}

/** @throws the signal's reason between two batches. */
async function* stoppable(images: SampleStream, signal?: AbortSignal): AsyncGenerator<readonly Sample[]> {
  for await (const batch of images) {
    signal?.throwIfAborted();
    yield batch;
  }
}

/** The classifier's, with what is known of the heads that were added. */
function joinedProvenance(
  classifier: Provenance,
  aspects: Provenance,
  { heads, warnings }: { heads: readonly AspectSpec[]; warnings: readonly string[] },
): Provenance {
  const isTaken = (name: string) => heads.some((head) => head.name === name);
  const unseen = Object.entries(aspects.unseen ?? {}).filter(([name]) => isTaken(name));
  const all = { ...classifier.unseen, ...Object.fromEntries(unseen) };
  const said = new Set([...classifier.warnings, ...aspects.warnings, ...warnings]);
  return { ...classifier, warnings: [...said], ...(Object.keys(all).length > 0 && { unseen: all }) };
}

/** Of all images alike: what of them a network sees, as a text that is the same for the same part. */
function seenPart({ trunk: { network, inputSize } }: ModelSpec): string {
  if (network?.centerCrop === undefined) return "all";
  const { height, width } = sidesOf(inputSize);
  return `${network.centerCrop} of ${(width / height).toFixed(3)}`;
}
