/** Which layers an explanation reads, and whether they can carry one. */

import { ConfigError } from "../core/errors.js";
import type { Model } from "../model.js";
import { targetLayers } from "./explained-target.js";
import type { InnerTarget } from "./explanation.js";

export interface TapOptions {
  /** One layer that is masked for all heads, instead of those that they read. */
  readonly tap?: string;
  /** The predicted or asked-for class without one. */
  readonly target?: InnerTarget;
}

/**
 * Layers at which evidence is computed, in order of the trunk: the one that is asked for, or those of the aspect heads and the
 * source, unless a head's layer must stand in because an inner target lies before the source.
 */
export function explainedTaps(model: Model, { tap, target }: TapOptions = {}): readonly string[] {
  if (tap !== undefined) return [tap];
  const order = model.trunk.taps.map(({ name }) => name);
  const read = new Set(explainingHeads(model, target).flatMap(({ spec }) => spec.taps));
  const isBehind = order.indexOf(model.spec.source) > lastOf(targetLayers(model, target), order);
  if (target === undefined || !isBehind || read.size === 0) read.add(model.spec.source);
  return order.filter((name) => read.has(name));
}

/** The aspect heads that explain: all but the one that is explained itself. */
export function explainingHeads({ aspects }: Model, target?: InnerTarget): Model["aspects"] {
  if (target === undefined || target.kind === "unit") return aspects;
  return aspects.filter(({ spec }) => spec.name !== target.aspect);
}

/**
 * @returns warnings, one line each, about layers whose explanations mean less.
 * @throws ConfigError where the model has no such layer; where the target does not depend on an explained layer, because it lies
 *   behind all that the target reads; or where a head cannot be reached from the one layer asked for.
 */
export function checkTaps(model: Model, { tap, target }: TapOptions = {}): readonly string[] {
  const { taps, source } = model.trunk;
  const order = taps.map(({ name }) => name);
  if (tap !== undefined && !order.includes(tap))
    throw new ConfigError(`tap: ${model.spec.trunk.name} has no layer "${tap}". Its layers: ${order.join(", ")}.`);
  const heads = explainingHeads(model, target);
  const read = targetLayers(model, target);
  if (tap !== undefined) checkReach(model, tap, [...read, ...heads.flatMap(({ spec }) => spec.taps)]);
  const last = lastOf(read, order);
  return explainedTaps(model, { tap, target }).flatMap((name) => {
    const index = order.indexOf(name);
    const readers = heads.filter(({ spec }) => spec.taps.includes(name)).map(({ spec }) => `head "${spec.name}"`);
    const who = tap !== undefined ? "tap" : readers.length > 0 ? readers.join(", ") : "source";
    if (index > last) {
      const answer = target === undefined ? "answer" : "target";
      const reader = target === undefined ? "the classifier" : "it";
      throw new ConfigError(
        `${who}: the ${answer} does not depend on layer "${name}", which lies behind "${order[last]}", the last that ${reader} reads. ` +
          `Choose "${order[last]}" or an earlier layer, such as "${source}".`,
      );
    }
    if (!taps[index].isLinear) return [];
    return [
      `${who}: no activation follows layer "${name}", so evidence there is signed and less sharp. Prefer "${source}".`,
    ];
  });
}

/** Whether pooling and a dense layer, as CAM reads them, follow right behind the layers that are explained. */
export function allowsCam(model: Model, { tap, target }: TapOptions = {}): boolean {
  const { taps } = model.classifier.spec;
  return target === undefined && camTaps(model, { tap, target }).every((name) => taps.includes(name));
}

function camTaps(model: Model, { tap, target }: TapOptions): readonly string[] {
  return tap === "input" ? [model.spec.source] : explainedTaps(model, { tap, target });
}

/** @throws ConfigError where CAM finds no dense layer right behind the layers that it explains. */
export function checkCam(model: Model, { tap, target }: TapOptions = {}): void {
  if (allowsCam(model, { tap, target })) return;
  const read = camTaps(model, { tap, target });
  const { taps } = model.classifier.spec;
  throw new ConfigError(
    `saliency "cam": wants the classifier's pooling and dense layer right after the layer it explains, which is ${read.join(", ")}; ` +
      `the classifier reads ${taps.join(", ")}. Take another method, or train with "source": "${taps[0]}".`,
  );
}

/** Where a path leads around the masked layer, what it hides would reach the heads all the same. */
function checkReach({ trunk }: Model, tap: string, wanted: readonly string[]): void {
  const unreached = wanted.find((name) => !trunk.leadsTo(tap, name));
  if (unreached === undefined) return;
  const valid = trunk.taps.map(({ name }) => name).filter((name) => wanted.every((to) => trunk.leadsTo(name, to)));
  throw new ConfigError(
    `tap: layer "${unreached}" cannot be computed from "${tap}" alone. Layers that lead to all heads: ${valid.join(", ")}.`,
  );
}

function lastOf(layers: readonly string[], order: readonly string[]): number {
  return Math.max(...layers.map((name) => order.indexOf(name)));
}
