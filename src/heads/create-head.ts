/** Which function makes which kind of head. */

import { ConfigError } from "../core/errors.js";
import { amount } from "./amount.js";
import { boxes } from "./boxes.js";
import { classifier } from "./classifier.js";
import type { Head, HeadContext } from "./head.js";
import type { HeadSpec } from "./head-spec.js";
import { presence } from "./presence.js";
import { segmentation } from "./segmentation.js";

/**
 * Makes a head, as functions of its parameters.
 *
 * @throws ConfigError where the specification makes no head: no tap, a threshold outside 0..1, fewer than two classes.
 */
export function createHead(spec: HeadSpec, context: HeadContext): Head {
  check(spec, context);
  switch (spec.kind) {
    case "classifier":
      return classifier(spec, context);
    case "segmentation":
      return segmentation(spec, context);
    case "boxes":
      return boxes(spec, context);
    case "presence":
      return presence(spec, context);
    case "amount":
      return amount(spec, context);
  }
}

function check(spec: HeadSpec, { taps }: HeadContext): void {
  const fail = (what: string) => new ConfigError(`head "${spec.name}": ${what}`);
  if (taps.length === 0) throw fail("it reads no layer; name at least one.");
  if (spec.kind !== "classifier") {
    if (spec.threshold > 0 && spec.threshold < 1) return;
    throw fail(`expected a threshold between 0 and 1, got ${spec.threshold}.`);
  }
  const { task, classes, scale } = spec;
  const least = { single: 2, multi: 1, regression: 0 }[task];
  if (classes.length < least) throw fail(`a task "${task}" needs at least ${least} classes, got ${classes.length}.`);
  if (scale && !(scale.deviation > 0)) throw fail(`expected a deviation above 0, got ${scale.deviation}.`);
}
