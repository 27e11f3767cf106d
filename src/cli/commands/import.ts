/** `aspectlens import`: a finished classifier from another tool becomes a run. */

import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Command, Option } from "commander";
import { ConfigError, InputError } from "../../core/errors.js";
import { parseJson } from "../../core/json.js";
import { isRecord, isStrings } from "../../core/json-values.js";
import type { Size } from "../../core/size.js";
import { findImages } from "../../dataset/find-images.js";
import { selectEngine } from "../../engine/select-engine.js";
import { OUTPUT_SCALES, type OutputScale } from "../../trunk/networks/import-table.js";
import { type PixelScaling, SCALINGS } from "../../trunk/networks/network-table.js";
import { importNetwork } from "../../workflows/import-network.js";
import { type EngineOptions, engineOptions, showNotice } from "../engine-options.js";
import { printJson, printLine } from "../output.js";
import { quoted } from "../quoted-path.js";
import { type CommonOptions, runCommand } from "../run-command.js";
import { INPUT_SIZE, sizeFromText } from "./inspect.js";

interface ImportCommand extends CommonOptions, EngineOptions {
  readonly out: string;
  readonly classes?: string;
  readonly scaling?: PixelScaling;
  readonly inputSize?: Size;
  readonly source?: string;
  readonly images?: readonly string[];
  readonly fit?: number | "stretch";
  readonly output?: OutputScale;
  readonly check?: string;
}

export function addImport(program: Command): void {
  engineOptions(program.command("import"))
    .description("import a finished classifier from another tool, whole, as a run that heads can be added to")
    .argument(
      "<network>",
      "an .onnx file of opset 9 to 21; a .keras or .h5 of Keras 2 or 3; the model.json (or its folder) of a TensorFlow.js " +
        "layers-model, as Teachable Machine saves it; for weights of a trunk alone: aspectlens weights import",
    )
    .requiredOption("--out <run>", "run folder to write")
    .option("--classes <file>", "text file with the name of a class in each line, in the order of the outputs")
    .addOption(
      new Option(
        "--scaling <how>",
        "what the network expects of pixels: tf (-1..1), unit (0..1), caffe (BGR minus ImageNet's mean), imagenet " +
          "(torchvision), none (0..255), or MEAN/DEVIATION of 0..1, as 0.5/0.25 or 0.4,0.5,0.6/0.2,0.2,0.2; only a " +
          "folder of Teachable Machine says it itself",
      ).argParser(scalingOf),
    )
    .addOption(
      new Option(
        "--fit <how>",
        "how it sees an image: stretch, all of it made the network's size (the default), or crop, its middle in the network's " +
          "shape, mostly a square; crop=0.875 where that is so much of the largest one in the image, as with torchvision's " +
          "usual resize to 256 and crop to 224",
      ).argParser(fitOf),
    )
    .option("--input-size <pixels>", INPUT_SIZE, sizeFromText)
    .option("--source <layer>", "layer to explain at, one that aspectlens inspect lists; by default as it says")
    .option("--images <image...>", "images or folders that are typical of what it will see, at most 200 are used")
    .addOption(
      new Option(
        "--output <kind>",
        "what its outputs are, where it does not end in a softmax or sigmoid that tells: logits, taken as they are (the " +
          "default), or probabilities, whose logarithm is explained",
      ).choices(OUTPUT_SCALES),
    )
    .option(
      "--check <file.npz>",
      "compare with outputs of your own instead of the file's own runtime: np.savez(FILE, images=..., outputs=...), images N x " +
        "height x width x 3 of 0..255 before any scaling",
    )
    .option("--json", "print one JSON object")
    .option("--debug", "print the stack of an error")
    .addHelpText(
      "after",
      `
Examples:
  aspectlens import model.keras --scaling none --check check.npz --out runs/mine
  aspectlens import resnet18.onnx --scaling imagenet --classes labels.txt --out runs/resnet --images photos
  aspectlens import my_teachable_machine --out runs/mine
  aspectlens train aspects.json --add-heads runs/resnet`,
    )
    .action((network: string, options: ImportCommand) =>
      runCommand(options, (signal) => runImport(network, options, signal)),
    );
}

/** @throws ConfigError where it is none of the names, nor two lists of numbers. */
function scalingOf(text: string): PixelScaling {
  if (Object.hasOwn(SCALINGS, text)) return SCALINGS[text];
  const lists = text
    .split("/")
    .map((part) => part.split(",").map((number) => (number === "" ? Number.NaN : Number(number))));
  const [mean, deviation] = lists.map((list) => (list.length === 1 ? [list[0], list[0], list[0]] : list));
  const isScaling =
    lists.length === 2 &&
    [mean, deviation].every((list) => list.length === 3 && list.every(Number.isFinite)) &&
    deviation.every((value) => value > 0);
  if (!isScaling)
    throw new ConfigError(`--scaling ${text}: expected ${Object.keys(SCALINGS).join(", ")}, or MEAN/DEVIATION.`, {
      cure: "For example 0.485,0.456,0.406/0.229,0.224,0.225.",
    });
  return { mean: [mean[0], mean[1], mean[2]], deviation: [deviation[0], deviation[1], deviation[2]], channels: "rgb" };
}

