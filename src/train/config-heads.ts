/** What a user may say of each head: its layers, its share of the loss, its threshold. */

import { checkKeys, normalizeKeys } from "../core/check-keys.js";
import { ConfigError } from "../core/errors.js";
import { shown } from "../core/message-text.js";
import { ownValue } from "../core/own-value.js";
import { POOLINGS, type Pooling } from "../heads/head-spec.js";
import { keysOf, number, oneOf, share } from "./config-values.js";

/** A head in a training configuration; docs/configuration.md has the defaults. */
export interface HeadConfig {
  /** Layers it reads; the source, or for the classifier the trunk's output, where absent. */
  readonly tap?: string | readonly string[];
  /** Share of its loss in the sum. */
  readonly weight: number;
  /** From this probability on, an aspect is seen. */
  readonly threshold?: number;
  /** Amount only. */
  readonly form?: "number" | "map";
  /** Classifier only: how its features are pooled. */
  readonly pooling?: Pooling;
  /** Classifier only: share of the pooled features that each training step drops, 0 to 0.9. */
  readonly dropout?: number;
  /** Classifier of one class only: share of each label that is given to all classes alike, 0 to 0.5. */
  readonly labelSmoothing?: number;
}

export const HEAD_KEYS = keysOf<HeadConfig>({
  ...{ tap: true, weight: true, threshold: true, form: true, pooling: true, dropout: true, labelSmoothing: true },
});

/**
 * Every head's configuration, by name.
 *
 * @param names of the classifier, `class`, and of the dataset's aspects.
 * @throws ConfigError where a head or a key is unknown, or a value out of range.
 */
export function resolveHeads(value: unknown, names: readonly string[]): Record<string, HeadConfig> {
  const given = normalizeKeys(value ?? {});
  checkKeys(given, names, "heads", ConfigError);
  return Object.fromEntries(
    names.map((name) => {
      const head = ownValue(given, name) ?? {};
      checkKeys(head, HEAD_KEYS, `heads.${name}`, ConfigError);
      const { tap, threshold, form } = head as { tap?: string | string[]; threshold?: number; form?: "number" | "map" };
      if (
        tap !== undefined &&
        typeof tap !== "string" &&
        !(Array.isArray(tap) && tap.length > 0 && tap.every((t) => typeof t === "string"))
      ) {
        throw new ConfigError(`heads.${name}.tap: expected a layer's name or a list of names, got ${shown(tap)}.`);
      }
      for (const key of ["pooling", "dropout", "labelSmoothing"]) {
        if (head[key] !== undefined && name !== "class") {
          throw new ConfigError(`heads.${name}.${key}: only the classifier has it.`, {
            cure: "Give it to heads.class.",
          });
        }
      }
      return [
        name,
        {
          weight: number(head.weight, 1, `heads.${name}.weight`, { least: 0, most: 1e6 }),
          ...(tap === undefined ? {} : { tap }),
          ...(threshold === undefined
            ? {}
            : { threshold: number(threshold, 0.5, `heads.${name}.threshold`, { above: 0, most: 0.999 }) }),
          ...(form === undefined ? {} : { form: oneOf(form, ["number", "map"] as const, `heads.${name}.form`) }),
          ...(head.pooling === undefined ? {} : { pooling: oneOf(head.pooling, POOLINGS, `heads.${name}.pooling`) }),
          ...(head.dropout === undefined
            ? {}
            : { dropout: share(head.dropout, `heads.${name}.dropout`, { most: 0.9 }) }),
          ...(head.labelSmoothing === undefined
            ? {}
            : { labelSmoothing: share(head.labelSmoothing, `heads.${name}.labelSmoothing`, { most: 0.5 }) }),
        },
      ];
    }),
  );
}
