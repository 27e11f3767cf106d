/** `aspectlens explain`: writes an explanation, an overlay and masks for each image, and prints a table. */

import { type Command, Option } from "commander";
import { openExplainer } from "../../bundle/explainer.js";
import { readBundle } from "../../bundle/read-bundle.js";
import { InputError } from "../../core/errors.js";
import { findImages } from "../../dataset/find-images.js";
import type { MethodChoice } from "../../explain/explanation.js";
import { MAPPING_NAMES, MASKING_NAMES, SALIENCY_NAMES } from "../../explain/methods.js";
import { parseTarget } from "../../explain/reading/parse-target.js";
import { graphKey, type Target } from "../../explain/target.js";
import type { ModelSpec } from "../../model/model-spec.js";
import { type DeviceOptions, deviceOptions, showNotice } from "../engine-options.js";
import { checkFolder } from "../out-folder.js";
import { prepareResults } from "../results.js";
import { type CommonOptions, runCommand } from "../run-command.js";
import { skipper } from "../skipped-images.js";

interface ExplainOptions extends CommonOptions, DeviceOptions {
  readonly out: string;
  readonly target?: string;
  readonly saliency?: MethodChoice["saliency"];
  readonly masking?: MethodChoice["masking"];
  readonly tap?: string;
  readonly mapping?: MethodChoice["mapping"];
  readonly allClasses?: boolean;
  readonly interval?: boolean;
  readonly compare?: boolean;
  readonly maskSize?: "image" | "model";
  readonly pictures: boolean;
}

const EXAMPLES = `
Examples:
  aspectlens explain tissue.aspect slide.png
  aspectlens explain tissue.aspect images --out why
  aspectlens explain tissue.aspect images --out why --no-pictures
  aspectlens explain tissue.aspect 'images/**/*.png' --target malignant:benign
  aspectlens explain tissue.aspect slide.png --saliency hires-cam --masking multiply --tap input
  aspectlens explain tissue.aspect slide.png --all-classes --interval
  aspectlens explain tissue.aspect slide.png --compare`;

export function addExplain(program: Command): void {
  const command = program
    .command("explain")
    .description("explain which aspects an answer relied on: JSON, an overlay and masks for each image")
    .argument("<bundle>", "the .aspect file")
    .argument("<image...>", "images, folders of images, or quoted patterns such as 'images/**/*.png'")
    .option("--out <folder>", "where the files go", "explanations")
    .option(
      "--target <what>",
      "what to explain instead of the predicted class: another CLASS, CLASS:OTHER (the margin between two classes), " +
        "logit:CLASS (a class's own score), aspect:NAME or image:NAME (the output of an aspect head), " +
        "image:NAME@OBJECT,BACKGROUND (with these weights of pixels), unit:LAYER/CHANNEL (a channel), " +
        "unit:LAYER/CHANNEL@ROW,COLUMN (one unit of it)",
    )
    .option("--all-classes", "one explanation for each class, not for the predicted one alone")
    .addOption(
      new Option(
        "--saliency <method>",
        "saliency method that relevance is computed with; the model's by default",
      ).choices(SALIENCY_NAMES),
    )
    .addOption(
      new Option("--masking <way>", "how the saliency masks the representation; the model's by default").choices(
        MASKING_NAMES,
      ),
    )
    .option(
      "--tap <layer>",
      "layer to mask for all aspects, or input for the image; by default the layer that each head reads",
    )
    .addOption(
      new Option(
        "--mapping <name>",
        "identity, or grey: aspect heads read the masked image without colours (with --tap input)",
      ).choices(MAPPING_NAMES),
    )
    .option(
      "--interval",
      "add the 5 to 95 % range of relevance over 16 slightly changed copies (takes 17 times as long)",
    )
    .option(
      "--compare",
      "instead of an explanation, draw all methods side by side on one sheet for each image, STEM.compare.png",
    )
    .addOption(
      new Option(
        "--mask-size <of>",
        "image: masks in the image's width and height, as they are by default; model: square, as the model sees it",
      ).choices(["image", "model"]),
    )
    .option("--no-pictures", "write the JSON alone, without overlay and masks: several times as fast")
    .option("--json", "print one explanation per line, as JSON, and nothing else on stdout")
    .option("--debug", "print the stack of an error")
    .addHelpText("after", EXAMPLES)
    .action((bundle: string, images: string[], options: ExplainOptions) =>
      runCommand(options, (signal) => runExplain(bundle, images, options, signal)),
    );
  deviceOptions(command);
}

