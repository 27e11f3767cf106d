/** An audit in lines of text. */

import type { AuditCheck, AuditResult } from "../audit/audit.js";
import { checkName } from "../audit/junit.js";
import { percentText } from "../audit/rules.js";

const MOST_CHECKS = 20;
const MOST_IMAGES = 5;

/** What was counted for one check, and what that means. */
export function checkText(check: AuditCheck): string {
  const { status, count, total, interval, side, limit, there, unsaid, needed } = check;
  const [low, high] = interval.map((end) => Number((100 * end).toFixed(1)));
  const bound = side === "atMost" ? "at most" : "at least";
  const counted = there
    ? `${count} of ${total} images, ${there.count} of ${there.total} there: ${points(check.share)}, interval ${low} to ${high}, allowed ${percentText(limit)} either way`
    : `${count} of ${total} images${total > 0 ? ` (${percentText(check.share)}, interval ${low} to ${high} %)` : ""}, ${bound} ${percentText(limit)}`;
  const unread = unsaid > 0 ? `; of ${unsaid} more it cannot be said` : "";
  return `${counted}${unread}${status === "undecided" ? `; ${neededText(check.total, needed)}` : ""}`;
}

function points(share: number): string {
  return `${share < 0 ? "" : "+"}${Number((100 * share).toFixed(1))} points`;
}

function neededText(total: number, needed: number | null): string {
  if (needed === null) return "not decided, and more images like these do not decide it";
  const images = `${needed.toLocaleString("en")} images`;
  return total === 0
    ? `too few images: ${images} are needed`
    : `too few images: ${images} would decide, if the share stays`;
}

/** Failures first, each with some of its images; then what is not decided, and how many passed. */
export function auditLines({ checks, bundle, images, passed }: AuditResult): string[] {
  const listed = (status: AuditCheck["status"], word: string) => {
    const found = checks.filter((check) => check.status === status);
    const more = found.length - MOST_CHECKS;
    return [
      ...found.slice(0, MOST_CHECKS).flatMap((check) => lines(check, word)),
      ...(more > 0 ? [`and ${more} more ${word}, which --json lists`] : []),
    ];
  };
  return [
    `${bundle.name} on ${images.name}: ${images.explained.toLocaleString("en")} images explained`,
    ...listed("failed", "FAILED"),
    ...listed("undecided", "undecided"),
    ...listed("passed", "passed"),
    `${passed} of ${checks.length} passed`,
  ];
}

function lines(check: AuditCheck, word: string): string[] {
  const { images, status } = check;
  const more = images.length - MOST_IMAGES;
  const some = status === "failed" ? images.slice(0, MOST_IMAGES) : [];
  return [
    `${word.padEnd(9)}  ${checkName(check)}`,
    `           ${checkText(check)}`,
    ...some.map((path) => `           ${path}`),
    ...(some.length > 0 && more > 0 ? ["           ..."] : []),
  ];
}
