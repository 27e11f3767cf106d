/** One thing that `data check` found in a dataset, and how severe it is. */

/**
 * An `error` prevents training or stops it; a `warning` is unusual but may be intended; a `note` says how something was
 * interpreted. A fault of many files is reported once, at the first.
 */
export interface Fault {
  readonly severity: "error" | "warning" | "note";
  /** Path of the manifest or the samples file. */
  readonly file: string;
  /** Line of the samples file, from 1; absent if the fault concerns the whole dataset. */
  readonly line?: number;
  /** One line: the place, what is wrong, and the cure. */
  readonly message: string;
}
