/** Which of the dataset's samples a run takes: one fold of several, or some of the images. */

import { checkKeys } from "../core/check-keys.js";
import { ConfigError } from "../core/errors.js";
import { shown } from "../core/message-text.js";
import type { Fold } from "../dataset/folds.js";
import type { ImageLimits } from "../dataset/open-part.js";
import { integer, keysOf } from "./config-values.js";

export const FOLD_KEYS = keysOf<Fold>({ number: true, of: true, by: true });
export const IMAGE_KEYS = keysOf<ImageLimits>({ train: true, validation: true });

/** More models than anybody trains. */
const MOST_FOLDS = 100;

/** @throws ConfigError where a key is unknown or a value out of range. */
export function resolveFold(value: unknown, where: string): Fold {
  checkKeys(value, FOLD_KEYS, where, ConfigError);
  const { by } = value;
  if (by !== undefined && !(Array.isArray(by) && by.every((name) => typeof name === "string")))
    throw new ConfigError(`${where}.by: expected a list of names of groups, got ${shown(by)}.`);
  return {
    number: integer(value.number, 1, `${where}.number`, { least: 1, most: MOST_FOLDS }),
    of: integer(value.of, 5, `${where}.of`, { least: 2, most: MOST_FOLDS }),
    ...(by !== undefined && { by: by as string[] }),
  };
}

/** @throws ConfigError where a key is unknown or a value out of range. */
export function resolveImages(value: unknown, where: string): ImageLimits {
  checkKeys(value, IMAGE_KEYS, where, ConfigError);
  const limit = (key: keyof ImageLimits) =>
    value[key] === undefined ? {} : { [key]: integer(value[key], 1, `${where}.${key}`, { least: 1, most: 1e9 }) };
  return { ...limit("train"), ...limit("validation") };
}