async function runExplain(
  path: string,
  words: readonly string[],
  options: ExplainOptions,
  signal: AbortSignal,
): Promise<void> {
  checkTogether(options);
  await checkFolder(options.out);
  const bundle = await readBundle(path);
  const { targets, method } = choiceOf(options, bundle.description.model);
  const { images, failures } = await findImages(words);
  const skipped = skipper(words.length === 1 ? Math.max(1, images.length) : images.length + failures.length);
  for (const failure of failures) skipped.add(failure);
  const { compare: isCompared, out, threads, device } = options;
  const results = await prepareResults(images, {
    out,
    targets,
    isCompared,
    hasPictures: options.pictures,
    inputs: [path],
    spec: bundle.description.model,
  });
  for (const sentence of Object.values(bundle.description.provenance.unseen ?? {})) showNotice(sentence);
  if (isCompared) {
    const { compareImages } = await import("./compare.js");
    await compareImages(bundle, images, { ...options, target: targets?.[0], results, skipped }, signal);
  } else {
    const opening = openExplainer(bundle, { threads, device, method, targets, onNotice: showNotice });
    // Loaded while the session opens.
    const [explainer, { explainImages }] = await Promise.all([opening, import("../explain-images.js")]);
    try {
      if (explainer.scaleOf(targets?.[0]).kind === "uncalibrated")
        showNotice("scores are not calibrated for this method, target or model: they rank the aspects, no more.");
      await explainImages(explainer, images, { ...options, targets, results, skipped }, signal);
    } finally {
      await explainer.dispose();
    }
  }
  skipped.end();
}

/** @throws InputError where options contradict each other. */
function checkTogether({
  allClasses,
  target,
  compare,
  interval,
  saliency,
  masking,
  tap,
  mapping,
  maskSize,
  pictures,
}: ExplainOptions): void {
  const clash = (first: string, second: string, cure: string) => {
    throw new InputError(`${first} and ${second} cannot be used together.`, { cure });
  };
  if (allClasses && target !== undefined) clash("--all-classes", "--target", "Leave one of them out.");
  if (!pictures && maskSize) clash("--no-pictures", "--mask-size", "No masks are written without pictures.");
  if (!compare) return;
  if (!pictures) clash("--compare", "--no-pictures", "A comparison is a picture.");
  if (allClasses) clash("--compare", "--all-classes", "Name one class: --target CLASS.");
  if (interval) clash("--compare", "--interval", "Leave one of them out.");
  const chosen = Object.entries({ saliency, masking, tap, mapping }).find(([, value]) => value !== undefined);
  if (chosen) clash("--compare", `--${chosen[0]}`, "The sheet shows every method in its usual form.");
}

/** What is explained, and how. */
function choiceOf(
  { saliency, masking, tap, mapping, target: text, allClasses, compare }: ExplainOptions,
  { heads }: ModelSpec,
): { targets?: readonly Target[]; method: MethodChoice } {
  const method = { saliency, masking, tap, mapping };
  const [classifier] = heads.filter((head) => head.kind === "classifier");
  const aspects = heads.filter((head) => head.kind !== "classifier").map(({ name }) => name);
  if (allClasses) {
    if (classifier.task === "regression")
      throw new InputError("--all-classes: this model is a regression and has no classes.", {
        cure: "Leave it out.",
      });
    return { targets: classifier.classes.map((name) => parseTarget(name, classifier)), method };
  }
  if (text === undefined) return { method };
  const target = parseTarget(text, classifier, { aspects });
  if (compare && graphKey(target, classifier.task) !== graphKey(undefined, classifier.task))
    throw new InputError(`--compare: explains the classifier only, and --target ${text} is not one of its outputs.`, {
      cure: "Name a class, or CLASS:OTHER.",
    });
  return { targets: [target], method };
}
