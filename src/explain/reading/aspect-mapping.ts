/** How a mapped aspect was reached, and whether its mapping carries enough of it. */

import type { HeadBase } from "../../heads/head-spec.js";
import { type ModelSpec, mappingOf } from "../../model/model-spec.js";
import type { AspectMapping } from "../explanation.js";
import { LEAST_AGREEMENT } from "../relevance-constants.js";

/** @returns `undefined` for a head that reads the classifier's own network. */
export function aspectMapping(spec: Pick<ModelSpec, "networks">, head: HeadBase): AspectMapping | undefined {
  const mapping = mappingOf(spec, head);
  if (!mapping || head.network === undefined) return undefined;
  const { kind, from, to, quality } = mapping;
  const agreement = quality?.agreement[head.name] ?? null;
  const isTooPoor = agreement !== null && agreement < LEAST_AGREEMENT;
  return { network: head.network, kind, from, to, r2: quality?.r2 ?? null, agreement, isTooPoor };
}

/** Whether the mapping to an aspect, not its head, is at fault where it cannot be read. */
export function isMappedBadly(spec: Pick<ModelSpec, "networks" | "heads">, aspect: string): boolean {
  return spec.heads.some((head) => head.name === aspect && aspectMapping(spec, head)?.isTooPoor);
}
