/**
 * The graphs of an explainer: which one a target needs, opened when it is first asked for, and what its scores
 * mean.
 */

import { type ScoreScale, scaleIn } from "../core/relevance-scale.js";
import type { RuntimeOptions } from "../engine/devices.js";
import type { Runtime } from "../engine/session.js";
import { openSessionPool, type SessionPool } from "../engine/session-pool.js";
import type { MethodChoice } from "../explain/explanation.js";
import { methodOf } from "../explain/methods.js";
import { graphKey, groupOf, type Target } from "../explain/target.js";
import { layersOf } from "../model/model-spec.js";
import { type BundleDescription, FILES } from "./description.js";
import { openGraph } from "./graph-session.js";
import { type Bundle, readBundledModel, readGraph } from "./read-bundle.js";

export interface ExplanationGraphs {
  /** The method with the bundle's own choices filled in. */
  readonly method: MethodChoice;
  /** What scores mean: calibrated at the heads' own layers alone. */
  scaleOf(target: Target | undefined): ScoreScale;
  /**
   * Sessions of the graph that explains a target, the same for all targets that share it.
   *
   * @throws ConfigError where the model does not allow the method or has no such target; BundleError where the graph
   *   cannot be built.
   */
  sessionsOf(target: Target | undefined): Promise<SessionPool>;
  dispose(): Promise<void>;
}

export function explanationGraphs(bundle: Bundle, asked: MethodChoice, options: RuntimeOptions): ExplanationGraphs {
  const { description, path } = bundle;
  const { method, hasOwnLayers, isOwn } = fillIn(asked, description);
  const task = description.model.heads.flatMap((head) => (head.kind === "classifier" ? [head.task] : []))[0];
  const opened = new Map<string, Promise<SessionPool>>();
  const open = async (target: Target | undefined) => {
    const isBundled = isOwn && graphKey(target, task) === graphKey(undefined, task);
    const read = isBundled ? () => readGraph(bundle, "explain") : await traced(bundle, method, target);
    const createSession = async (runtime: Runtime) =>
      openGraph(runtime, await read(), { file: path, name: FILES.explain });
    return openSessionPool(createSession, options);
  };
  return {
    method,
    scaleOf: (target) =>
      hasOwnLayers ? scaleIn(description.scales, methodOf(method).saliency, groupOf(target)) : { kind: "uncalibrated" },
    sessionsOf(target) {
      const key = graphKey(target, task);
      const sessions = opened.get(key) ?? open(target);
      opened.set(key, sessions);
      return sessions;
    },
    async dispose() {
      for (const sessions of await Promise.allSettled(opened.values()))
        if (sessions.status === "fulfilled") await sessions.value.dispose();
    },
  };
}

/** Whether heads are explained at the layers that they read, and whether the method is the bundle's own in all. */
function fillIn(
  asked: MethodChoice,
  { saliency: ownSaliency, masking: ownMasking, model }: BundleDescription,
): { method: MethodChoice; hasOwnLayers: boolean; isOwn: boolean } {
  const { saliency = ownSaliency, tap, mapping = "identity" } = asked;
  // All heads' own layer, named, is what they read anyway.
  const isSameLayer = model.heads.every(
    (head) => head.kind === "classifier" || layersOf(model, head).every((own) => own === tap),
  );
  const hasOwnLayers = (tap === undefined || isSameLayer) && mapping === "identity";
  const usual = hasOwnLayers && saliency === ownSaliency ? ownMasking : undefined;
  const { masking } = methodOf({ saliency, masking: asked.masking ?? usual, tap });
  return {
    method: { ...asked, saliency, masking },
    hasOwnLayers,
    isOwn: hasOwnLayers && saliency === ownSaliency && masking === ownMasking && tap === undefined,
  };
}

/** A graph that the bundle does not hold; every session gets a copy of the same bytes. */
async function traced(
  bundle: Bundle,
  method: MethodChoice,
  target: Target | undefined,
): Promise<() => Promise<Uint8Array>> {
  await readGraph(bundle, "explain"); // the description is that of a graph of bounded size
  const { traceExplain } = await import("./export-bundle.js");
  const graph = await traceExplain(await readBundledModel(bundle), { ...method, target });
  return async () => graph.slice();
}
