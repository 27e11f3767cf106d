/**
 * What an annotation tool's export says, in one form for all tools: images and the objects marked in them. Which
 * category is a class, which an aspect, and what a missing annotation means, is decided afterwards (`mapping.ts`).
 */

/** A point in pixels of the upright image, from its upper left corner; the first pixel spans 0..1. */
export type Point = readonly [x: number, y: number];

/** Where an object is. Pixels of the upright image. */
export type Shape =
  | { readonly kind: "image" }
  | { readonly kind: "box"; readonly x: number; readonly y: number; readonly width: number; readonly height: number }
  /** The union of simple polygons, the parts of one object; rotated boxes too. */
  | { readonly kind: "polygons"; readonly parts: readonly (readonly Point[])[]; readonly isRotatedBox?: boolean }
  /** `rotation`: degrees clockwise about the centre. */
  | {
      readonly kind: "ellipse";
      readonly centre: Point;
      readonly radii: readonly [x: number, y: number];
      readonly rotation: number;
    }
  /** Lengths of runs inside a rectangle, along its rows or its columns; the first run is outside the object. */
  | {
      readonly kind: "runs";
      readonly left: number;
      readonly top: number;
      readonly width: number;
      readonly height: number;
      readonly along: "rows" | "columns";
      readonly runs: Uint32Array;
    }
  /** An image file of the same size, in which the pixels with one of the values belong to the object. */
  | { readonly kind: "mask-file"; readonly path: string; readonly values: readonly number[] };

/** One mark that an annotator made. */
export interface AnnotatedObject {
  /** The name of its category, as text. */
  readonly category: string;
  readonly shape: Shape;
  /** A region that counts neither as the category nor as its absence: COCO's crowds, VOC's difficult objects. */
  readonly isIgnored?: boolean;
  /** Attributes of the mark, as text. */
  readonly attributes?: Readonly<Record<string, string>>;
}

export interface AnnotatedImage {
  /** Absolute path of the file. */
  readonly path: string;
  /** Relative path as the export names it, `/` between folders; distinct within a set. */
  readonly name: string;
  /** Pixels, where the export tells them. */
  readonly width?: number;
  readonly height?: number;
  /** As the export has it, such as `train`, `val`, `test`. */
  readonly split?: string;
  /** Such as `{ patient: "p7" }`. */
  readonly groups?: Readonly<Record<string, string>>;
  readonly objects: readonly AnnotatedObject[];
  /**
   * `false` where the export has no annotation of this image at all (no label file, a task that nobody did), which is
   * not the same as an annotation without objects.
   */
  readonly isAnnotated: boolean;
}

/** Marks of one kind in a category: how many, so that a mapping can be proposed. */
export type ShapeKind = Shape["kind"];

/** An export, read. */
export interface AnnotatedSet {
  /** Such as `coco`; one of `TOOLS`. */
  readonly tool: string;
  /** The file or folder that was read. */
  readonly source: string;
  /** All that the export declares, in its order, also those without any object. */
  readonly categories: readonly string[];
  readonly images: readonly AnnotatedImage[];
  readonly licence?: string;
  /** What the export holds and we do not carry, such as "12 captions", one line each, with the reason. */
  readonly left: readonly string[];
}

/** Reads the export of one tool. */
export interface AnnotationReader {
  readonly tool: string;
  /** Whether a file or folder looks like this tool's export; looks at names and beginnings alone. */
  recognizes(source: string): Promise<boolean>;
  /** @throws DatasetError in one line that names the file, the place and the cure. */
  read(source: string, options: ReadOptions): Promise<AnnotatedSet>;
}

export interface ReadOptions {
  /** Folder of the images, where the export does not tell it. */
  readonly images?: string;
}
