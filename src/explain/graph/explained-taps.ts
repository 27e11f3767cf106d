/** Which layers an explanation reads, and whether a model, a target and a tap allow one there. */

import { ConfigError } from "../../core/errors.js";
import type { Model } from "../../model/model.js";
import { layersOf } from "../../model/model-spec.js";
import { explainedAspect, innerTargetOf, type Target } from "../target.js";
import { targetLayers } from "./explained-target.js";

/** Which layer is masked, and what is explained. */
export interface TapOptions {
  /** One layer that is masked for all heads, instead of those that they read. */
  readonly tap?: string;
  /** Any class, the predicted one too, reads the same layers. */
  readonly target?: Target;
}

/**
 * Layers at which evidence is computed, in order of the trunk: the tap that is asked for; else the layers of the aspect
 * heads and the source. An inner target that is computed before the source does not depend on it: then the heads'
 * layers alone.
 */
export function explainedTaps(model: Model, { tap, target }: TapOptions = {}): readonly string[] {
  if (tap !== undefined) return [tap];
  const order = model.trunk.taps.map(({ name }) => name);
  const read = new Set(explainingHeads(model, target).flatMap(({ spec }) => layersOf(model.spec, spec)));
  const isSourceLater = order.indexOf(model.spec.source) > lastOf(targetLayers(model, target), order);
  if (innerTargetOf(target) === undefined || !isSourceLater || read.size === 0) read.add(model.spec.source);
  return order.filter((name) => read.has(name));
}

/** The aspect heads that explain: all but the one that is explained itself. */
export function explainingHeads({ aspects }: Model, target?: Target): Model["aspects"] {
  return aspects.filter(({ spec }) => spec.name !== explainedAspect(target));
}

/**
 * @returns warnings, one line each, about layers whose explanations mean less.
 * @throws ConfigError where the model has no such layer; where the target does not depend on an explained layer,
 *   because the layer comes after all that the target reads; or where a head cannot be computed from the tap alone.
 */
export function checkTaps(model: Model, { tap, target: asked }: TapOptions = {}): readonly string[] {
  const target = innerTargetOf(asked);
  const { taps, source } = model.trunk;
  const order = taps.map(({ name }) => name);
  if (tap !== undefined && !order.includes(tap))
    throw new ConfigError(`tap: ${model.spec.trunk.name} has no layer "${tap}".`, {
      cure: `Its layers: ${order.join(", ")}.`,
    });
  const heads = explainingHeads(model, target);
  const read = targetLayers(model, target);
  const layers = (head: (typeof heads)[number]) => layersOf(model.spec, head.spec);
  const wanted = [...read, ...heads.flatMap(layers)];
  if (tap !== undefined) {
    checkMappings(model, tap, heads);
    checkReach(model, tap, wanted);
  }
  const last = lastOf(read, order);
  return explainedTaps(model, { tap, target }).flatMap((name) => {
    const index = order.indexOf(name);
    const readers = heads.filter((head) => layers(head).includes(name)).map(({ spec }) => `head "${spec.name}"`);
    const who = tap !== undefined ? "tap" : readers.length > 0 ? readers.join(", ") : "source";
    if (index > last) {
      const answer = target === undefined ? "answer" : "target";
      const reader = target === undefined ? "the classifier" : "it";
      const cure = target === undefined ? earlierLayer(model, order[last]) : sharedLayer(model, wanted);
      throw new ConfigError(
        `${who}: the ${answer} does not depend on layer "${name}", which comes after "${order[last]}", ` +
          `the last that ${reader} reads. ${cure}`,
      );
    }
    if (!taps[index].isLinear) return [];
    return [
      `${who}: no activation follows layer "${name}", so evidence there is signed and less sharp. Prefer "${source}".`,
    ];
  });
}

/** Whether pooling and a dense layer, as CAM reads them, follow right after the layers that are explained. */
export function allowsCam(model: Model, { tap, target }: TapOptions = {}): boolean {
  const { taps, isImported } = model.classifier.spec;
  if (isImported) return false;
  return innerTargetOf(target) === undefined && camTaps(model, { tap, target }).every((name) => taps.includes(name));
}

