/** An audit as JUnit's XML, which continuous integration shows as tests. */

import { visible } from "../core/terminal.js";
import type { AuditCheck, AuditResult } from "./audit.js";

/** What tells a file of ours. */
export const JUNIT_NAME = "aspectlens audit";
const MOST_NAMED = 20;

/** What is said of a check in words, one line. */
export type Telling = (check: AuditCheck) => string;

/**
 * One test case a check: failures with their images, undecided ones as skipped, so that they stand out from what passed.
 *
 * @param told what is said of each.
 */
export function junitText({ bundle, images, checks, failed, undecided }: AuditResult, told: Telling): string {
  const counts = { tests: checks.length, failures: failed, errors: 0, skipped: undecided };
  return `${[
    '<?xml version="1.0" encoding="UTF-8"?>',
    tag("testsuites", { name: JUNIT_NAME, ...counts }),
    ` ${tag("testsuite", { name: `${bundle.name} on ${images.name}`, ...counts })}`,
    ...checks.map((check) => `  ${testCase(check, bundle.name, told(check))}`),
    " </testsuite>",
    "</testsuites>",
  ].join("\n")}\n`;
}

/** The rule, and the images that it was held against. */
export function checkName({ name, group }: AuditCheck): string {
  return group ? `${name} (${group.key} ${group.value})` : name;
}

function testCase(check: AuditCheck, bundle: string, told: string): string {
  const { status, images } = check;
  const open = tag("testcase", { name: checkName(check), classname: bundle });
  if (status === "undecided") return `${open}${tag("skipped", { message: told }, true)}</testcase>`;
  if (status === "passed") return `${open}<system-out>${escaped(told)}</system-out></testcase>`;
  const more = check.images.length > MOST_NAMED ? ["and more, which --json names"] : [];
  const lines = [told, ...images.slice(0, MOST_NAMED), ...more].map(escaped).join("\n");
  return `${open}${tag("failure", { type: "limit", message: told })}${lines}</failure></testcase>`;
}

function tag(name: string, attributes: Readonly<Record<string, string | number>>, isEmpty = false): string {
  const list = Object.entries(attributes).map(([key, value]) => ` ${key}="${escaped(String(value))}"`);
  return `<${name}${list.join("")}${isEmpty ? "/" : ""}>`;
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** XML 1.0 has no place for control characters and halves of surrogate pairs, escaped or not. */
function escaped(text: string): string {
  return visible(text)
    .replace(/[\p{Surrogate}\ufffe\uffff]/gu, "\ufffd")
    .replace(/[&<>"]/g, (character) => ENTITIES[character]);
}
