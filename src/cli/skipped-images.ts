/** Collects the images that could not be explained: prints a line for each as it happens, and an error at the end. */

import { InputError } from "../core/errors.js";
import { printNote } from "./output.js";

export interface Skipped {
  /** How many images so far. */
  readonly count: number;
  /** Prints why an image is skipped, unless it is the only image: then `end` throws the error. */
  add(error: InputError): void;
  /** @throws InputError where any was skipped. */
  end(): void;
}

/** @param imageCount of all images. */
export function skipper(imageCount: number): Skipped {
  const errors: InputError[] = [];
  return {
    get count() {
      return errors.length;
    },
    add: (error) => {
      errors.push(error);
      if (imageCount > 1) printNote(`aspectlens: ${error.message}`);
    },
    end: () => {
      if (errors.length === 0) return;
      if (imageCount === 1) throw errors[0];
      throw new InputError(`${errors.length} of ${imageCount} images skipped, for the reasons above.`);
    },
  };
}
