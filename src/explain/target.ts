/**
 * Targets: the numbers of a network that a caller can ask about, and what follows from one for the graph: whether a
 * class (an input of the graph, `targetWeights`) or an inner target (a graph of its own), and on which scale.
 */

import type { Task } from "../core/annotation.js";
import type { TargetGroup } from "../core/relevance-scale.js";

/** A number of the classifier's answer. */
export type ClassTarget =
  /** `z_c - logsumexp(z of the others)`. */
  | { readonly kind: "log-odds"; readonly class: string }
  /** `z_class - z_other`. */
  | { readonly kind: "margin"; readonly class: string; readonly other: string }
  /** `z_c`, the class's own score. */
  | { readonly kind: "logit"; readonly class: string }
  /** The answer of a regression. */
  | { readonly kind: "value" };

/** A number of another part of the network. */
export type InnerTarget =
  /**
   * What an aspect head says: its one number, or the sum of its answers before the sigmoid where it sees its aspect.
   */
  | { readonly kind: "aspect"; readonly aspect: string }
  /**
   * An output image (a segmentation or an amount map): the sum of its pixels before the sigmoid, those of the object
   * (where the head sees its aspect) and of the background with a weight each.
   */
  | { readonly kind: "image"; readonly aspect: string; readonly object: number; readonly background: number }
  /** A channel of a layer, its mean over space; or one unit of it, by row and column of the layer's grid. */
  | {
      readonly kind: "unit";
      readonly layer: string;
      readonly channel: number;
      readonly place?: readonly [row: number, column: number];
    };

/** The number that is explained, of each image. */
export type Target = ClassTarget | InnerTarget;

/** How a class is explained: its odds against all others, or its logit as it is (labels and values know no others). */
export type TargetScale = "log-odds" | "logit";

/** The scale on which a graph explains classes. @param target the predicted class without it. */
export function scaleOf(target: Target | undefined, task: Task): TargetScale {
  return task === "single" && target?.kind !== "logit" ? "log-odds" : "logit";
}

/** A target that a graph is made for; `undefined` for a class, which is an input of the graph. */
export function innerTargetOf(target: Target | undefined): InnerTarget | undefined {
  return target && isInner(target) ? target : undefined;
}

/** A target that is an input of the graph; `undefined` also for the predicted class. */
export function classTargetOf(target: Target | undefined): ClassTarget | undefined {
  return target && !isInner(target) ? target : undefined;
}

function isInner(target: Target): target is InnerTarget {
  return target.kind === "aspect" || target.kind === "image" || target.kind === "unit";
}

/** The aspect whose own head is explained, and so does not explain itself. */
export function explainedAspect(target: Target | undefined): string | undefined {
  return target?.kind === "aspect" || target?.kind === "image" ? target.aspect : undefined;
}

/** Targets of one key are explained by one graph. */
export function graphKey(target: Target | undefined, task: Task): string {
  const inner = innerTargetOf(target);
  return inner ? JSON.stringify(inner) : scaleOf(target, task);
}

/** The kind of target that has a scale of its own. @param target the predicted class without it. */
export function groupOf(target: Target | undefined): TargetGroup {
  return innerTargetOf(target)?.kind ?? "class";
}
