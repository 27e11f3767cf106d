/**
 * Which inputs and outputs the graphs of a described model have, and of which shapes; `-1` stands for any size. Their
 * names are made in `../core/graph-ports.ts`.
 */

import { answerPort, CLASSIFIER_OUTPUTS, headAnswers, INPUTS, overlapPort, tapPort } from "../core/graph-ports.js";
import { type Size, shapeOf } from "../core/size.js";
import type { AspectSpec } from "../heads/head-spec.js";
import { imageShapes } from "../model/image-inputs.js";
import { layersOf } from "../model/model-spec.js";
import { trunkTaps } from "../trunk/taps.js";
import type { BundleDescription } from "./description.js";
import type { Ports } from "./graph-reading.js";

type Described = Pick<BundleDescription, "model">;
type GraphName = "explain" | "predict";

export function inputsOf(description: Described, graph: GraphName): Ports {
  const inputs = new Map<string, readonly number[]>(Object.entries(imageShapes(description.model, 1)));
  if (graph === "explain") inputs.set(INPUTS.target, [1, classCount(description)]);
  return inputs;
}

/**
 * The outputs that are read; a graph may give more.
 *
 * @param given by the graph: where boxes lie is a matter of the head, but its three answers must lie alike.
 */
export function outputsOf(description: Described, graph: GraphName, given: Ports): Ports {
  const { trunk, source, heads } = description.model;
  const aspects = heads.filter((head) => head.kind !== "classifier");
  const outputs = new Map<string, readonly number[]>();
  for (const name of Object.values(CLASSIFIER_OUTPUTS)) outputs.set(name, [1, classCount(description)]);
  for (const head of aspects) {
    const shape = answerShape(head, trunk.inputSize, given.get(answerPort(head.name, "unmasked"))?.slice(1, 3));
    const answers = graph === "predict" ? (["unmasked"] as const) : headAnswers(head);
    for (const answer of answers) outputs.set(answerPort(head.name, answer), shape);
  }
  if (graph === "predict") return outputs;
  const sizes = new Map(trunkTaps(trunk).map(({ name, size }) => [name, size]));
  const mapOf = (tap: string, channels: number) => [1, ...shapeOf(sizes.get(tap) ?? -1), channels];
  outputs.set(tapPort("saliency", source), mapOf(source, 1));
  const layers = (head: AspectSpec) => layersOf(description.model, head);
  for (const tap of new Set(aspects.flatMap(layers))) {
    const readers = aspects.filter((head) => layers(head).includes(tap));
    outputs.set(tapPort("evidence", tap), mapOf(tap, 2));
    for (const { name } of readers) outputs.set(overlapPort(name, tap), mapOf(tap, 2));
    if (readers.length > 1) outputs.set(tapPort("pairs", tap), [1, (readers.length * (readers.length - 1)) / 2]);
  }
  return outputs;
}

/** Columns of the logits; a regression has one. */
export function classCount({ model }: Described): number {
  const [classes = []] = model.heads.flatMap((head) => (head.kind === "classifier" ? [head.classes] : []));
  return Math.max(1, classes.length);
}

function answerShape(head: AspectSpec, size: Size, cells: readonly number[] = [-1, -1]): readonly number[] {
  switch (head.kind) {
    case "boxes":
      return [1, ...cells, 5];
    case "segmentation":
      return [1, ...shapeOf(size), 1];
    case "presence":
      return [1, 1];
    case "amount":
      return head.form === "map" ? [1, ...shapeOf(size), 1] : [1, 1];
  }
}
