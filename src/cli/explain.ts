/** `aspectlens explain`: images in, for each an explanation, a picture and masks; a table on the terminal. */

import { basename, extname, join } from "node:path";
import { type Command, Option } from "commander";
import { type Explainer, openExplainer } from "../bundle/explainer.js";
import { readBundle } from "../bundle/read-bundle.js";
import { InputError, InterruptedError } from "../core/errors.js";
import { decodeImage } from "../dataset/image.js";
import type { ClassTarget, Explained, MethodChoice } from "../explain/explanation.js";
import { classPart, innerPart } from "../explain/reading/inner-target.js";
import { MAPPING_NAMES, MASKING_NAMES, SALIENCY_NAMES } from "../explain/reading/pairs.js";
import { parseTarget } from "../explain/reading/target.js";
import type { ModelSpec } from "../model.js";
import { type DeviceOptions, deviceOptions, showNotice } from "./engine-options.js";
import { checkFolder } from "./out-folder.js";
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
  readonly allClasses?: boolean;
  readonly interval?: boolean;
  readonly compare?: boolean;
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
    .option("--all-classes", "one explanation for each class, not for the predicted one alone")
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
    .option("--interval", "5 to 95 % of the relevance over 16 slightly changed copies (17 times the work)")
    .option(
      "--compare",
      "a sheet for each image that sets all methods side by side, STEM.compare.png, instead of one explanation",
    )
    .option("--json", "print one explanation a line, and nothing else, on stdout")
    .option("--debug", "print the stack of an error")
    .addHelpText(
      "after",
      "\nExamples:\n  aspectlens explain tissue.aspect slide.png\n  aspectlens explain tissue.aspect images/*.png --target malignant:benign --out why\n  aspectlens explain tissue.aspect slide.png --saliency hires-cam --masking multiply --tap input\n  aspectlens explain tissue.aspect slide.png --all-classes --interval\n  aspectlens explain tissue.aspect slide.png --compare",
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
  checkTogether(options);
  await checkFolder(options.out);
  const bundle = await readBundle(path);
  const { targets, method } = choiceOf(options, bundle.description.model);
  if (options.compare) {
    const { compareImages } = await import("./compare.js");
    return compareImages(bundle, images, { ...options, target: targets?.[0] }, signal);
  }
  const explainer = await openExplainer(bundle, { ...options, method, onNotice: showNotice });
  try {
    if (explainer.description.threshold.isCalibrated && !explainer.threshold.isCalibrated)
      showNotice(`relevant from ${explainer.threshold.value} on is a guess: the threshold is not calibrated for this.`);
    const failures = await explainImages(explainer, images, { ...options, targets }, signal);
    if (failures.length === 0) return;
    for (const failure of failures.slice(0, -1)) process.stderr.write(`aspectlens: ${failure.message}\n`);
    throw failures[failures.length - 1];
  } finally {
    await explainer.dispose();
  }
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
}: ExplainOptions): void {
  const clash = (first: string, second: string, cure: string) => {
    throw new InputError(`${first} and ${second} do not go together. ${cure}`);
  };
  if (allClasses && target !== undefined) clash("--all-classes", "--target", "Leave one of them out.");
  if (!compare) return;
  if (allClasses) clash("--compare", "--all-classes", "Name one class: --target CLASS.");
  if (interval) clash("--compare", "--interval", "Leave one of them out.");
  const chosen = Object.entries({ saliency, masking, tap, mapping }).find(([, value]) => value !== undefined);
  if (chosen) clash("--compare", `--${chosen[0]}`, "The sheet shows every method in its usual form.");
}

