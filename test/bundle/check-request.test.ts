import { expect, test } from "vitest";
import {
  checkImage,
  checkImages,
  checkMethod,
  checkOpening,
  checkRequest,
  checkStem,
  checkTarget,
} from "../../src/bundle/check-request.js";
import { InputError } from "../../src/core/errors.js";
import type { MethodChoice } from "../../src/explain/explanation.js";
import type { Target } from "../../src/explain/target.js";
import type { ClassifierSpec } from "../../src/heads/head-spec.js";

const classifier: ClassifierSpec = {
  name: "class",
  kind: "classifier",
  task: "single",
  classes: ["a", "b"],
  taps: ["x"],
};
const refused = (check: () => void, message: RegExp) => {
  expect(check).toThrow(InputError);
  expect(check).toThrow(message);
};

test("a target is one of the model's, as it is told apart by its kind", () => {
  for (const target of [undefined, { kind: "logit", class: "a" }, { kind: "margin", class: "a", other: "b" }] as const)
    checkTarget(target, classifier);
  const wrong = (target: unknown, message: RegExp, of = classifier) =>
    refused(() => checkTarget(target as Target, of), message);
  wrong(null, /target null: expected \{ kind \} of log-odds/);
  wrong("a", /target "a": expected \{ kind \}/);
  wrong({ kind: "toString" }, /expected \{ kind \}/);
  wrong({ kind: "logit" }, /the classes are a, b\. Name one of the classes\.$/);
  wrong({ kind: "log-odds", class: "c" }, /the classes are a, b\. Did you mean "a"\?$/);
  wrong({ kind: "margin", class: "a" }, /the classes are a, b\. Name one of the classes\.$/);
  wrong({ kind: "margin", class: "a", other: "a" }, /a margin is between two classes/);
  wrong({ kind: "value" }, /the kind "value" is for regressions\. Name a class: a, b\.$/);
  wrong({ kind: "image", aspect: "x", object: "1", background: 0 }, /object and background must be numbers/);
  checkTarget({ kind: "image", aspect: "x", object: 1, background: -0.5 }, classifier);
  checkTarget({ kind: "unit", layer: "x", channel: 3 }, classifier);
  const number: ClassifierSpec = { ...classifier, task: "regression", classes: [] };
  checkTarget({ kind: "value" }, number);
  wrong({ kind: "logit", class: "a" }, /answers with a number/, number);
});

test("an image is a path, or numbers of 0 to 255 at the model's size", () => {
  checkImage("x.png", 2);
  checkImage({ name: "x", pixels: new Uint8Array(12), width: 640 }, 2);
  checkImage({ name: "x", pixels: new Float32Array(12).fill(254.5) }, 2);
  const wrong = (image: unknown, message: RegExp) => refused(() => checkImage(image, 2), message);
  wrong(undefined, /^image: expected a path, \{ name, bytes \} or \{ name, pixels \}, got "undefined"\.$/);
  wrong(7, /got 7\.$/);
  wrong(new Uint8Array(12), /got an object \("Uint8Array"\)/);
  wrong({ name: "x" }, /^x: expected 2 x 2 RGB pixels \(12 numbers of 0\.\.255\), got "undefined"/);
  wrong({ name: "x", pixels: new Uint8Array(16) }, /got 16 numbers/);
  wrong({ name: "x", pixels: new Float32Array(12).fill(Number.NaN, 5) }, /got "NaN" at place 5/);
  wrong({ name: "x", pixels: new Float32Array(12).fill(256) }, /got "256" at place 0/);
  wrong({ name: "x", pixels: new BigInt64Array(12) }, /got an object/);
  wrong({ name: "x", pixels: new Uint8Array(12), height: -1 }, /width and height/);
});

test("a bundle is opened with options that are some", () => {
  for (const opened of [undefined, null, 5, {}, "", Buffer.alloc(3)])
    refused(() => checkOpening(opened, {}), /openExplainer: expected the path of a bundle/);
  refused(() => checkOpening("b", null as never), /options: expected an object/);
  refused(() => checkOpening("b", { thraeds: 1 }), /unknown key "thraeds".*threads/);
  for (const threads of [-1, Number.NaN, 1.5, 1000])
    refused(() => checkOpening("b", { threads }), /threads: expected a whole number of 1\.\.256/);
  refused(() => checkOpening("b", { device: "tpu" }), /device "tpu": expected one of cpu, webgpu, cuda/);
  checkOpening("b", { threads: 2, device: "cpu", method: {} });
});

test("images, requests and methods are what they are called", () => {
  refused(() => checkImages("x.png"), /images: expected a list of images, got a text/);
  refused(() => checkImages(undefined), /expected a list/);
  checkImages(["x.png"]);
  checkImages((async function* () {})());
  refused(() => checkRequest(null as never, ["target"]), /request: expected an object/);
  refused(() => checkRequest({ interval: true }, ["hasInterval"]), /request: unknown key "interval"/);
  for (const stem of ["", "../../x", {}, 5]) refused(() => checkStem(stem), /^stem .*without slashes/);
  checkStem("x.benign");
  refused(
    () => checkMethod({ saliency: "constructor" } as unknown as MethodChoice),
    /saliency "constructor": expected one of evidence/,
  );
  refused(
    () => checkMethod({ mapping: "x" } as unknown as MethodChoice),
    /mapping "x": expected one of identity, grey/,
  );
  checkMethod({ saliency: "cam", masking: "multiply" });
});
