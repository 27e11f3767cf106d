/** Makes the summary of a report from its tables. */

import type { Duck } from "./duck.js";
import type { ReportPlan } from "./plan.js";
import { BY_ANSWER, BY_TRUTH, classCounts } from "./summary/class-counts.js";
import { driftFrom } from "./summary/drift.js";
import { groupSurvey } from "./summary/group-survey.js";
import { mistakesOf } from "./summary/mistakes.js";
import { relevantPairs } from "./summary/pairs.js";
import { unusualImages } from "./summary/unusual-images.js";
import type { ReportSummary } from "./summary.js";

const LISTED = 100;

/**
 * @param options.group name by which images are grouped.
 * @param options.against folder of another report.
 * @throws InputError where no image names the group, or the other report cannot be read.
 */
export async function summarize(
  duck: Duck,
  plan: ReportPlan,
  { group, against }: { group?: string; against?: string } = {},
): Promise<ReportSummary> {
  const { bundle, images } = plan;
  const [{ explained, unreadable }] = await duck.rows(
    "SELECT count(*) FILTER (error IS NULL) AS explained, count(error) AS unreadable FROM images",
  );
  const answers = (await classCounts(duck, BY_ANSWER, bundle)).get("") ?? [];
  const truths = (await classCounts(duck, BY_TRUTH, bundle)).get("") ?? [];
  const failed = await duck.rows(
    `SELECT path, error FROM images WHERE error IS NOT NULL ORDER BY image LIMIT ${LISTED}`,
  );
  return {
    format: "aspectlens-summary/1",
    bundle,
    images: {
      ...{ kind: images.kind, name: images.name, ...(images.hash !== undefined && { hash: images.hash }) },
      ...{ count: images.count, explained: explained as number, unreadable: unreadable as number },
    },
    ...{ answers, truths },
    pairs: await relevantPairs(duck, bundle, answers),
    mistakes: await mistakesOf(duck, bundle),
    unusual: await unusualImages(duck, answers),
    groups: group === undefined ? null : await groupSurvey(duck, group, bundle),
    against: against === undefined ? null : await driftFrom(duck, against, { plan, answers }),
    unreadable: failed as unknown as ReportSummary["unreadable"], // as selected
  };
}
