/** Questions that others have asked of a report, as queries; docs/reports.md lists the same. */

export const EXAMPLE_QUERIES: readonly { readonly question: string; readonly sql: string }[] = [
  {
    question: "In how many answers of each class is each aspect present, and relevant?",
    sql: `SELECT predicted, name, count(*) AS images, count(*) FILTER (isPresent) AS present,
  count(*) FILTER (isRelevant) AS relevant, round(avg(share), 3) AS share
FROM aspects GROUP BY predicted, name ORDER BY predicted, relevant DESC`,
  },
  {
    question: "Which answers rest on a scanner tag, the ones that rest on it most first?",
    sql: `SELECT path, images.predicted, images.label, share
FROM aspects JOIN images USING (image)
WHERE name = 'scanner-tag' AND isRelevant ORDER BY share DESC LIMIT 20`,
  },
  {
    question: "How often is an answer right, by the aspect that decided it?",
    sql: `SELECT name, count(*) AS answers, round(avg(isRight::INTEGER), 3) AS isRight
FROM aspects WHERE strength = 'decisive' AND isRight IS NOT NULL GROUP BY name ORDER BY answers DESC`,
  },
  {
    question: "Which sure answers are explained by no known aspect?",
    sql: `SELECT path, predicted, score, headline FROM images
WHERE "case" IN ('elsewhere', 'no-evidence', 'nothing-seen') AND score >= 0.95 ORDER BY score DESC LIMIT 20`,
  },
  {
    question: "Where in the image are the things that answers rely on? (a grid of three by three)",
    sql: `SELECT least(2, floor((yMin + yMax) / 2 * 3)) AS row, least(2, floor((xMin + xMax) / 2 * 3)) AS "column", count(*) AS instances
FROM instances JOIN aspects USING (image, name)
WHERE isRelevant GROUP BY row, "column" ORDER BY row, "column"`,
  },
  {
    question: "Does relevance differ between the splits?",
    sql: `SELECT split, name, round(avg(isRelevant::INTEGER), 3) AS relevant
FROM aspects JOIN images USING (image) GROUP BY split, name ORDER BY name, split`,
  },
  {
    question: "Which images are explained most like image 0?",
    sql: `SELECT path, predicted, list_distance(profile, (SELECT profile FROM images WHERE image = 0)) AS distance
FROM images WHERE image <> 0 AND error IS NULL ORDER BY distance, image LIMIT 10`,
  },
  {
    question: "How are the shares of an aspect spread?",
    sql: `SELECT name, round(quantile_cont(share, 0.25), 3) AS low, round(median(share), 3) AS middle,
  round(quantile_cont(share, 0.75), 3) AS high
FROM aspects WHERE isRelevant GROUP BY name ORDER BY middle DESC`,
  },
];
