/** The images that are explained most alike: nearest by their shares of the evidence. */

import type { Duck } from "./duck.js";

/** One image, and how far it is. */
export interface SimilarImage {
  readonly image: number;
  readonly path: string;
  readonly predicted: string | null;
  /** Euclidean distance of the profiles: the shares of all aspects, and `elsewhere`. */
  readonly distance: number;
}

/** The nearest first, of the same answer, without the image itself. */
export async function similarImages(
  duck: Pick<Duck, "rows">,
  image: number,
  { count }: { count: number },
): Promise<SimilarImage[]> {
  const rows = await duck.rows(
    `WITH one AS (SELECT profile, predicted FROM images WHERE image = $1)
     SELECT image, path, images.predicted, round(list_distance(images.profile, one.profile), 6) AS distance
     FROM images, one
     WHERE image <> $1 AND error IS NULL AND images.predicted IS NOT DISTINCT FROM one.predicted
     ORDER BY distance, image LIMIT ${Math.trunc(count)}`,
    [image],
  );
  return rows as unknown as SimilarImage[]; // as selected
}
