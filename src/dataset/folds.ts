/** The folds of a cross-validation: which samples one fold trains on, is validated on, and is measured on. */

import { classLabels } from "../core/annotation.js";
import { DatasetError } from "../core/errors.js";
import { ownValue } from "../core/own-value.js";
import { type Dataset, records, type Splits } from "./dataset.js";
import { annotationState, type SampleRecord, type Split } from "./record.js";
import { type Stratified, stratify, type Unit, unitsOf } from "./stratify.js";

/** One fold of several. */
export interface Fold {
  /** From 1. */
  readonly number: number;
  /** How many there are. */
  readonly of: number;
  /** Names of the groups that stay together; all by default. */
  readonly by?: readonly string[];
}

/** Of what is left for training; the share that `data import` takes too. */
const VALIDATION_SHARE = 0.15;

/**
 * Draws the folds from all samples of the splits train and validation, in proportion of the classes and aspects, and
 * gives those of one fold: its part is the test split, and 15 % of the others are validation.
 *
 * @param options.seed gives the same folds for the same samples.
 * @throws DatasetError where there is no such fold or group, or the samples do not make so many.
 */
export async function foldSplits(dataset: Dataset, fold: Fold, { seed }: { seed: number }): Promise<Splits> {
  const { number, of, by = Object.keys(dataset.summary.groups) } = fold;
  const { directory } = dataset;
  if (number > of) throw new DatasetError(`fold.number: is ${number} of ${of} folds.`, { cure: `Give 1 to ${of}.` });
  checkGroups(dataset, by);
  const places: number[] = [];
  const images: Stratified[] = [];
  let count = 0;
  for await (const record of records(dataset)) {
    if (record.split !== "test") {
      places.push(count);
      images.push({ labels: labelsOf(record, dataset), groups: record.groups ?? {} });
    }
    count++;
  }
  const units = unitsOf(images, by);
  const parts: Unit[][] = Array.from({ length: of }, () => []);
  stratify(units, { shares: parts.map(() => 1 / of), seed, put: (unit, part) => parts[part].push(unit) });
  if (parts.some((part) => part.length === 0)) throw tooFew(directory, { of, by, images: images.length, units });
  const splits: (Split | undefined)[] = new Array(count).fill(undefined);
  const put = (split: Split) => (unit: Unit) => {
    for (const member of unit.members) splits[places[member]] = split;
  };
  parts[number - 1].forEach(put("test"));
  const rest = parts.filter((_, part) => part !== number - 1).flat();
  const shares = [1 - VALIDATION_SHARE, VALIDATION_SHARE];
  stratify(rest, { shares, seed, put: (unit, part) => put(part === 0 ? "train" : "validation")(unit) });
  return splits;
}

function labelsOf({ target, aspects }: SampleRecord, { manifest }: Dataset): string[] {
  const shown = manifest.aspects.filter(
    ({ name, kind }) => annotationState(ownValue(aspects, name), kind) === "labelled",
  );
  return [...(classLabels(target) ?? []).map((name) => `class ${name}`), ...shown.map(({ name }) => name)];
}

function checkGroups({ directory, summary }: Dataset, by: readonly string[]): void {
  const known = Object.keys(summary.groups);
  const unknown = by.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new DatasetError(`${directory}: fold.by names "${unknown}", which no sample has as a group.`, {
    cure: `Known: ${known.join(", ") || "none"}.`,
  });
}

function tooFew(
  directory: string,
  { of, by, images, units }: { of: number; by: readonly string[]; images: number; units: readonly Unit[] },
): DatasetError {
  const apart = by.length === 0 ? "" : `, which make ${units.length} that share no ${by.join(" or ")}`;
  const named =
    by.length > 1
      ? `, or name the groups that must stay together: --set 'fold.by=["${by[0]}"]'`
      : by.length === 1
        ? ", or let folds divide groups: --set fold.by=[]"
        : "";
  return new DatasetError(
    `${directory}: cannot be divided into ${of} folds: ${images} samples in train and validation${apart}.`,
    { cure: `Ask for fewer${named}.` },
  );
}
