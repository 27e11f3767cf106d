/** Names under a common prefix, such as `explain/` in a file that holds the outputs of two graphs. */

/** The same values, each name with the prefix before it. */
export function prefixed<Value>(prefix: string, values: Readonly<Record<string, Value>>): Record<string, Value> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + name, value]));
}

/** The values whose names have the prefix, without it; an object that inherits no names. */
export function unprefixed<Value>(prefix: string, values: Readonly<Record<string, Value>>): Record<string, Value> {
  const own: Record<string, Value> = Object.create(null);
  for (const [name, value] of Object.entries(values))
    if (name.startsWith(prefix)) own[name.slice(prefix.length)] = value;
  return own;
}