/** @returns the share of the largest middle of the network's shape that is seen. Not `undefined`, of which commander makes "". */
function fitOf(text: string): number | "stretch" {
  if (text === "stretch") return text;
  const [, share = "1"] = /^crop(?:=(.+))?$/.exec(text) ?? [undefined, ""];
  const value = share === "" ? Number.NaN : Number(share);
  if (value > 0 && value <= 1) return value;
  throw new ConfigError(`--fit ${text}: expected stretch, crop, or crop= a share above 0 to 1.`, {
    cure: "For example crop=0.875.",
  });
}

async function runImport(
  path: string,
  { out, classes, scaling: asked, inputSize, source, images, fit, output, check, json, ...options }: ImportCommand,
  signal: AbortSignal,
): Promise<void> {
  const teachable = await readTeachableMachine(path);
  const scaling = asked ?? (teachable && SCALINGS.tf);
  if (!scaling)
    throw new ConfigError("--scaling: what the network expects of pixels must be said: no file says it.", {
      cure: `One of ${Object.keys(SCALINGS).join(", ")}, or MEAN/DEVIATION; torchvision's networks want imagenet.`,
    });
  const names = classes === undefined ? teachable?.labels : await readNames(classes);
  const found = images && (await findImages(images));
  for (const failure of found?.failures ?? []) throw failure;
  const engine = await selectEngine({ ...options, onNotice: showNotice });
  try {
    const { trained, ending, error, original, comparedImages, notCompared } = await importNetwork(path, {
      ...{
        out,
        engine,
        scaling,
        inputSize,
        source,
        signal,
        check,
        outputs: output,
        centerCrop: fit === "stretch" ? undefined : fit,
      },
      ...(names && { classes: names }),
      ...(found && { images: found.images }),
    });
    const { spec, provenance } = trained;
    const [{ classes: labels, task }] = spec.heads.flatMap((head) => (head.kind === "classifier" ? [head] : []));
    if (json) {
      printJson({
        ...{
          run: out,
          source: spec.source,
          classes: labels,
          task,
          ending,
          error,
          original,
          comparedImages,
          notCompared,
        },
        warnings: provenance.warnings,
      });
      return;
    }
    const isTold = output === "probabilities" && ending !== "none";
    const end =
      ending === "none"
        ? ""
        : `; ${isTold ? "of its probabilities the logits" : `its ${ending} is left out, so that logits`} are explained`;
    printLine(
      `${path}: ${labels.length} ${task === "multi" ? "labels" : "classes"}, explained at ${spec.source}${end}`,
    );
    if (error === null) printLine(`not compared with the original: ${notCompared}`);
    else
      printLine(`compared with ${original} on ${comparedImages} images: differs by ${error.toExponential(1)} at most`);
    for (const warning of provenance.warnings) printLine(`warning: ${warning}`);
    printLine(`next: aspectlens train aspects.json --add-heads ${quoted(out)}`);
  } finally {
    await engine.dispose();
  }
}

/** The labels that Teachable Machine writes beside its model; it scales pixels to -1..1. */
async function readTeachableMachine(path: string): Promise<{ readonly labels: readonly string[] } | undefined> {
  const folder = path.endsWith("model.json") ? dirname(path) : path;
  const file = join(folder, "metadata.json");
  const bytes = await readFile(file).catch(() => undefined);
  if (!bytes) return undefined;
  const metadata = parseJson(bytes, { where: file, error: InputError, cure: "Download the model again." });
  return isRecord(metadata) && isStrings(metadata.labels) ? { labels: metadata.labels } : undefined;
}

/** @throws InputError where the file cannot be read, or a name is there twice. */
async function readNames(path: string): Promise<string[]> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new InputError(`${path}: cannot be read.`, { cure: "Check the path.", file: path, cause });
  });
  const names = text
    .replace(/^\ufeff/, "")
    .split(/\r?\n/)
    .map((line) => line.trim());
  while (names.at(-1) === "") names.pop();
  const empty = names.indexOf("");
  if (empty >= 0)
    throw new InputError(`${path}: line ${empty + 1} is empty.`, { cure: "Give each class a name.", file: path });
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice === undefined) return names;
  throw new InputError(`${path}: "${twice}" stands there twice.`, {
    cure: "Give each class a name of its own.",
    file: path,
  });
}
