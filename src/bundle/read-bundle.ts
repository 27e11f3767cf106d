/** Reads a `.aspect` file piece by piece, and checks each piece before it is used; needs no TensorFlow.js. */

import { BundleError, inFile } from "../core/errors.js";
import { ownValue } from "../core/own-value.js";
import { clip } from "../core/terminal.js";
import type { TrainedModel } from "../model/trained-model.js";
import { decodeWeights } from "./bundled-weights.js";
import { checkGraph } from "./check-graph.js";
import { type BundleDescription, FILES, GOLDENS, parseDescription } from "./description.js";
import { checkHash } from "./file-hash.js";
import { decodeGolden, type Golden } from "./golden.js";
import { moveConstantsIn } from "./onnx-weights.js";
import { readCheckedZipEntry, readZipDirectory, readZipEntry, type ZipDirectory } from "./zip.js";

/** An opened bundle: what it says of itself, and where its files stand. Holds no file open. */
export interface Bundle {
  readonly path: string;
  readonly description: BundleDescription;
  /** @internal */
  readonly directory: ZipDirectory;
}

const MOST_DESCRIPTION_BYTES = 2 ** 24;

/**
 * Opens a bundle: its directory and `bundle.json` alone, so that a large one opens as fast as a small one.
 *
 * @throws BundleError in one line that names the file inside: no zip, cut off, another version, a file missing or too
 *   many, an unsafe or double name, a size that is not as listed.
 */
export function readBundle(path: string): Promise<Bundle> {
  return inFile({ file: path }, () => open(path));
}

async function open(path: string): Promise<Bundle> {
  const directory = await readZipDirectory(path);
  const entry = directory.get(FILES.description);
  if (!entry)
    throw new BundleError(`${path}: ${FILES.description} is missing.`, { cure: "This is no bundle; export it again." });
  const bytes = await readCheckedZipEntry(path, entry, { limit: MOST_DESCRIPTION_BYTES });
  const description = parseDescription(bytes, path);
  for (const [name, { bytes }] of Object.entries(description.files)) {
    const listed = directory.get(name);
    if (!listed)
      throw new BundleError(`${path}: ${clip(name)} is missing.`, { cure: "Copy or export the bundle again." });
    if (listed.bytes !== bytes) {
      throw new BundleError(`${path}: ${clip(name)} has ${listed.bytes} bytes instead of ${bytes}.`, {
        cure: "Export the bundle again.",
      });
    }
  }
  for (const name of directory.keys()) {
    if (name === FILES.description || Object.hasOwn(description.files, name)) continue;
    throw new BundleError(`${path}: ${clip(name)} is not listed in ${FILES.description}.`, {
      cure: "Export the bundle again.",
    });
  }
  return { path, description, directory };
}

/**
 * One file, checked against its SHA-256.
 *
 * @throws BundleError naming it, where it is missing or was changed.
 */
export function readBundleFile(bundle: Bundle, name: string): Promise<Uint8Array> {
  return inFile({ file: bundle.path }, () => checkedFile(bundle, name));
}

async function checkedFile({ path, description, directory }: Bundle, name: string): Promise<Uint8Array> {
  const entry = directory.get(name);
  const listed = ownValue(description.files, name);
  if (!entry || !listed)
    throw new BundleError(`${path}: ${clip(name)} is missing.`, { cure: "Copy or export the bundle again." });
  const bytes = await readZipEntry(path, entry, { limit: listed.bytes });
  checkHash(bytes, { listed: listed.sha256, where: `${path}: ${clip(name)}` });
  return bytes;
}

/** A graph ready for ONNX Runtime, its weights inside. @throws BundleError */
export async function readGraph(bundle: Bundle, graph: "explain" | "predict"): Promise<Uint8Array> {
  return (await readWeighedGraph(bundle, graph)).model;
}

/** The same, with the share of the computing allowed for one run that it takes. @throws BundleError */
export async function readWeighedGraph(
  bundle: Bundle,
  graph: "explain" | "predict",
): Promise<{ model: Uint8Array; share: number }> {
  const [model, weights] = await Promise.all([
    readBundleFile(bundle, FILES[graph]),
    readBundleFile(bundle, FILES.weights),
  ]);
  const source = `${bundle.path}: ${FILES[graph]}`;
  const share = checkGraph(model, { graph, description: bundle.description, source });
  return { model: moveConstantsIn(model, { location: FILES.weights, weights, source }), share };
}

/** The model as it was before the export, to trace other methods from or to train on. @throws BundleError */
export function readBundledModel(bundle: Bundle): Promise<TrainedModel> {
  return inFile({ file: bundle.path }, () => unpackModel(bundle));
}

async function unpackModel(bundle: Bundle): Promise<TrainedModel> {
  const { model, scales, absences = {}, provenance, layouts } = bundle.description;
  const bytes = await readBundleFile(bundle, FILES.weights);
  const weights = decodeWeights(bytes, { layouts, source: `${bundle.path}: ${FILES.weights}` });
  return { spec: model, scales, absences, provenance, ...weights };
}

/** Names of the goldens, in order. */
export function goldenNames({ description }: Bundle): string[] {
  return Object.keys(description.files).filter((name) => name.startsWith(GOLDENS));
}

/** @param file one of `goldenNames`. @throws BundleError */
export async function readGolden(bundle: Bundle, file: string): Promise<Golden> {
  const name = file.slice(GOLDENS.length).replace(/\.safetensors$/, "");
  return decodeGolden(await readBundleFile(bundle, file), { name, source: `${bundle.path}: ${file}` });
}
