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
  /**
   * A mask of the same size, in which the pixels with one of the values (palette indices, grey levels; of a file with
   * colours red * 65536 + green * 256 + blue) belong to the object, and those of `ignore` are neither in nor out.
   */
  | {
      readonly kind: "mask-file";
      readonly path: string;
      readonly values: readonly number[];
      readonly ignore?: readonly number[];
    };

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

/** What was marked in one image. */
export interface ImageAnnotations {
  /**
   * Size of the image that the shapes' coordinates refer to; where the file has another (it was made smaller), they are
   * scaled. 1 x 1 where they are shares of the image; absent: the file's own pixels.
   */
  readonly width?: number;
  readonly height?: number;
  readonly objects: readonly AnnotatedObject[];
  /** Categories that the export says are not in this image, which is more than that none is marked. */
  readonly absent?: readonly string[];
  /** What was found and is not carried, one entry each, such as `"part: ..."`, with the reason; equal ones are counted. */
  readonly left?: readonly string[];
}

export interface AnnotatedImage {
  /** Absolute path of the file, or of where it should be if it is absent. */
  readonly path: string;
  /** Relative path as the export names it, `/` between folders; distinct within a set. */
  readonly name: string;
  /** As the export has it, such as `train`, `val`, `test`. */
  readonly split?: string;
  /** Such as `{ patient: "p7" }`. */
  readonly groups?: Readonly<Record<string, string>>;
  /**
   * `false` where the export has no annotation of this image at all (no label file, a task that nobody did), which is
   * not the same as an annotation without objects.
   */
  readonly isAnnotated: boolean;
  /**
   * Called twice or more for each image, so that a large export need not be held.
   *
   * @throws DatasetError in one line that names the file, the place and the cure.
   */
  annotations(): Promise<ImageAnnotations>;
}

/** An export, read. */
export interface AnnotatedSet {
  /** Such as `coco`; one of `TOOLS`. */
  readonly tool: string;
  /** The file or folder that was read. */
  readonly source: string;
  /** Those that the export declares, in its order, also without any object; objects may name others. */
  readonly categories: readonly string[];
  readonly images: readonly AnnotatedImage[];
  readonly licence?: string;
  /** What the export holds and we do not carry, such as captions, with the reason; equal ones are counted. */
  readonly left: readonly string[];
  /** What was guessed or decided, one sentence each. */
  readonly notes?: readonly string[];
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
