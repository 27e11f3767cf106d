/** What an expert said of one aspect in one image, already at the model's input size; absent means unlabelled. */

import type { Box } from "./box.js";

/** What a classifier is asked for: one of several classes, any number of labels, or a number. */
export const TASKS = ["single", "multi", "regression"] as const;
/** What the classifier answers: one class, any number of labels, or a number. */
export type Task = (typeof TASKS)[number];

/** How an aspect is marked: an area, boxes, whether it is there, or how much of it. */
export const ASPECT_KINDS = ["segmentation", "boxes", "presence", "amount"] as const;
/** How an aspect is labelled, and so what its head says. */
export type AspectKind = (typeof ASPECT_KINDS)[number];

/** Three states: absent (unlabelled), empty (`mask: null`, `boxes: []`, `present: false`, `amount: 0`), labelled. */
export interface Annotation {
  /**
   * `[height * width]` of what the model sees, row-major, the share 0..1 of each pixel that the aspect covers, above 0 wherever there
   * is any of it; `null` where the expert saw none.
   */
  readonly mask?: Uint8Array | Float32Array | null;
  readonly boxes?: readonly Box[];
  /** Beside `boxes`: regions of which nobody said what is in them, such as crowds. */
  readonly ignoredBoxes?: readonly Box[];
  readonly present?: boolean;
  /** 0..1. */
  readonly amount?: number;
  /** `[height * width]` of what the model sees, 0..255 for an amount of 0..1 at each pixel. */
  readonly map?: Uint8Array | Float32Array;
  /** `[height * width]` of what the model sees, 1 at the void pixels of `mask` or `map`, which say nothing; absent: none is void. */
  readonly ignored?: Uint8Array;
}

/** A mask in its file's own size. */
export interface OriginalMask {
  /** Pixels of the upright original. */
  readonly width: number;
  readonly height: number;
  /** `[height * width]` of 0 and 1, row-major; `null`: the expert saw none. */
  readonly marked: Uint8Array | null;
  /** 1 at void pixels; absent: none is void. */
  readonly ignored?: Uint8Array;
}

/** What the classifier should answer; the field that fits the task, or none where unlabelled. */
export interface ClassAnnotation {
  readonly label?: string;
  readonly labels?: readonly string[];
  readonly value?: number;
}

/** The labels of an image, be they one or several; `undefined` where unlabelled, or where the task is a regression. */
export function classLabels({ label, labels }: ClassAnnotation): readonly string[] | undefined {
  return labels ?? (label === undefined ? undefined : [label]);
}

/** One image as the model sees it, with its answers. */
export interface Sample {
  /** Path as it stands in the dataset, for messages. */
  readonly path: string;
  /** `[height, width, 3]` RGB 0..255. */
  readonly image: Uint8Array;
  /** The same image at other sizes, by size ("64", "48x64"), as networks of their own read it. */
  readonly otherSizes?: Readonly<Record<string, Uint8Array>>;
  readonly target: ClassAnnotation;
  readonly aspects: Readonly<Record<string, Annotation>>;
  /** Names of the aspects that caused the label, where the dataset knows them. */
  readonly causes?: readonly string[];
  /** The patient, site or device that the image is from, by the group's name, where the dataset knows them. */
  readonly groups?: Readonly<Record<string, string>>;
}
