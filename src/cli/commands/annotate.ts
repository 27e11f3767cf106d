/** `aspectlens annotate`: writes what is seen in images, and what the answer relied on, into the images themselves. */

import type { Command } from "commander";
import { openExplainer } from "../../bundle/explainer.js";
import { readBundle } from "../../bundle/read-bundle.js";
import { InputError } from "../../core/errors.js";
import { findImages } from "../../dataset/find-images.js";
import { copiesIn, placesOf, withoutOwn } from "../annotated-places.js";
import { type DeviceOptions, deviceOptions, showNotice } from "../engine-options.js";
import { checkFolder } from "../out-folder.js";
import { printJson, printLine, printNote } from "../output.js";
import { type CommonOptions, failed, runCommand } from "../run-command.js";

interface AnnotateOptions extends CommonOptions, DeviceOptions {
  readonly out?: string;
  readonly inPlace?: boolean;
}

const EXAMPLES = `
Examples:
  aspectlens annotate tissue.aspect slides --out annotated
  aspectlens annotate tissue.aspect slides --in-place
  aspectlens annotate tissue.aspect slides --in-place --out tables
  exiftool -XMP-aspectlens:all annotated/images/0001.jpg`;

export function addAnnotate(program: Command): void {
  const command = program
    .command("annotate")
    .description(
      "write the aspects of images into the images themselves, as XMP that photo tools show, and into COCO and Label Studio files",
    )
    .argument("<bundle>", "the .aspect file")
    .argument("<dir>", "folder of images, with all folders in it, or one image: JPEG, PNG, WebP or TIFF")
    .option(
      "--out <folder>",
      "where the annotated copies go (images/), and coco.json, label-studio.json, label-studio.xml",
    )
    .option("--in-place", "change the images where they are; --out then gets the other files alone")
    .option("--json", "print one JSON object")
    .option("--debug", "print the stack of an error")
    .addHelpText("after", EXAMPLES)
    .action((bundle: string, source: string, options: AnnotateOptions) =>
      runCommand(options, (signal) => runAnnotate(bundle, source, options, signal)),
    );
  deviceOptions(command);
}

async function runAnnotate(
  path: string,
  source: string,
  { out, inPlace = false, json, threads, device }: AnnotateOptions,
  signal: AbortSignal,
): Promise<void> {
  if (out === undefined && !inPlace)
    throw new InputError("annotate: where do the annotated images go?", {
      cure: "Name a folder with --out, or change the images where they are: --in-place.",
    });
  if (out !== undefined) await checkFolder(out);
  const bundle = await readBundle(path);
  const found = await findImages([source]);
  if (found.failures.length > 0) throw found.failures[0];
  const images = out === undefined || inPlace ? found.images : await withoutOwn(found.images, { source, out });
  const inputs = [path];
  const places =
    out === undefined || inPlace
      ? await placesOf(source, { images, out, inputs })
      : await copiesIn(out, { source, images, inputs });
  const skipped: { image: string; reason: string }[] = [];
  const onFailure = (image: string, error: InputError) => {
    skipped.push({ image, reason: error.message });
    printNote(`aspectlens: ${error.message}`);
  };
  for (const sentence of Object.values(bundle.description.provenance.unseen ?? {})) showNotice(sentence);
  // Loaded while the session opens.
  const [explainer, { annotateImages }] = await Promise.all([
    openExplainer(bundle, { threads, device, onNotice: showNotice }),
    import("../annotate-images.js"),
  ]);
  try {
    if (explainer.scaleOf().kind === "uncalibrated")
      showNotice("scores are not calibrated for this model: no aspect is called relevant.");
    const { summary, files, annotated, unchanged } = await annotateImages(
      explainer,
      images,
      { places, onFailure },
      signal,
    );
    if (json) printJson({ annotated, unchanged, skipped, files });
    else {
      for (const line of summary.lines({ skipped: skipped.length })) printLine(line);
      const where = inPlace ? `in place (${unchanged} said the same already)` : `in ${out}/images`;
      printLine(`${annotated} images annotated ${where}`);
      for (const file of Object.values(files)) printLine(`  ${file}`);
    }
  } finally {
    await explainer.dispose();
  }
  if (skipped.length > 0) failed(`${skipped.length} of ${images.length} images not annotated, for the reasons above.`);
}
