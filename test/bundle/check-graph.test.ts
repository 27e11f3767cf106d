import { beforeAll, describe, expect, test } from "vitest";
import { checkGraph } from "../../src/bundle/check-graph.js";
import type { BundleDescription } from "../../src/bundle/description.js";
import { traceExplain, traceGraphs } from "../../src/bundle/export-bundle.js";
import { costOf } from "../../src/bundle/graph-cost.js";
import { readExportedGraph } from "../../src/bundle/graph-reading.js";
import { RULES } from "../../src/bundle/graph-shapes.js";
import { BundleError } from "../../src/core/errors.js";
import { delimited } from "../../src/core/protobuf-fields.js";
import { SALIENCY_NAMES } from "../../src/explain/methods.js";
import { tinyModel } from "./tiny-model.js";

const trained = tinyModel();
// The check reads the model alone.
const description = { model: trained.spec } as BundleDescription;
let graphs: { predict: Uint8Array; explain: Uint8Array };
beforeAll(async () => {
  graphs = await traceGraphs(trained);
});

// Messages by the field numbers of onnx.proto.
const named = (number: number, name: string) => delimited(number, Buffer.from(name));
const message = (number: number, ...parts: Uint8Array[]) => delimited(number, Buffer.concat(parts));
const varint = (number: number, value: number) => {
  const bytes = [number << 3];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    bytes.push((rest % 128) | (rest >= 128 ? 128 : 0));
    if (rest < 128) return Uint8Array.from(bytes);
  }
};
const node = (operator: string, inputs: string[], output: string, ...attributes: Uint8Array[]) =>
  message(
    1,
    ...inputs.map((name) => named(1, name)),
    named(2, output),
    named(3, "added"),
    named(4, operator),
    ...attributes,
  );
const integers = (name: string, values: readonly number[]) =>
  message(
    5,
    varint(1, values.length),
    varint(2, 7),
    named(8, name),
    delimited(9, new Uint8Array(BigInt64Array.from(values, BigInt).buffer)),
  );
const floats = (name: string, ...shape: number[]) =>
  message(
    5,
    ...shape.map((size) => varint(1, size)),
    varint(2, 1),
    named(8, name),
    delimited(9, new Uint8Array(4 * shape.reduce((product, size) => product * size, 1))),
  );

/** The explain graph with parts put into its one graph. */
function withParts(...parts: Uint8Array[]): Uint8Array {
  const { explain } = graphs;
  // Fields 1, 2, 8 (opset) stand before the graph, which is last.
  const start = explain.indexOf(0x3a);
  const graph = Buffer.from(explain).subarray(start);
  let [length, at] = [0, 1];
  for (let shift = 0; ; shift += 7, at++) {
    length += (graph[at] & 127) * 2 ** shift;
    if (graph[at] < 128) break;
  }
  expect(graph.length - at - 1).toBe(length);
  return Buffer.concat([explain.subarray(0, start), message(7, graph.subarray(at + 1), ...parts)]);
}

const check = (model: Uint8Array, graph: "explain" | "predict" = "explain") =>
  checkGraph(model, { graph, description, source: "x.aspect: explain.onnx" });
const refusal = (model: Uint8Array, what: RegExp) => {
  expect(() => check(model)).toThrow(BundleError);
  expect(() => check(model)).toThrow(/^x\.aspect: explain\.onnx: cannot be run: .*\. Export the bundle again\.$/);
  expect(() => check(model)).toThrow(what);
};

describe("a graph that this program wrote", () => {
  test("is accepted, and the shapes of its outputs are known before it runs", () => {
    for (const graph of ["predict", "explain"] as const) {
      expect(checkGraph(graphs[graph], { graph, description, source: "x" })).toBeLessThan(0.01);
      const read = readExportedGraph(graphs[graph]);
      expect(costOf(read).outputs).toEqual(read.outputs);
    }
    check(withParts());
  });

  test.each(SALIENCY_NAMES.filter((name) => name !== "cam"))("is accepted by any method: %s", async (saliency) => {
    check(await traceExplain(trained, { saliency }));
  });
});

describe("a graph is refused", () => {
  test("with an operator, an attribute or a field that is never written", () => {
    refusal(withParts(node("Loop", ["image"], "z")), /node "added" \(Loop\) is not known/);
    refusal(withParts(node("Constant", [], "z", message(5, named(1, "value"), message(5)))), /"value".*field 5/);
    refusal(withParts(node("Relu", ["image"], "z", message(5, named(1, "auto_pad")))), /attribute "auto_pad"/);
    refusal(withParts(message(15)), /graph has field 15/); // a sparse initializer
    refusal(Buffer.concat([graphs.explain, message(25)]), /field 25/); // functions
    refusal(Buffer.concat([graphs.explain, message(7)]), /field 7/); // a second graph
    expect([...RULES.keys()]).not.toContain("If");
  });

  test("that would take more memory or time than a model of its size", () => {
    refusal(
      withParts(integers("s", [200_000_000]), floats("f", 1), node("Expand", ["f", "s"], "z")),
      /would hold 800\d{6} bytes/,
    );
    const outer = [floats("c", 20_000, 1), floats("r", 1, 20_000)];
    refusal(withParts(...outer, node("Mul", ["c", "r"], "z")), /would hold 16\d{8} bytes/);
    refusal(withParts(...outer, node("MatMul", ["c", "r"], "z")), /would hold/);
    const square = [floats("f", 1), integers("s", [5500, 5500]), node("Expand", ["f", "s"], "y")];
    refusal(withParts(...square, node("MatMul", ["y", "y"], "z")), /would compute \d{12} operations/);
  });

  test("whose shapes are known only when it runs, or do not fit", () => {
    refusal(withParts(node("Reshape", ["image", "target"], "z")), /\(Reshape\) has a shape that is only known when/);
    refusal(withParts(integers("s", [7]), node("Reshape", ["image", "s"], "z")), /another number of elements/);
    refusal(withParts(node("Relu", ["nothing"], "z")), /nothing gives "nothing"/);
    refusal(withParts(node("Add", ["image", "target"], "z")), /do not go together/);
  });

  test("that does not fit the description", () => {
    const other = (change: object) => ({ model: { ...trained.spec, ...change } }) as BundleDescription;
    const against = (changed: BundleDescription) => () =>
      checkGraph(graphs.explain, { graph: "explain", description: changed, source: "x" });
    const { trunk, heads } = trained.spec;
    expect(against(other({ trunk: { ...trunk, inputSize: 16_000 } }))).toThrow(
      /needs the input "image" of shape \[1, 16000, 16000, 3\], the graph has \[1, 64, 64, 3\]/,
    );
    expect(against(other({ heads: [...heads, { ...heads[1], name: "more" }] }))).toThrow(/output "more\/unmasked"/);
    expect(against(other({ source: "conv_pw_3" }))).toThrow(/output "saliency\/conv_pw_3".*the graph has none/);
  });

  test("cut off anywhere", () => {
    for (let length = 0; length < graphs.predict.length; length += 997)
      expect(() => check(graphs.predict.subarray(0, length), "predict")).toThrow(BundleError);
  });
});
