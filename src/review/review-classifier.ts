/** The classifier's answers on a split: confusion with images, precision of each class, reliability, pairs. */

import { type ClassAnnotation, classLabels } from "../core/annotation.js";
import { logSumExp, softmax, softplus } from "../core/logistic.js";
import type { ClassifierSpec } from "../heads/head-spec.js";
import { type Extremes, extremes } from "./extremes.js";
import { type HeadReviewer, type ReviewedImage, SHOWN } from "./head-review.js";
import { scoreBins } from "./score-bins.js";

/** Images shown of each cell of the confusion, and pairs of a regression. */
const CELL_IMAGES = 6;
const MOST_PAIRS = 400;

export function reviewClassifier(spec: ClassifierSpec): HeadReviewer {
  const { temperature = 1 } = spec;
  const one = spec.task === "single" ? single(spec) : spec.task === "multi" ? multi(spec) : regression();
  return {
    add(logits, labels, paths) {
      const width = logits.shape[1];
      labels.forEach((label, i) => {
        const row = Float32Array.from(logits.data.subarray(i * width, (i + 1) * width), (logit) => logit / temperature);
        if (label) one.add(row, label as ClassAnnotation, paths[i]);
      });
    },
    result: one.result,
  };
}

interface RowReviewer {
  add(row: ArrayLike<number>, label: ClassAnnotation, path: string): void;
  result: HeadReviewer["result"];
}

const percent = (share: number) => `${(100 * share).toFixed(share > 0.995 || share < 0.005 ? 1 : 0)} %`;

function single({ classes }: ClassifierSpec): RowReviewer {
  const bins = classes.map(() => scoreBins());
  const confidence = scoreBins();
  const found = extremes<ReviewedImage>(SHOWN);
  const cells = classes.map(() =>
    classes.map(() => ({ count: 0, images: extremes<ReviewedImage>({ best: CELL_IMAGES, worst: 0 }) })),
  );
  return {
    add(row, { label }, path) {
      const truth = classes.indexOf(label ?? "");
      if (truth < 0) return;
      const scores = softmax(row);
      const answer = scores.indexOf(Math.max(...scores));
      // The log odds of a class: its logit against all others together.
      const odds = (k: number) => row[k] - logSumExp(Array.from(row).filter((_, other) => other !== k));
      classes.forEach((_, k) => {
        bins[k].add(odds(k), k === truth);
      });
      confidence.add(odds(answer), answer === truth);
      const said = `${classes[answer]} ${percent(scores[answer])}`;
      const image = (): ReviewedImage => ({
        path,
        text: answer === truth ? said : `is ${classes[truth]}; said ${said}`,
      });
      found.add(odds(truth), image, { isGood: answer === truth });
      const cell = cells[truth][answer];
      cell.count++;
      cell.images.add(scores[answer], image);
    },
    result() {
      const rows = cells.map((row) => row.reduce((sum, { count }) => sum + count, 0));
      const count = rows.reduce((sum, own) => sum + own, 0);
      return {
        constant: count > 0 ? Math.max(...rows) / count : null,
        precision: byName(classes, (k) => bins[k].precision()),
        reliability: confidence.reliability(),
        classes,
        confusion: cells.map((row) => row.map(({ count, images }) => ({ count, images: images.best }))),
        ...shownOf(found),
      };
    },
  };
}

function multi({ classes }: ClassifierSpec): RowReviewer {
  const bins = classes.map(() => scoreBins());
  const all = scoreBins();
  const found = extremes<ReviewedImage>(SHOWN);
  const positives = classes.map(() => 0);
  let count = 0;
  return {
    add(row, label, path) {
      const labels = classLabels(label);
      if (!labels) return;
      count++;
      let loss = 0;
      classes.forEach((name, k) => {
        const isPositive = labels.includes(name);
        if (isPositive) positives[k]++;
        bins[k].add(row[k], isPositive);
        all.add(row[k], isPositive);
        loss += softplus(isPositive ? -row[k] : row[k]);
      });
      const said = classes.filter((_, k) => row[k] >= 0);
      const names = (list: readonly string[]) => (list.length > 0 ? list.join(", ") : "none");
      found.add(-loss, () => ({ path, text: `is ${names(labels)}; said ${names(said)}` }));
    },
    result() {
      const known = positives.filter((own) => own > 0);
      return {
        // Guessing alike for every image reaches, as average precision, the share that has the class.
        constant: known.length > 0 ? known.reduce((sum, own) => sum + own / count, 0) / known.length : null,
        precision: byName(classes, (k) => bins[k].precision()),
        reliability: all.reliability(),
        ...shownOf(found),
      };
    },
  };
}

function regression(): RowReviewer {
  const found = extremes<ReviewedImage>(SHOWN);
  const pairs: [number, number][] = [];
  return {
    add(row, { value }, path) {
      if (value === undefined) return;
      const answer = row[0];
      if (pairs.length < MOST_PAIRS) pairs.push([value, answer]);
      const text = `is ${value.toPrecision(4)}; said ${answer.toPrecision(4)}`;
      found.add(-Math.abs(answer - value), () => ({ path, text }));
    },
    result: () => ({
      constant: pairs.length > 0 ? 0 : null, // R squared of always saying the mean
      precision: {},
      reliability: [],
      pairs,
      ...shownOf(found),
    }),
  };
}

function shownOf({ best, worst }: Extremes<ReviewedImage>) {
  return { best, worst };
}

function byName(names: readonly string[], curve: (index: number) => number[] | null): Record<string, number[]> {
  return Object.fromEntries(
    names.flatMap((name, index) => {
      const own = curve(index);
      return own ? [[name, own]] : [];
    }),
  );
}
