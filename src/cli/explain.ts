/** `aspectlens explain`: images in, for each an explanation, a picture and masks; a table on the terminal. */

import { stat } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { type Command, Option } from "commander";
import { type Explainer, openExplainer } from "../bundle/explainer.js";
import { readBundle } from "../bundle/read-bundle.js";
import { InputError, InterruptedError } from "../core/errors.js";
import { decodeImage } from "../dataset/image.js";
import type { ClassTarget, MethodChoice } from "../explain/explanation.js";
import { classPart, innerPart } from "../explain/reading/inner-target.js";
import { MAPPING_NAMES, MASKING_NAMES, SALIENCY_NAMES } from "../explain/reading/pairs.js";
import { parseTarget } from "../explain/reading/target.js";
import type { ModelSpec } from "../model.js";
import { type DeviceOptions, deviceOptions, showNotice } from "./engine-options.js";
import { type CommonOptions, runCommand } from "./outcome.js";
import { printJson, printLine } from "./output.js";
import { progressBar } from "./progress.js";

interface ExplainOptions extends CommonOptions, DeviceOptions {
  readonly out: string;
  readonly target?: string;
  readonly saliency?: MethodChoice["saliency"];
  readonly masking?: MethodChoice["masking"];
  readonly tap?: string;
  readonly mapping?: MethodChoice["mapping"];
}

/** Side to which the original is squeezed for the picture, pixels; the picture gives it its shape back. */
const PICTURE_SIZE = 512;

export function addExplain(program: Command): void {
  const command = program
    .command("explain")
    .description("say which aspects an answer relied on: JSON, an overlay picture and masks for each image")
    .argument("<bundle>", "the .aspect file")
    .argument("<image...>", "images")
    .option("--out <folder>", "where the files go", "explanations")
    .option(
      "--target <what>",
      "explain this class instead of the predicted one; CLASS:OTHER explains the margin between two, logit:CLASS its own score, aspect:NAME or image:NAME an aspect head, unit:LAYER/CHANNEL a channel",
    )
    .addOption(
      new Option("--saliency <method>", "how relevance is found; the bundle's own by default").choices(SALIENCY_NAMES),
    )
    .addOption(new Option("--masking <way>", "how it masks the representation").choices(MASKING_NAMES))
    .option(
      "--tap <layer>",
      "mask this one layer for all aspects, or input, the image itself; each head's own by default",
    )
    .addOption(
      new Option(
        "--mapping <name>",
        "grey: aspect heads see the masked image without colours; needs --tap input",
      ).choices(MAPPING_NAMES),
    )
    .option("--json", "print one explanation a line, and nothing else, on stdout")
    .option("--debug", "print the stack of an error")
    .addHelpText(
      "after",
      "\nExamples:\n  aspectlens explain tissue.aspect slide.png\n  aspectlens explain tissue.aspect images/*.png --target malignant:benign --out why\n  aspectlens explain tissue.aspect slide.png --saliency hires-cam --masking multiply --tap input",
    )
    .action((bundle: string, images: string[], options: ExplainOptions) =>
      runCommand(options, (signal) => runExplain(bundle, images, options, signal)),
    );
  deviceOptions(command);
}

async function runExplain(
  path: string,
  images: readonly string[],
  options: ExplainOptions,
  signal: AbortSignal,
): Promise<void> {
  const bundle = await readBundle(path);
  const { target, method } = choiceOf(options, bundle.description.model);
  const explainer = await openExplainer(bundle, { ...options, method, onNotice: showNotice });
  try {
    if (explainer.description.threshold.isCalibrated && !explainer.threshold.isCalibrated)
      showNotice(`relevant from ${explainer.threshold.value} on is a guess: the threshold is not calibrated for this.`);
    const failures = await explainImages(explainer, images, { ...options, target }, signal);
    if (failures.length === 0) return;
    for (const failure of failures.slice(0, -1)) process.stderr.write(`aspectlens: ${failure.message}\n`);
    throw failures[failures.length - 1];
  } finally {
    await explainer.dispose();
  }
}

/** What the graph is made for, and what it is asked. */
function choiceOf(
  { saliency, masking, tap, mapping, target: text }: ExplainOptions,
  { heads }: ModelSpec,
): { target?: ClassTarget; method: MethodChoice } {
  const [classifier] = heads.filter((head) => head.kind === "classifier");
  const aspects = heads.filter((head) => head.kind !== "classifier").map(({ name }) => name);
  const asked = text === undefined ? undefined : parseTarget(text, classifier, { aspects });
  const target = classPart(asked);
  const isLogit = target?.kind === "logit" && classifier.task === "single";
  return { target, method: { saliency, masking, tap, mapping, target: innerPart(asked), ...(isLogit && { isLogit }) } };
}

/**
 * Explains all images that can be read and writes their files.
 *
 * @returns what was wrong with the others.
 */
export async function explainImages(
  explainer: Explainer,
  images: readonly string[],
  { out, target, json = false }: Pick<ExplainOptions, "out" | "json"> & { target?: ClassTarget },
  signal: AbortSignal,
): Promise<InputError[]> {
  await checkFolder(out);
  const stems = uniqueStems(images);
  const [{ writeExplanation }, { explanationTable, showsColours }] = await Promise.all([
    import("../report/write-explanation.js"),
    import("../report/table.js"),
  ]);
  const bar = progressBar("explaining");
  const failures: InputError[] = [];
  let done = 0;
  const stem = (image: unknown) => stems.get(image as string);
  for await (const outcome of explainer.explainAll(images, { target, stem })) {
    if (signal.aborted)
      throw new InterruptedError(`interrupted after ${done} of ${images.length} images; what is in ${out} is whole.`);
    const path = outcome.image as string;
    bar.update(++done / images.length, path);
    if ("error" in outcome) failures.push(outcome.error);
    else {
      const { image } = await decodeImage(path, { size: PICTURE_SIZE });
      const picture = { width: PICTURE_SIZE, height: PICTURE_SIZE, pixels: image };
      await writeExplanation(outcome.explained, picture, {
        shape: outcome.explained,
        folder: out,
        stem: stem(path) ?? "",
      });
      bar.clear();
      if (json) printJson(outcome.explained.explanation);
      else printLine(`${explanationTable(outcome.explained.explanation, { colours: showsColours(process.stdout) })}\n`);
    }
  }
  bar.clear();
  if (!json && failures.length < images.length) printLine(`pictures, masks and JSON: ${join(out, "*")}`);
  return failures;
}

async function checkFolder(out: string): Promise<void> {
  const found = await stat(out).catch(() => null);
  if (found && !found.isDirectory()) throw new InputError(`--out ${out}: is a file. Name a folder.`);
}

/** File names without endings, made different where two images of different folders share one. */
function uniqueStems(images: readonly string[]): Map<string, string> {
  const taken = new Set<string>();
  const stems = new Map<string, string>();
  for (const image of images) {
    if (stems.has(image)) continue;
    const plain = basename(image, extname(image));
    let stem = plain;
    for (let count = 2; taken.has(stem.toLowerCase()); count++) stem = `${plain}-${count}`;
    taken.add(stem.toLowerCase());
    stems.set(image, stem);
  }
  return stems;
}
