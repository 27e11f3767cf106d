/** `aspectlens inspect`: which layers a network in a file has, and at which of them it can be explained. */

import type { Command } from "commander";
import { ConfigError } from "../../core/errors.js";
import { sizeOf } from "../../core/nd-array.js";
import { type Size, sizeFrom, sizeText } from "../../core/size.js";
import { formatTable } from "../../core/text-table.js";
import { isSpatial, type Operation } from "../../trunk/networks/operation.js";
import { readNetwork } from "../../trunk/networks/read-network.js";
import type { ReadNetwork } from "../../trunk/networks/read-nodes.js";
import { defaultSource, type SourceLayer, sourceLayers } from "../../trunk/networks/source-layers.js";
import { printJson, printLine } from "../output.js";
import { type CommonOptions, runCommand } from "../run-command.js";

interface InspectCommand extends CommonOptions {
  readonly inputSize?: Size;
  readonly all?: boolean;
}

const MEGA = 1e6;

export function addInspect(program: Command): void {
  program
    .command("inspect")
    .description("list the layers of a network in a file, and those at which it can be explained")
    .argument(
      "<file>",
      "the network: an .onnx file of opset 9 to 21, a .keras or .h5 of Keras, or the model.json (or its folder) of a " +
        "TensorFlow.js layers-model",
    )
    .option("--input-size <pixels>", INPUT_SIZE, sizeFromText)
    .option("--all", "list every row of the network, not only layers that can be explained at")
    .option("--json", "print one JSON object (aspectlens-network/1)")
    .option("--debug", "print the stack of an error")
    .addHelpText(
      "after",
      `
Examples:
  aspectlens inspect resnet18.onnx
  aspectlens inspect resnet18.onnx --all --input-size 224
  aspectlens inspect wide.onnx --input-size 224x320`,
    )
    .action((file: string, options: InspectCommand) => runCommand(options, () => runInspect(file, options)));
}

/** Of the option of `inspect` and `import`. */
export const INPUT_SIZE =
  "size of its image, where the file leaves it open: the side of a square, as 224, or HEIGHTxWIDTH, as 224x320";

/** @throws ConfigError where it is no size of an image. */
export function sizeFromText(text: string): Size {
  const [height, width = height, ...more] = text.split("x").map((side) => (side === "" ? Number.NaN : Number(side)));
  const isSide = (side: number) => Number.isInteger(side) && side >= 32 && side <= 4096;
  if (isSide(height) && isSide(width) && more.length === 0) return sizeFrom(height, width);
  throw new ConfigError(`--input-size ${text}: expected whole pixels from 32 to 4096.`, {
    cure: "For example 224, or 224x320: height x width.",
  });
}

async function runInspect(file: string, { inputSize, all = false, json }: InspectCommand): Promise<void> {
  const network = await readNetwork(file, { inputSize });
  const [height, width] = network.size;
  const layers = sourceLayers(network.operations, { height, width });
  const source = defaultSource(layers);
  const count = Object.values(network.parameters).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  if (json) {
    const outputs = Object.fromEntries(Object.entries(network.outputs).map(([name, { shape }]) => [name, shape]));
    printJson({
      format: "aspectlens-network/1",
      ...{ height, width, parameters: count, outputs, source: source?.name ?? null, layers },
      ...(all && { rows: network.operations }),
    });
    return;
  }
  const outputs = Object.entries(network.outputs).map(([name, { shape }]) => `${name} [${shape.slice(1).join(", ")}]`);
  printLine(
    `${file}: image ${sizeText([height, width])}, ${(count / MEGA).toFixed(2)} M parameters, ` +
      `${network.operations.length} rows; output ${outputs.join(", ")}`,
  );
  const table = all ? rowTable(network, layers) : layerTable(layers, source);
  for (const line of formatTable(table, { numbers: "left" })) printLine(line);
  if (!source) printLine("no layer of this network can be explained at: none is larger than 1 x 1 on every path");
  else printLine(`explained at ${source.name} by default; pixels: the file does not say how they are scaled`);
}

function layerTable(layers: readonly SourceLayer[], source: SourceLayer | undefined): string[][] {
  const isSquare = layers.every(({ height, width }) => height === width);
  return [
    ["layer", "stride", isSquare ? "size" : "height x width", "channels", "values", ""],
    ...layers.map((layer) => [
      layer.name,
      String(layer.stride),
      `${layer.height} x ${layer.width}`,
      String(layer.channels),
      layer.isActivation ? "activation" : "sum",
      layer === source ? "default source" : "",
    ]),
  ];
}

function rowTable({ operations }: ReadNetwork, layers: readonly SourceLayer[]): string[][] {
  const sources = new Set(layers.map(({ name }) => name));
  return [
    ["row", "operation", "reads", "output", ""],
    ...operations.map((row) => [
      row.name,
      operationText(row),
      row.inputs.join(", "),
      isSpatial(row.shape) ? `${row.shape[0]} x ${row.shape[1]} x ${row.shape[2]}` : row.shape.join(" x "),
      sources.has(row.name) ? "can be a source" : "",
    ]),
  ];
}

function operationText(row: Operation): string {
  const active = "activation" in row && row.activation !== "none" ? `, ${row.activation}` : "";
  if (row.op === "function") return row.function;
  if (row.op !== "convolution") return `${row.op}${active}`;
  const { kernel, strides, groups } = row;
  const grouped = groups > 1 ? `, ${groups} groups` : "";
  const stride = Math.max(...strides) > 1 ? `, stride ${strides.join(" x ")}` : "";
  return `convolution ${kernel.join(" x ")}${stride}${grouped}${active}`;
}
