/**
 * Reading records whose keys are names that users choose: what every object inherits (`constructor`) is none of them.
 */

/** @returns the value that the record itself has under the name. */
export function ownValue<Value>(record: Readonly<Record<string, Value>> | undefined, name: string): Value | undefined {
  return record !== undefined && Object.hasOwn(record, name) ? record[name] : undefined;
}
