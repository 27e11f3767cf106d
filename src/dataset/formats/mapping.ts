/** What the categories of other tools' exports become in our dataset: classes, aspects, groups, splits. */

import type { AspectKind } from "../../core/annotation.js";
import type { Split } from "../record.js";

/** Where it is read from that an image belongs to a class. */
export type ClassSource =
  /** Categories that the image as a whole is marked with: tags, choices, folders of images. */
  | { readonly from: "tags" }
  /** Categories of anything that is marked in the image. */
  | { readonly from: "marks" }
  /** Values of an attribute of anything that is marked. */
  | { readonly from: "attribute"; readonly attribute: string }
  /** The folder that the image lies in. */
  | { readonly from: "folder" };

export type ClassMapping = ClassSource & {
  readonly task: "single" | "multi";
  /** In order: with `single` the first of which any word occurs is the image's class. */
  readonly classes: readonly { readonly name: string; readonly of: readonly string[] }[];
  /** Of an annotated image in which none occurs: a class, no labels at all (`multi`), or unlabelled. */
  readonly unmarked: Unmarked;
  /** The same of an image that nobody annotated. */
  readonly unannotated: Unmarked;
};

export type Unmarked =
  | { readonly is: "unlabelled" }
  | { readonly is: "empty" }
  | { readonly is: "class"; readonly name: string };

export interface AspectMapping {
  readonly name: string;
  readonly kind: AspectKind;
  /** Their marks are taken together. */
  readonly categories: readonly string[];
  /** What an annotated image without such a mark is. */
  readonly unmarked: "empty" | "unlabelled";
  /** What an image that nobody annotated is. */
  readonly unannotated: "empty" | "unlabelled";
  /** For `segmentation` and `amount`: whether a box counts as an area. Else pixels in boxes alone are not known. */
  readonly fillBoxes: boolean;
}

/** How the value of a group is found, such as the patient of an image. */
export type GroupRule =
  /** Of anything that is marked, else the group of that name that the export gives the image. */
  | { readonly by: "attribute"; readonly attribute: string }
  /** What the first parentheses match, else all that matches, of the image's name in the export. */
  | { readonly by: "name"; readonly pattern: RegExp }
  /** The folder at this place of the image's name, from 1; from -1 backwards. */
  | { readonly by: "folder"; readonly place: number };

export interface SplitMapping {
  /** Whether an image keeps the split that the export gives it. */
  readonly keep: boolean;
  /** For the others; they sum to 1. */
  readonly shares: Readonly<Record<Split, number>>;
  readonly seed: number;
  /** Groups that no split may divide; absent: those of at least three values. */
  readonly by?: readonly string[];
}

export interface Mapping {
  readonly name: string;
  readonly classes?: ClassMapping;
  readonly aspects: readonly AspectMapping[];
  /** Categories that are not used. */
  readonly drop: readonly string[];
  readonly groups: Readonly<Record<string, GroupRule>>;
  readonly splits: SplitMapping;
  /** By the name of a source. */
  readonly licences: Readonly<Record<string, string>>;
}

export const DEFAULT_SPLITS: SplitMapping = {
  keep: true,
  shares: { train: 0.7, validation: 0.15, test: 0.15 },
  seed: 7,
};
