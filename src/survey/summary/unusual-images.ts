/** The list of the images that are unusual for their answer. */

import type { Duck } from "../duck.js";
import type { ClassCount, UnusualImage, UnusualImages } from "../summary.js";
import { LEAST_IMAGES, UNUSUAL } from "../unusual.js";

const LISTED = 100;

export async function unusualImages(duck: Duck, answers: readonly ClassCount[]): Promise<UnusualImages> {
  const counts = await duck.rows(
    `SELECT predicted AS class, count(*) AS count FROM images WHERE unusualP <= ${UNUSUAL} GROUP BY ALL`,
  );
  const images = await duck.rows(
    `SELECT image, path, predicted AS class, unusualP AS p, unusualAspect AS aspect FROM images
     WHERE unusualP <= ${UNUSUAL} ORDER BY p, image LIMIT ${LISTED}`,
  );
  return {
    ...{ leastImages: LEAST_IMAGES, from: UNUSUAL },
    classes: answers.map(({ class: name, images }) => ({
      ...{ class: name, images, isJudged: images >= LEAST_IMAGES },
      unusual: (counts.find((row) => row.class === name)?.count ?? 0) as number,
    })),
    images: images as unknown as UnusualImage[], // as selected
  };
}
