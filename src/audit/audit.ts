/** Holds a finished report against the rules of an audit. */

import { resolve } from "node:path";
import { BundleError, InputError } from "../core/errors.js";
import type { Interval } from "../metrics/bootstrap.js";
import { openReport, type Report } from "../survey/open-report.js";
import type { ReportPlan } from "../survey/plan.js";
import { sixDigits } from "../survey/summary/counted.js";
import { LEAST_IMAGES } from "../survey/unusual.js";
import { arePaired, type Compared, compared } from "./compared.js";
import { type AuditRule, withKnownNames } from "./rules.js";
import { counted, type Tally } from "./tally.js";
import { withBoth } from "./two-reports.js";
import { unlikeOther } from "./unlike.js";
import { type AuditStatus, changeVerdict, shareVerdict, type Verdict } from "./verdict.js";

/** What became of a rule, in all images or in those of one value of its group. */
export interface AuditCheck {
  /** Number of the rule, from 0. */
  readonly rule: number;
  readonly name: string;
  readonly group: { readonly key: string; readonly value: string } | null;
  readonly status: AuditStatus;
  /** Images that have what is counted, of `total`. */
  readonly count: number;
  readonly total: number;
  /** Images of which the explanation cannot tell; not in `total`. */
  readonly unsaid: number;
  /** `count` of `total`; of a `change` this share minus the other report's. */
  readonly share: number;
  /** Of `share`, 95 %. */
  readonly interval: Interval;
  readonly side: "atMost" | "atLeast";
  readonly limit: number;
  /** The other report's counts; `isPaired` where each image is compared with itself. Of a `change` alone. */
  readonly there: { readonly count: number; readonly total: number; readonly isPaired: boolean } | null;
  /** Of an undecided one: so many images decide, where the share stays as it is; `null` where no number is known. */
  readonly needed: number | null;
  /** Paths of images that speak against the rule, at most 100, the plainest first. */
  readonly images: readonly string[];
}

/** What an audit found. */
export interface AuditResult {
  readonly format: "aspectlens-audit/1";
  readonly bundle: { readonly name: string; readonly sha256: string };
  readonly images: {
    readonly name: string;
    readonly hash?: string;
    readonly count: number;
    readonly explained: number;
    readonly unreadable: number;
  };
  readonly passed: number;
  readonly failed: number;
  readonly undecided: number;
  readonly checks: readonly AuditCheck[];
}

/**
 * @param folder of a finished report.
 * @param options.bundle the bundle that the report must be of, and its SHA-256.
 * @throws InputError where the report cannot be read, or a rule names what it does not know; BundleError where it is of
 *   another bundle.
 */
export async function audit(
  folder: string,
  rules: readonly AuditRule[],
  { bundle, threads = 2 }: { bundle: { readonly path: string; readonly sha256: string }; threads?: number },
): Promise<AuditResult> {
  const report = await openReport(folder, { threads });
  try {
    const { plan, summary } = report;
    checkBundle(folder, plan, bundle);
    const { classes, aspects } = plan.bundle;
    const known = withKnownNames(rules, {
      ...{ classes, aspects: aspects.map(({ name }) => name) },
      groups: rules.some(({ by }) => by !== undefined) ? await groupsOf(report) : [],
    });
    checkCalibrated(known, plan);
    const checks: AuditCheck[] = [];
    for (const [index, rule] of known.entries()) checks.push(...(await checksOf(report, rule, { index, threads })));
    const countOf = (status: AuditStatus) => checks.filter((one) => one.status === status).length;
    const { name, hash, count, explained, unreadable } = summary.images;
    return {
      format: "aspectlens-audit/1",
      bundle: { name: plan.bundle.name, sha256: plan.bundle.sha256 },
      images: { name, ...(hash !== undefined && { hash }), count, explained, unreadable },
      ...{ passed: countOf("passed"), failed: countOf("failed"), undecided: countOf("undecided") },
      checks,
    };
  } finally {
    report.close();
  }
}

function checkBundle(
  folder: string,
  { bundle }: ReportPlan,
  { path, sha256 }: { readonly path: string; readonly sha256: string },
): void {
  if (bundle.sha256 === sha256) return;
  const short = (hash: string) => hash.slice(0, 12);
  throw new BundleError(
    `${folder}: is a report of another bundle, ${bundle.name} ${short(bundle.sha256)}, not of ${path} ${short(sha256)}.`,
    { cure: "Name the bundle that it was made with, or audit the images themselves.", file: path },
  );
}

