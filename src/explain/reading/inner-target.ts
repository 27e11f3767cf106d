/** What is explained other than the classifier's answer, as a user names it. */

import { InputError } from "../../core/errors.js";
import { findName } from "../../core/keys.js";
import type { ClassTarget, InnerTarget, Target } from "../explanation.js";

/** Forms of a target beside classes, for help and errors. */
export const INNER_FORMS = "aspect:NAME, image:NAME, unit:LAYER/CHANNEL, unit:LAYER/CHANNEL@ROW,COLUMN";

/**
 * `aspect:NAME`; `image:NAME` or `image:NAME@OBJECT,BACKGROUND` with weights of pixels, 1,1 by default; `unit:LAYER/CHANNEL` or
 * `unit:LAYER/CHANNEL@ROW,COLUMN`.
 *
 * @param aspects of the model.
 * @returns `undefined` where the text has none of these forms.
 * @throws InputError where it has, but names no aspect, or holds no numbers.
 */
export function parseInnerTarget(text: string, aspects: readonly string[]): InnerTarget | undefined {
  const [, kind, rest] = /^(aspect|image|unit):(.*)$/s.exec(text) ?? [];
  if (kind === undefined) return undefined;
  if (kind === "unit") {
    const [, layer, channel, row, column] = /^(.+)\/(\d+)(?:@(\d+),(\d+))?$/s.exec(rest) ?? [];
    if (layer === undefined) throw new InputError(`target "${text}": expected one of ${INNER_FORMS}.`);
    const place = row === undefined ? {} : { place: [Number(row), Number(column)] as const };
    return { kind, layer, channel: Number(channel), ...place };
  }
  const whole = findName(rest, aspects);
  if (kind === "aspect" && whole !== undefined) return { kind, aspect: whole };
  if (kind === "image") {
    if (whole !== undefined) return { kind, aspect: whole, object: 1, background: 1 };
    const [, name = "", weights = ""] = /^(.*)@([^@]*)$/s.exec(rest) ?? [];
    const aspect = findName(name, aspects);
    if (aspect !== undefined) return { kind, aspect, ...weightsOf(weights, text) };
  }
  throw new InputError(`target "${text}": no such aspect. The model has: ${aspects.join(", ") || "none"}.`);
}

/** Of `OBJECT,BACKGROUND`. */
function weightsOf(weights: string, text: string): { object: number; background: number } {
  const [object, background, ...more] = weights
    .split(",")
    .map((one) => (/^-?[\d.]+$/.test(one) ? Number(one) : Number.NaN));
  if (object === 0 && background === 0)
    throw new InputError(
      `target "${text}": both weights are 0, so nothing is left to explain. Write @1,0 for the object.`,
    );
  if (Number.isFinite(object) && Number.isFinite(background) && more.length === 0) return { object, background };
  throw new InputError(`target "${text}": "${weights}" is not two numbers. Write @OBJECT,BACKGROUND, such as @1,0.`);
}

export function isInnerTarget(target: Target): target is InnerTarget {
  return target.kind === "aspect" || target.kind === "image" || target.kind === "unit";
}

/** The part of a target that an explanation's graph is made for; `undefined` for a class, which the graph takes as an input. */
export function innerPart(target: Target | undefined): InnerTarget | undefined {
  return target && isInnerTarget(target) ? target : undefined;
}

/** The part that is an input of the graph. */
export function classPart(target: Target | undefined): ClassTarget | undefined {
  return target && !isInnerTarget(target) ? target : undefined;
}