/** What the graph is made for, and what it is asked. */
function choiceOf(
  { saliency, masking, tap, mapping, target: text, allClasses, compare }: ExplainOptions,
  { heads }: ModelSpec,
): { targets?: readonly ClassTarget[]; method: MethodChoice } {
  const [classifier] = heads.filter((head) => head.kind === "classifier");
  const aspects = heads.filter((head) => head.kind !== "classifier").map(({ name }) => name);
  if (allClasses) {
    if (classifier.task === "regression")
      throw new InputError("--all-classes: this model answers with a number, so there are no classes. Leave it out.");
    const targets = classifier.classes.map((name) => parseTarget(name, classifier) as ClassTarget);
    return { targets, method: { saliency, masking, tap, mapping } };
  }
  const asked = text === undefined ? undefined : parseTarget(text, classifier, { aspects });
  const target = classPart(asked);
  const isLogit = target?.kind === "logit" && classifier.task === "single";
  if (compare && (isLogit || innerPart(asked)))
    throw new InputError(
      `--compare: explains answers of the classifier; --target ${text} is none. Name a class, or CLASS:OTHER.`,
    );
  const method = { saliency, masking, tap, mapping, target: innerPart(asked), ...(isLogit && { isLogit }) };
  return { ...(target && { targets: [target] }), method };
}

/**
 * Explains all images that can be read and writes their files.
 *
 * @returns what was wrong with the others.
 */
export async function explainImages(
  explainer: Explainer,
  images: readonly string[],
  {
    out,
    targets,
    interval = false,
    json = false,
  }: Pick<ExplainOptions, "out" | "json" | "interval"> & { targets?: readonly ClassTarget[] },
  signal: AbortSignal,
): Promise<InputError[]> {
  const stems = uniqueStems(images, targets && targets.length > 1 ? targets : undefined);
  const [{ writeExplanation }, { explanationTable, showsColours }] = await Promise.all([
    import("../report/write-explanation.js"),
    import("../report/table.js"),
  ]);
  const bar = progressBar("explaining");
  const failures: InputError[] = [];
  let done = 0;
  const count = images.length * (targets?.length ?? 1);
  const stem = (image: unknown, target?: ClassTarget) => stems(image as string, target);
  for await (const outcome of explainer.explainAll(images, { targets, stem, hasInterval: interval })) {
    if (signal.aborted)
      throw new InterruptedError(`interrupted after ${done} of ${count} explanations; what is in ${out} is whole.`);
    const path = outcome.image as string;
    bar.update(++done / count, path);
    if ("error" in outcome) {
      // Of one image that cannot be read, the same for every class.
      if (failures.at(-1)?.message !== outcome.error.message) failures.push(outcome.error);
    } else {
      const { image } = await decodeImage(path, { size: PICTURE_SIZE });
      const picture = { width: PICTURE_SIZE, height: PICTURE_SIZE, pixels: image };
      await writeExplanation(outcome.explained, picture, {
        shape: outcome.explained,
        folder: out,
        stem: stems(path, targets && targets.length > 1 ? targetOf(outcome.explained) : undefined),
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

/** The class that was explained. */
function targetOf({ explanation }: Explained): ClassTarget {
  return explanation.target as ClassTarget;
}

/** File names without endings, of several classes with the class behind, made different where two would be the same. */
export function uniqueStems(
  images: readonly string[],
  targets: readonly ClassTarget[] = [],
): (image: string, target?: ClassTarget) => string {
  const taken = new Set<string>();
  const stems = new Map<string, string>();
  const keyOf = (image: string, target?: ClassTarget) => JSON.stringify([image, target]);
  for (const image of images) {
    for (const target of [undefined, ...targets]) {
      const key = keyOf(image, target);
      if (stems.has(key)) continue;
      const plain = basename(image, extname(image)) + suffixOf(target);
      let stem = plain;
      for (let count = 2; taken.has(stem.toLowerCase()); count++) stem = `${plain}-${count}`;
      taken.add(stem.toLowerCase());
      stems.set(key, stem);
    }
  }
  return (image, target) => stems.get(keyOf(image, target)) ?? "";
}

/** Letters and digits of any script stay; what a file system may not like becomes a hyphen. */
function suffixOf(target?: ClassTarget): string {
  return target === undefined || target.kind === "value" ? "" : `.${target.class.replace(/[^\p{L}\p{N}_-]+/gu, "-")}`;
}