/** Scores that only rank call nothing relevant, and every "never" would pass. */
function checkCalibrated(rules: readonly AuditRule[], { bundle }: ReportPlan): void {
  if (bundle.scale !== "uncalibrated") return;
  throw new InputError(`${rules[0].where}: the bundle ${bundle.name} does not tell which aspects are relevant.`, {
    cure: 'Calibrate it: "aspectlens calibrate", and audit the images again.',
  });
}

async function groupsOf({ query }: Report): Promise<string[]> {
  const rows = await query("SELECT DISTINCT unnest(map_keys(groups)) AS name FROM images ORDER BY name");
  const [{ splits }] = await query("SELECT count(split) AS splits FROM images");
  const names = rows.map(({ name }) => String(name));
  return (splits as number) > 0 && !names.includes("split") ? [...names, "split"] : names;
}

async function checksOf(
  report: Report,
  rule: AuditRule,
  { index, threads }: { index: number; threads: number },
): Promise<AuditCheck[]> {
  const check = (tally: Tally & { readonly images: readonly string[] }, verdict: Verdict, there?: Compared) => {
    const { part, count, total, unsaid, images } = tally;
    const [low, high] = verdict.interval;
    return {
      ...{ rule: index, name: rule.name },
      group: rule.by !== undefined && part !== null ? { key: rule.by, value: part } : null,
      ...{ status: verdict.status, count, total, unsaid, share: sixDigits(verdict.share) },
      interval: [sixDigits(low), sixDigits(high)],
      ...{ side: rule.side, limit: rule.limit },
      there: there ? { ...there.there, isPaired: there.pairs !== undefined } : null,
      ...{ needed: verdict.needed, images },
    } satisfies AuditCheck;
  };
  if (rule.against === undefined) {
    const isOutliers = rule.kind === "outliers";
    return (await counted(report.query, rule)).map((one) => check(one, judged(one, rule, isOutliers)));
  }
  const there = await otherReport(rule, report);
  const folders = { here: report.folder, there: rule.against };
  return withBoth(folders, { threads }, async (ask) => {
    if (rule.kind === "change") {
      const all = await compared(ask, rule, await arePaired(ask));
      return all.map((one) =>
        check(one, changeVerdict(one.pairs ? { pairs: one.pairs } : { ...one, here: one }, rule), one),
      );
    }
    const names = report.plan.bundle.aspects.map(({ name }) => name).filter((name) => there.includes(name));
    const unusual = await unlikeOther(ask, names);
    return (await counted(ask, rule, { unusual })).map((one) => check(one, judged(one, rule, false)));
  });
}

/** @param isOwn the report itself judges how unusual its images are, in classes of enough images. */
function judged(one: Tally, rule: AuditRule, isOwn: boolean): Verdict {
  const verdict = shareVerdict(one, rule);
  if (!isOwn || one.total > 0) return verdict;
  return { ...verdict, needed: Math.max(LEAST_IMAGES, verdict.needed ?? 0) };
}

/** @returns the aspects that it knows. */
async function otherReport(
  { where, against = "", aspect, class: name }: AuditRule,
  { folder }: Report,
): Promise<string[]> {
  const inRule = (what: string, cure: string) => new InputError(`${where}.against: ${what}`, { cure });
  if (resolve(against) === resolve(folder)) throw inRule(`${against} is the report itself.`, "Name another report.");
  const other = await openReport(against).catch((error: unknown) => {
    if (!(error instanceof InputError)) throw error;
    throw inRule(error.what, error.cure ?? "");
  });
  try {
    const { aspects, classes, scale, name: bundle } = other.plan.bundle;
    const names = aspects.map((one) => one.name);
    if (scale === "uncalibrated")
      throw inRule(
        `${against} is of a bundle, ${bundle}, that does not tell which aspects are relevant.`,
        "Name another.",
      );
    if (aspect !== undefined && !names.includes(aspect))
      throw inRule(`${against} does not know the aspect "${aspect}".`, `It knows: ${names.join(", ")}.`);
    if (name !== undefined && !classes.includes(name))
      throw inRule(`${against} does not know the class "${name}".`, `It knows: ${classes.join(", ")}.`);
    return names;
  } finally {
    other.close();
  }
}
