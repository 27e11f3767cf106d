/** Values of a configuration, each checked where it stands: `where` names the key in the message. */

import { ConfigError } from "../core/errors.js";
import { shown } from "../core/message-text.js";

/** The keys of a type as a list; the compiler refuses a list that lacks one or has another. */
export function keysOf<Type>(keys: { readonly [Key in keyof Required<Type>]: true }): readonly string[] {
  return Object.keys(keys);
}

/** A number from `least` on, or above `above`, at most `most`; `fallback` where absent. @throws ConfigError */
export function number(
  value: unknown,
  fallback: number,
  where: string,
  {
    least,
    above,
    most,
  }: { most: number } & ({ least: number; above?: undefined } | { above: number; least?: undefined }),
): number {
  if (value === undefined) return fallback;
  if (typeof value === "number" && (above === undefined ? value >= least : value > above) && value <= most)
    return value;
  const from = above === undefined ? `from ${least} to` : `above ${above} up to`;
  throw new ConfigError(`${where}: expected a number ${from} ${most}, got ${shown(value)}.`);
}

/** A number from 0 up to `most`, or below `below`; 0 where absent. @throws ConfigError */
export function share(
  value: unknown,
  where: string,
  { most = 1, below = 2 }: { most?: number; below?: number },
): number {
  if (value === undefined) return 0;
  if (typeof value === "number" && value >= 0 && value <= most && value < below) return value;
  const limit = below <= most ? `below ${below}` : `up to ${most}`;
  throw new ConfigError(`${where}: expected a number from 0 ${limit}, got ${shown(value)}.`);
}

/** A whole number from `least` to `most`; `fallback` where absent. @throws ConfigError */
export function integer(
  value: unknown,
  fallback: number,
  where: string,
  { least, most }: { least: number; most: number },
): number {
  if (value === undefined) return fallback;
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) return value as number;
  throw new ConfigError(`${where}: expected a whole number from ${least} to ${most}, got ${shown(value)}.`);
}

/** True or false; `fallback` where absent. @throws ConfigError */
export function boolean(value: unknown, fallback: boolean, where: string): boolean {
  if (value === undefined) return fallback;
  if (typeof value === "boolean") return value;
  throw new ConfigError(`${where}: expected true or false, got ${shown(value)}.`);
}

/** A name that is not empty; `fallback` where absent. @throws ConfigError */
export function text(value: unknown, fallback: string, where: string): string {
  if (value === undefined) return fallback;
  if (typeof value === "string" && value !== "") return value;
  throw new ConfigError(`${where}: expected a name, got ${shown(value)}.`);
}

/** One of the names, or `undefined` where absent. @throws ConfigError */
export function oneOf<Name extends string>(value: unknown, names: readonly Name[], where: string): Name {
  // A head may be named in either form of its accented letters.
  const name = typeof value === "string" ? value.normalize() : value;
  if (name === undefined || names.includes(name as Name)) return name as Name;
  throw new ConfigError(`${where}: expected one of ${names.join(", ")}, got ${shown(value)}.`);
}