function camTaps(model: Model, { tap, target }: TapOptions): readonly string[] {
  return tap === "input" ? [model.spec.source] : explainedTaps(model, { tap, target });
}

/** @throws ConfigError where CAM finds no dense layer right after the layers that it explains. */
export function checkCam(model: Model, { tap, target: asked }: TapOptions = {}): void {
  const target = innerTargetOf(asked);
  if (allowsCam(model, { tap, target })) return;
  const read = camTaps(model, { tap, target });
  const { taps } = model.classifier.spec;
  const why =
    target === undefined
      ? "needs the classifier's pooling and dense layer right after the layer it explains, " +
        `which is ${read.join(", ")}; the classifier reads ${taps.join(", ")}`
      : "reads the classifier's dense layer, so it explains the classifier's answer alone";
  throw new ConfigError(`saliency "cam": ${why}.`, { cure: `Take another method${camCure(model, { tap, target })}.` });
}

/** Beside another method, what of the options to leave out; of the model itself, how to train it. */
function camCure(model: Model, { tap, target }: TapOptions): string {
  if (model.networks.length > 0) return "";
  if (target !== undefined && allowsCam(model, { tap })) return ", or leave the target out";
  const named = [target && "the target", tap && "the tap"].filter((name) => name !== undefined).join(" and ");
  if (named !== "" && allowsCam(model)) return `, or leave ${named} out`;
  return target === undefined ? `, or train with "source": "${model.classifier.spec.taps[0]}"` : "";
}

/** @throws ConfigError where a mapping starts from another layer. */
function checkMappings({ networks }: Model, tap: string, heads: Model["aspects"]): void {
  const used = networks.filter(({ spec }) => heads.some((head) => head.spec.network === spec.name));
  const starts = [...new Set(used.map(({ spec }) => spec.mapping.from))];
  if (starts.every((from) => from === tap)) return;
  const layers = starts.map((from) => `"${from}"`).join(" and ");
  throw new ConfigError(`tap: aspects on networks of their own are reached from layer ${layers}, not from "${tap}".`, {
    cure: starts.length === 1 ? `Take ${layers}, or leave the tap out.` : "Leave the tap out.",
  });
}

/** @throws ConfigError where a path leads around the tap: what its mask removes would reach the heads all the same. */
function checkReach(model: Model, tap: string, wanted: readonly string[]): void {
  const unreached = wanted.find((name) => !model.trunk.leadsTo(tap, name));
  if (unreached === undefined) return;
  const valid = leadingTo(model, wanted).map(({ name }) => name);
  throw new ConfigError(`tap: layer "${unreached}" cannot be computed from "${tap}" alone.`, {
    cure: `Layers that lead to all heads: ${valid.join(", ")}.`,
  });
}

/** What to train with instead of a layer after all that the classifier reads. */
function earlierLayer({ trunk }: Model, last: string): string {
  const names = trunk.taps.map(({ name }) => name);
  const example = names.indexOf(trunk.source) < names.indexOf(last) ? `, such as "${trunk.source}"` : "";
  return `Choose "${last}" or an earlier layer${example}.`;
}

/** What to ask for where a target lies before the heads' own layers. */
function sharedLayer(model: Model, wanted: readonly string[]): string {
  if (model.networks.length > 0) return "Aspects on networks of their own cannot explain it.";
  const best = leadingTo(model, wanted).findLast(({ isLinear }) => !isLinear);
  return `Mask one layer from which it and all heads are computed: --tap ${best?.name}.`;
}

/** The layers, in order, from each of which alone all that is wanted can be computed; the input always. */
function leadingTo({ trunk }: Model, wanted: readonly string[]): Model["trunk"]["taps"] {
  return trunk.taps.filter(({ name }) => wanted.every((to) => trunk.leadsTo(name, to)));
}

/** Of some layers, the one that comes last in the trunk. */
export function lastLayer({ trunk }: Model, layers: readonly string[]): string {
  const order = trunk.taps.map(({ name }) => name);
  return order[lastOf(layers, order)];
}

function lastOf(layers: readonly string[], order: readonly string[]): number {
  return Math.max(...layers.map((name) => order.indexOf(name)));
}
