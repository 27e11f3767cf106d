/** JUnit's XML: read back, it says what the audit found, whatever names hold. */

import { XMLParser, XMLValidator } from "fast-xml-parser";
import { expect, test } from "vitest";
import type { AuditCheck, AuditResult } from "../../src/audit/audit.js";
import { junitText } from "../../src/audit/junit.js";

const check = (changes: Partial<AuditCheck>): AuditCheck => ({
  ...{ rule: 0, name: "rule", group: null, status: "passed", count: 0, total: 9, unsaid: 0, share: 0 },
  ...{ interval: [0, 1], side: "atMost", limit: 0.1, there: null, needed: null, images: [], ...changes },
});
const HOSTILE = `a<b>&"c"\u0000\u001b[31m\ud800]]>`;

test("one case a check: failures with their images, undecided ones skipped", () => {
  const images = Array.from({ length: 25 }, (_, index) => `${index}.png`);
  const result: AuditResult = {
    ...{ format: "aspectlens-audit/1", bundle: { name: "tissue", sha256: "0" } },
    images: { name: "ward", count: 9, explained: 9, unreadable: 0 },
    ...{ passed: 1, failed: 1, undecided: 1 },
    checks: [
      check({ name: HOSTILE, status: "failed", images, group: { key: "site", value: "A & B" } }),
      check({ status: "undecided", needed: 189 }),
      check({}),
    ],
  };
  const xml = junitText(result, ({ status }) => `it ${status} ${HOSTILE}`);
  expect(XMLValidator.validate(xml)).toBe(true);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  expect(xml).not.toMatch(/[\u0000-\u0008\u000b-\u001f]/);
  const read = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: "" }).parse(xml).testsuites;
  expect(read).toMatchObject({ name: "aspectlens audit", tests: "3", failures: "1", errors: "0", skipped: "1" });
  const [failed, skipped, passed] = read.testsuite.testcase;
  const seen = `a<b>&"c"\\x00\\x1b[31m\ufffd]]>`;
  expect(failed.name).toBe(`${seen} (site A & B)`);
  expect(failed.failure.message).toBe(`it failed ${seen}`);
  const lines = failed.failure["#text"].split("\n");
  expect(lines.slice(1, 3)).toEqual(["0.png", "1.png"]);
  expect(lines).toHaveLength(22); // what is said, 20 images, and that there are more
  expect(skipped.skipped.message).toMatch(/^it undecided/);
  expect(passed["system-out"]).toMatch(/^it passed/);
});
