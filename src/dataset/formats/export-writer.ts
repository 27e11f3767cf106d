/** What writes a dataset in the form of another tool. */

import type { ExportNames } from "./export-names.js";
import type { ExportedSample } from "./exported-sample.js";

export interface ExportFormat {
  /** Such as `coco`. */
  readonly tool: string;
  /** Whether it can say of a category that it is absent, beside leaving it out. */
  readonly saysAbsent: boolean;
  /** What it cannot say, for these labels; one sentence each. */
  readonly cannotSay: Readonly<Partial<Record<"void" | "groups" | "unlabelled" | "tags", string>>>;
  /** Where an image goes, relative to the folder. */
  imagePath(sample: Pick<ExportedSample, "name" | "split">): string;
  open(folder: string, names: MarkNames): Promise<ExportWriter>;
}

export interface MarkNames extends ExportNames {
  /** Categories by what they mark: the image as a whole, boxes in it, or pixels. */
  readonly tags: readonly string[];
  readonly boxes: readonly string[];
  readonly masks: readonly string[];
  readonly isMulti: boolean;
}

export interface ExportWriter {
  /** In the order of the dataset. @param path of the image, as `imagePath` gave it. */
  add(sample: ExportedSample, path: string): Promise<void>;
  /** Writes what stands behind all samples. */
  finish(): Promise<void>;
}
