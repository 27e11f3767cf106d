/** The groups of a sample: the patient, site or device that its image is from, by the group's name. */

import { DatasetError } from "../core/errors.js";
import { isRecord } from "../core/json-values.js";
import { clip } from "../core/terminal.js";
import { DATASET_NAME } from "./manifest.js";

/** `{ "patient": "p7", "site": "A" }`: values are text, equal texts are one group. */
export type Groups = Readonly<Record<string, string>>;

const LONGEST_VALUE = 200;
const EXAMPLE = '"groups": { "patient": "p7" }';

/**
 * @returns names and values in the composed form (NFC).
 * @throws DatasetError in one line that names the place, what is wrong, and the cure.
 */
export function parseGroups(value: unknown, where: string): Groups {
  if (!isRecord(value)) {
    throw new DatasetError(`${where}: groups is ${clip(JSON.stringify(value))}.`, {
      cure: `Write names with their values, as in ${EXAMPLE}.`,
    });
  }
  const groups: [string, string][] = Object.entries(value).map(([written, given]) => {
    const name = written.normalize();
    if (!DATASET_NAME.test(name)) {
      throw new DatasetError(`${where}: the group name ${JSON.stringify(clip(name))} cannot be used.`, {
        cure: 'Use up to 64 letters, digits, spaces, ".", "-" and "_", starting with a letter or digit.',
      });
    }
    if (typeof given === "string" && given.trim() !== "" && given.length <= LONGEST_VALUE)
      return [name, given.normalize()];
    throw new DatasetError(`${where}: group "${name}" is ${clip(JSON.stringify(given))}.`, {
      cure: `Write text of 1 to ${LONGEST_VALUE} characters, as in ${EXAMPLE}, or leave it out where it is unknown.`,
    });
  });
  const names = groups.map(([name]) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    throw new DatasetError(`${where}: group "${twice}" is given twice.`, { cure: "Remove one." });
  return Object.fromEntries(groups);
}
