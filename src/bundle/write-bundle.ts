/** Writes a trained model as one `.aspect` file: the same bytes for the same model, whole or not at all. */

import { type Zippable, zipSync } from "fflate";
import { writeFileAtomic } from "../core/files.js";
import { type MaskingName, methodOf, type SaliencyName } from "../explain/methods.js";
import type { TrainedModel } from "../model/trained-model.js";
import { encodeWeights } from "./bundled-weights.js";
import { BUNDLE_FORMAT, type BundleDescription, FILES, fitOf, GOLDENS, parseDescription } from "./description.js";
import { sha256 } from "./file-hash.js";
import { encodeGolden, type Golden } from "./golden.js";
import { modelCard } from "./model-card.js";
import { moveConstantsOut } from "./onnx-weights.js";

/** What the user says of the rights in the model, where no file is given. */
export const DEFAULT_LICENCE = `\
This model belongs to whoever trained it, and no licence to use it is granted by this file.
Ask whoever gave you the bundle. Whoever exports a model can put its licence here.
`;

export interface WriteOptions {
  /** How the model is called; by default as the dataset. */
  readonly name?: string;
  /** Standard ONNX with the constants inside, inputs `image` and (explain) `target`. */
  readonly predict: Uint8Array;
  readonly explain: Uint8Array;
  readonly goldens: readonly Golden[];
  /** The resizing kernel of training. */
  readonly kernel: string;
  readonly saliency?: SaliencyName;
  readonly masking?: MaskingName;
  /** Text of the model's licence. */
  readonly licence?: string;
}

/** The first day that a zip can name; a real date would change the bytes of each export. */
const FIRST_DAY = new Date(1980, 0, 1);

/** Writes the bundle atomically; makes its folder. */
export async function writeBundle(path: string, trained: TrainedModel, options: WriteOptions): Promise<void> {
  await writeFileAtomic(path, encodeBundle(trained, options));
}

/**
 * The bytes of the bundle. @throws BundleError where the model could not be read back, as with an aspect called `a/b`.
 */
export function encodeBundle(trained: TrainedModel, options: WriteOptions): Uint8Array {
  const { name = trained.provenance.dataset.name, predict, explain, goldens, kernel } = options;
  const { licence = DEFAULT_LICENCE } = options;
  const { saliency, masking } = methodOf(options);
  const { spec, scales, absences, provenance } = trained;
  const weights = encodeWeights(trained, { graphs: [explain, predict] });
  const external = { location: FILES.weights, place: weights.place };
  const contents: Record<string, Uint8Array> = {
    [FILES.explain]: moveConstantsOut(explain, external),
    [FILES.predict]: moveConstantsOut(predict, external),
    [FILES.weights]: weights.bytes,
    [FILES.modelCard]: Buffer.from(modelCard(trained, { name }), "utf8"),
    [FILES.licence]: Buffer.from(licence, "utf8"),
    ...Object.fromEntries(goldens.map((golden) => [`${GOLDENS}${golden.name}.safetensors`, encodeGolden(golden)])),
  };
  const names = Object.keys(contents).sort();
  const description: BundleDescription = {
    format: BUNDLE_FORMAT,
    name,
    model: spec,
    preprocessing: {
      size: spec.trunk.inputSize,
      ...fitOf(spec),
      kernel,
      channels: "rgb",
      range: [0, 255],
      orientation: "exif",
      background: "#ffffff",
    },
    saliency,
    masking,
    scales,
    absences,
    provenance,
    layouts: weights.layouts,
    files: Object.fromEntries(names.map((file) => [file, listing(contents[file])])),
  };
  const text = `${JSON.stringify(description, null, 2)}\n`;
  const first = Buffer.from(text, "utf8");
  parseDescription(first, name); // what could not be read back is not written
  // What an explanation reads is stored as it is: unpacking would cost more than reading. The rest is packed.
  const stored: readonly string[] = [FILES.explain, FILES.predict, FILES.weights];
  const entries: Zippable = { [FILES.description]: [first, { level: 9 }] };
  for (const file of names) entries[file] = [contents[file], { level: stored.includes(file) ? 0 : 6 }];
  return zipSync(entries, { mtime: FIRST_DAY, os: 3 });
}

function listing(bytes: Uint8Array): { bytes: number; sha256: string } {
  return { bytes: bytes.length, sha256: sha256(bytes) };
}
