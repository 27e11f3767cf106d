import { unzipSync } from "fflate";
import { describe, expect, test } from "vitest";
import { checkImageReading, parseDescription } from "../../src/bundle/description.js";

import { BundleError } from "../../src/core/errors.js";
import { stubBundle } from "./stub.js";

const text = Buffer.from(unzipSync(stubBundle())["bundle.json"]).toString();

/** The value at a path such as `model.heads.0.kind`, set or taken away. */
function edited(path: string, value?: unknown): Uint8Array {
  const description = JSON.parse(text);
  const keys = path.split(".");
  const last = keys.pop() ?? "";
  const holder = keys.reduce((at, key) => at[key], description);
  if (value === undefined) delete holder[last];
  else holder[last] = value;
  return Buffer.from(JSON.stringify(description));
}

describe("a field of bundle.json that is missing or wrong is named", () => {
  test.each([
    ["name", undefined],
    ["name", 7],
    ["model.trunk.name", "constructor"],
    ["model.trunk.alpha", null],
    ["model.trunk.alpha", -1],
    ["model.trunk.inputSize", 64.5],
    ["model.trunk.inputSize", -5],
    ["model.trunk.convention", "x"],
    ["model.source", "toString"],
    ["model.heads", {}],
    ["model.heads.0.task", undefined],
    ["model.heads.0.classes", ["no", "no"]],
    ["model.heads.0.classes", []],
    ["model.heads.0.classes", ["no", " "]],
    ["model.heads.0.taps", []],
    ["model.heads.0.taps", ["conv_pw_13", "conv_pw_13"]],
    ["model.heads.0.kind", "presence"],
    ["model.heads.1.kind", "toString"],
    ["model.heads.1.name", "a/b"],
    ["model.heads.1.name", "class"],
    ["model.heads.1.threshold", "0.5"],
    ["model.heads.1.threshold", 1.5],
    ["model.heads.0.pooling", "max"],
    ["model.heads.0.temperature", 0],
    ["model.heads.0.temperature", "2"],
    ["model.heads.1.taps", ["conv_pw_99"]],
    ["saliency", { a: 1 }],
    ["saliency", "constructor"],
    ["masking", "x"],
    ["scales", null],
    ["scales", { evidence: 7 }],
    ["scales", { evidence: { pixel: { kind: "uncalibrated" } } }],
    ["scales", { evidence: { class: { kind: "probability", line: 0, slope: 2, by: "general" } } }],
    ["scales", { evidence: { class: { kind: "probability", line: 0.02, slope: -1, by: "general" } } }],
    ["scales", { evidence: { class: { kind: "probability", line: 0.02, slope: 2, by: "guess" } } }],
    ["scales", { evidence: { class: { kind: "above-chance", line: "0.02" } } }],
    ["scales", { evidence: { class: { kind: "x" } } }],
    ["provenance.dataset", undefined],
    ["provenance.dataset.hash", 7],
    ["provenance.dataset.counts", { train: "many" }],
    ["provenance.seed", undefined],
    ["provenance.epochs", -1],
    ["provenance.warnings", [7]],
    ["provenance.metrics", []],
    ["preprocessing.kernel", 7],
    ["layouts", { a: ["x"] }],
  ])("%s = %j", (path, value) => {
    const parse = () => parseDescription(edited(path, value), "x.aspect");
    const [first, second] = path.split(".");
    expect(parse).toThrow(BundleError);
    expect(parse).toThrow(new RegExp(`^x\\.aspect: bundle\\.json: "?${second ? `${first}(\\.${second})?` : first}`));
    expect(parse).toThrow(/[Ee]xport (it|the bundle) again\.$/);
  });

  test("more heads than anybody has", () => {
    const { heads } = JSON.parse(text).model;
    const many = Array.from({ length: 300 }, (_, index) => ({ ...heads[1], name: `a${index}` }));
    expect(() => parseDescription(edited("model.heads", [heads[0], ...many]), "x")).toThrow(/at most 256 heads/);
  });

  test("lists in lists without end", () => {
    const deep = Buffer.from(`{"format": ${"[".repeat(100_000)}${"]".repeat(100_000)}}`);
    expect(() => parseDescription(deep, "x.aspect")).toThrow(BundleError);
  });
});

test("another way of reading images is refused, one that says nothing of it is not", () => {
  for (const [key, value] of Object.entries({ fit: "crop", range: [0, 1], channels: "bgr", background: "#000000" })) {
    const description = parseDescription(edited(`preprocessing.${key}`, value), "x");
    expect(() => checkImageReading(description, "x")).toThrow(new RegExp(`preprocessing\\.${key}: this version does`));
  }
  checkImageReading(parseDescription(edited("preprocessing.fit"), "x"), "x");
});

describe("networks of their own", () => {
  const head = JSON.parse(text).model.heads[1];
  const trunk = JSON.parse(text).model.trunk;
  const [layer] = head.taps;
  const mapping = { kind: "linear", from: layer, to: layer };
  const network = { name: "cells", trunk, mapping };
  const withNetworks = (networks: unknown, own: object = { network: "cells" }) => {
    const description = JSON.parse(text);
    Object.assign(description.model, { networks });
    Object.assign(description.model.heads[1], own);
    return () => parseDescription(Buffer.from(JSON.stringify(description)), "x.aspect");
  };

  test("are read", () => {
    expect(withNetworks([network])().model.networks).toEqual([network]);
    const quality = { images: 40, r2: 0.5, agreement: { [head.name]: null } };
    const measured = { ...network, mapping: { ...mapping, quality } };
    expect(withNetworks([measured])().model.networks).toEqual([measured]);
  });

  test.each<[unknown, RegExp]>([
    [{}, /model\.networks: expected a list/],
    [Array(17).fill(network), /model\.networks: expected a list of at most 16/],
    [[7], /model\.networks\[0\]: expected a name/],
    [[network, network], /model\.networks\[1\]\.name: expected a name of its own/],
    [[{ ...network, name: "../x" }], /model\.networks\[0\]\.name/],
    [[{ ...network, trunk: { ...trunk, name: "x" } }], /model\.networks\[0\]\.trunk: expected one that can be built/],
    [[{ ...network, mapping: { ...mapping, kind: "tree" } }], /mapping\.kind: expected one of linear, unet, image/],
    [[{ ...network, mapping: { ...mapping, from: "nowhere" } }], /mapping: expected a layer of the trunk/],
    [[{ ...network, mapping: { ...mapping, to: "toString" } }], /mapping: expected a layer of the trunk/],
    [[{ ...network, mapping: { ...mapping, quality: { images: 3, r2: 2, agreement: {} } } }], /mapping\.quality/],
    [
      [{ ...network, mapping: { ...mapping, quality: { images: 3, r2: 0, agreement: { a: "x" } } } }],
      /mapping\.quality/,
    ],
    [[{ ...network, name: "others" }], /model\.heads\[1\]\.network: expected a network of the model/],
    [undefined, /model\.heads\[1\]\.network/],
  ])("%j is refused", (networks, said) => {
    expect(withNetworks(networks)).toThrow(said);
  });

  test("a classifier has none", () => {
    const description = JSON.parse(text);
    description.model.networks = [network];
    description.model.heads[0].network = "cells";
    expect(() => parseDescription(Buffer.from(JSON.stringify(description)), "x.aspect")).toThrow(
      /model\.heads\[0\]\.network: expected a network of the model, of an aspect head/,
    );
  });
});
