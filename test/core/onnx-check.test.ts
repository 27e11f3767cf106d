import { describe, expect, test } from "vitest";
import { BundleError } from "../../src/core/errors.js";
import { checkOnnxGraph, type OnnxCheck } from "../../src/core/onnx-check.js";
import { delimited } from "../../src/core/protobuf-fields.js";

// Messages by the field numbers of onnx.proto.
const named = (number: number, name: string) => delimited(number, Buffer.from(name));
const message = (number: number, ...parts: Uint8Array[]) => delimited(number, Buffer.concat(parts));
const model = (...graph: Uint8Array[]) => Buffer.concat([Uint8Array.of(8, 9), message(7, ...graph)]);
const pair = (key: string, value: string) => message(13, named(1, key), named(2, value));
const elsewhere = (location: string) => [named(8, "c"), pair("location", location), Uint8Array.of(14 << 3, 1)];
const node = (operator: string, attribute?: Uint8Array, domain = "") =>
  message(
    1,
    named(3, "n"),
    named(4, operator),
    ...(attribute ? [message(5, named(1, "a"), attribute)] : []),
    named(7, domain),
  );

const check = (bytes: Uint8Array, options: Partial<OnnxCheck> = {}) =>
  checkOnnxGraph(bytes, { file: "x.onnx", ErrorClass: BundleError, ...options });

describe("a graph that reads another file is refused: that file is", () => {
  const secret = elsewhere("../secret");
  const places: Record<string, Uint8Array> = {
    "of an initializer": model(message(5, ...secret)),
    "of the values of a sparse initializer": model(message(15, message(1, ...secret))),
    "of the indices of a sparse initializer": model(message(15, message(2, ...secret))),
    "of an attribute": model(node("Constant", message(5, ...secret))),
    "of one of an attribute's tensors": model(node("Constant", message(10, ...secret))),
    "of an attribute's sparse tensor": model(node("Constant", message(22, message(1, ...secret)))),
    "of one of an attribute's sparse tensors": model(node("Constant", message(23, message(2, ...secret)))),
    "in a second graph, which parsers merge with the first": Buffer.concat([
      model(),
      message(7, node("Constant", message(5, ...secret))),
    ]),
  };
  for (const [place, bytes] of Object.entries(places)) {
    test(place, () => {
      expect(() => check(bytes)).toThrow(BundleError);
      expect(() => check(bytes)).toThrow(/^x\.onnx: .*"c" lies in another file, "\.\.\/secret", .* Export it again\.$/);
    });
  }

  test("said to be elsewhere without a name, or an address in memory", () => {
    const every = { isExternal: () => true };
    expect(() => check(model(message(5, Uint8Array.of(14 << 3, 1))), every)).toThrow(/another file/);
    expect(() => check(model(message(5, ...elsewhere("*/_ORT_MEM_ADDR_/*"))), every)).toThrow(/another file/);
  });
});

test("an initializer may lie in a file that is allowed, an attribute in none", () => {
  const isExternal = (location: string) => location === "w.bin";
  check(model(message(5, ...elsewhere("w.bin"))), { isExternal });
  expect(() => check(model(message(5, ...elsewhere("v.bin"))), { isExternal })).toThrow(/"v.bin"/);
  expect(() => check(model(node("Constant", message(5, ...elsewhere("w.bin")))), { isExternal })).toThrow(/"w.bin"/);
  check(model(message(5, named(8, "c")), node("Constant", message(5, named(8, "c")))));
});

test("graphs inside the graph are refused, and operators of others", () => {
  for (const operator of ["If", "Loop", "Scan", "SequenceMap"])
    expect(() => check(model(node(operator)))).toThrow(`x.onnx: node "n" (${operator}) is control flow`);
  expect(() => check(model(node("Any", message(6))))).toThrow(/holds a graph of its own/);
  expect(() => check(model(node("Any", message(11))))).toThrow(/holds a graph of its own/);
  expect(() => check(Buffer.concat([model(), message(25)]))).toThrow(/functions of its own/);
  expect(() => check(Buffer.concat([model(), message(20)]))).toThrow(/graph for training/);
  expect(() => check(model(node("EPContext", undefined, "com.microsoft")))).toThrow(/"com.microsoft"/);
});

test("what is no whole model is refused", () => {
  const whole = model(node("Conv"));
  expect(() => check(whole.subarray(0, whole.length - 3))).toThrow(/^x\.onnx: is cut off or damaged/);
  expect(() => check(new Uint8Array())).toThrow(/has no graph/);
  expect(() => check(Buffer.from("\x10\0\0\0ORTM..."))).toThrow(/own format/);
});
